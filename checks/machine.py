"""What the tests need of the machine beside Python packages: a Chromium.

Finds it, for the browser tests and for `make test`, which says before the tests start how to install one.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_CHROMIUM = (
    "No Chromium was found, and the browser tests need one. Install it with the system's packages "
    "('apt-get install chromium' on Debian and Ubuntu) or with "
    "'.venv/bin/playwright install --with-deps chromium'."
)


def in_ci(environment: Mapping[str, str]) -> bool:
    """Return whether the environment says that this is CI, as .ci/run and CI services do."""
    return environment.get("CI", "").lower() in {"true", "1"}


def find_chromium() -> Path | None:
    """Return the Chromium on PATH, or else the one that Playwright installed, or None."""
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.is_file() else None


def main() -> int:
    """Say if the browser tests cannot run, which ends a run in CI at once; return the exit code."""
    if find_chromium():
        return 0
    print(NO_CHROMIUM, file=sys.stderr)
    return 1 if in_ci(os.environ) else 0


if __name__ == "__main__":
    sys.exit(main())
