"""A data folder of its own for every test process, made before Django reads its settings."""

import atexit
import os
import shutil
import tempfile

import django
from hypothesis import settings

_home = tempfile.mkdtemp(prefix="linkwright-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["LINKWRIGHT_HOME"] = _home
os.environ["DJANGO_SETTINGS_MODULE"] = "linkwright.django_settings"

# before any test module or conftest imports a model
django.setup()

# in CI nothing is skipped: what a test needs and does not find is a failure
pytest_plugins = ["checks.no_skips"]

# a machine that others use too is slow at times; what may take long is bounded where it is a requirement
settings.register_profile("linkwright", deadline=None)
settings.load_profile("linkwright")
