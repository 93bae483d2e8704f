# The only commands that anybody has to know, people and CI alike. Each makes .venv by itself.
VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
PIP_INSTALL := PIP_DISABLE_PIP_VERSION_CHECK=1 $(VENV_PYTHON) -m pip install -qq
# pytest's options, for instance TEST_OPTIONS="-k queue"
TEST_OPTIONS ?=
# SIGKILLs of the long torture run
KILLS ?= 1000
# uv's options, for instance LOCK_OPTIONS=--upgrade
LOCK_OPTIONS ?=

.PHONY: help demo test check bench torture lock

help:
	@echo "make demo                 install and show linked groups of 10,000 records in the browser"
	@echo "make test                 install the tests' packages and run every test"
	@echo "make check                style, types, layers, limits, migrations, documentation"
	@echo "make bench                measure"
	@echo "make torture KILLS=1000   kill workers and jobs at random instants"
	@echo "make lock                 renew requirements/*.txt from pyproject.toml"

demo: $(VENV)/installed-runtime
	@$(VENV)/bin/linkwright demo

test: $(VENV)/installed-dev
	@$(VENV_PYTHON) -m checks.machine
	@$(VENV_PYTHON) -m checks.run_tests $(TEST_OPTIONS)

check: $(VENV)/installed-dev
	@$(VENV_PYTHON) -m checks

bench: $(VENV)/installed-dev
	@LINKWRIGHT_BENCH=full $(VENV_PYTHON) -m pytest -m benchmark -p no:randomly --capture=no $(TEST_OPTIONS)

torture: $(VENV)/installed-dev
	@LINKWRIGHT_TORTURE_KILLS=$(KILLS) $(VENV_PYTHON) -m pytest -m torture --capture=no $(TEST_OPTIONS)

# One environment, two stamps: a demo does not wait for the tests' packages. Only a finished installation leaves
# its stamp, so an interrupted one is taken up again.
$(VENV)/installed-runtime: requirements/runtime.txt pyproject.toml
	@sh checks/make_venv.sh $(VENV)
	@echo "Installing Linkwright into $(VENV), about a minute ..."
	@$(PIP_INSTALL) --require-hashes --requirement requirements/runtime.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-dev: requirements/dev.txt pyproject.toml
	@sh checks/make_venv.sh $(VENV)
	@echo "Installing Linkwright with the packages of its tests into $(VENV), about a minute ..."
	@$(PIP_INSTALL) --require-hashes --requirement requirements/dev.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/installed-runtime $@

# uv resolves for every Python and platform at once; it stands apart, since only this target needs it.
UV_COMPILE = $(VENV)/lock-tool/bin/uv pip compile --no-config --no-python-downloads --universal \
	--python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" --quiet $(LOCK_OPTIONS) pyproject.toml

lock:
	@sh checks/make_venv.sh $(VENV)
	@sh checks/make_venv.sh $(VENV)/lock-tool
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(VENV)/lock-tool/bin/python -m pip install -qq "uv>=0.9"
	@$(UV_COMPILE) --group build --extra demo --output-file requirements/runtime.txt
	@$(UV_COMPILE) --group build --group dev --all-extras --constraint requirements/runtime.txt \
		--output-file requirements/dev.txt
