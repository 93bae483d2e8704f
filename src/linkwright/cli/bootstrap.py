"""Decides on the data folder before Django reads its settings, which it does once and for all.

Every other file of the command line may then import models. Changes the environment, so that child processes
work on the same data folder.
"""

import os
import sys
from collections.abc import MutableMapping, Sequence

import django
from django.core.exceptions import ImproperlyConfigured

from linkwright.errors import LinkwrightError

EXIT_REFUSED = 2
DEMO_HOME = "linkwright-demo"


def choose_home(arguments: Sequence[str], environment: MutableMapping[str, str]) -> None:
    """Put `--home FOLDER` into the environment; the demo has a folder and a database of its own."""
    rest = _take_home(arguments, environment)
    if rest[:1] == ["restore"]:
        # its data folder is what it is about: it may stand anywhere behind the command
        behind = rest[1:]
        while behind:
            behind = _take_home(behind, environment)[1:]
    if rest[:1] == ["demo"]:
        environment.setdefault("LINKWRIGHT_HOME", DEMO_HOME)
        environment.pop("DATABASE_URL", None)


def _take_home(arguments: Sequence[str], environment: MutableMapping[str, str]) -> list[str]:
    """Read the options up to the first word that is none; returns that word and what follows it."""
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--home" and rest:
            environment["LINKWRIGHT_HOME"] = rest.pop(0)
        elif option.startswith("--home="):
            environment["LINKWRIGHT_HOME"] = option.removeprefix("--home=")
    return rest


choose_home(sys.argv[1:], os.environ)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkwright.django_settings")
try:
    django.setup()
except LinkwrightError as error:
    sys.stderr.write(f"Error: {error}\n")
    sys.exit(EXIT_REFUSED)
except ImproperlyConfigured as error:
    sys.stderr.write(
        f"Error: the database of DATABASE_URL cannot be used: {str(error).splitlines()[0]}. For PostgreSQL "
        "install psycopg[binary] into the same environment; unset DATABASE_URL for the built-in SQLite.\n"
    )
    sys.exit(EXIT_REFUSED)
