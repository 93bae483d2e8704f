"""A data folder of its own for every test process, made before Django reads its settings."""

import atexit
import os
import shutil
import tempfile

import django

_home = tempfile.mkdtemp(prefix="linkwright-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["LINKWRIGHT_HOME"] = _home
os.environ["DJANGO_SETTINGS_MODULE"] = "linkwright.django_settings"

# before any test module or conftest imports a model
django.setup()
