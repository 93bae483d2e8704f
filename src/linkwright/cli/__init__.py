"""The command line. Importing it prepares Django for the data folder that the command names."""

import linkwright.cli.bootstrap  # noqa: F401 - first of all: models can be imported from here on
from linkwright.cli.application import app, main

__all__ = ["app", "main"]
