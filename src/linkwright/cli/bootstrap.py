"""Decides on the data folder before Django reads its settings, which it does once and for all.

Every other file of the command line may then import models. Changes the environment, so that child processes
work on the same data folder.
"""

import os
import sys
from collections.abc import MutableMapping, Sequence

import django

from linkwright.errors import LinkwrightError

DEMO_HOME = "linkwright-demo"


def choose_home(arguments: Sequence[str], environment: MutableMapping[str, str]) -> None:
    """Put `--home FOLDER` into the environment; the demo has a folder and a database of its own."""
    for index, argument in enumerate(arguments):
        if argument == "--home" and index + 1 < len(arguments):
            environment["LINKWRIGHT_HOME"] = arguments[index + 1]
        elif argument.startswith("--home="):
            environment["LINKWRIGHT_HOME"] = argument.removeprefix("--home=")
    if "demo" in arguments[:3]:
        environment.setdefault("LINKWRIGHT_HOME", DEMO_HOME)
        environment.pop("DATABASE_URL", None)


choose_home(sys.argv[1:], os.environ)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkwright.django_settings")
try:
    django.setup()
except LinkwrightError as error:
    sys.exit(f"Error: {error}")
