"""What `make check` holds beside ruff, mypy and import-linter; `python -m checks` runs them all."""
