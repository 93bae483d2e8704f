"""Holds the lock files to pyproject.toml: every requirement pinned, hashed, and no address of any index named.

Compares text; asks no index. `make lock` writes what is compared here.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RENEW = "run 'make lock'"
ADDRESS = re.compile(r"[a-z][a-z+]*://|^\s*(?:-i|-f|--(?:extra-)?index-url|--find-links|--trusted-host)\b|@\s*/")


def pinned_requirements(lock: str) -> dict[str, list[Requirement]]:
    """Return the pins of a lock file by package; one package may have several, each for other Pythons."""
    pins: dict[str, list[Requirement]] = {}
    for line in lock.replace("\\\n", " ").splitlines():
        text = line.partition(" --hash")[0].strip()
        if text and not text.startswith(("#", "-")):
            requirement = Requirement(text)
            pins.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pins


def demanded_requirements(
    pyproject: dict[str, Any], extras: Iterable[str], groups: Iterable[str]
) -> list[Requirement]:
    """Return what pyproject.toml asks for: the dependencies, and those of the named extras and groups."""
    project = pyproject["project"]
    texts: list[str] = list(project["dependencies"])
    for extra in extras:
        texts.extend(project["optional-dependencies"][extra])
    for group in groups:
        texts.extend(pyproject["dependency-groups"][group])
    return [Requirement(text) for text in texts]


def pin_faults(name: str, lock: str, demanded: Iterable[Requirement]) -> Iterator[str]:
    """Say which demanded packages the lock lacks, or pins at a version that is not allowed any more."""
    pins = pinned_requirements(lock)
    for requirement in demanded:
        found = pins.get(canonicalize_name(requirement.name), [])
        if not found:
            yield f"{name}: {requirement.name} is asked for in pyproject.toml, but not pinned; {RENEW}"
        for pin in found:
            version = str(pin.specifier).removeprefix("==")
            if not requirement.specifier.contains(version, prereleases=True):
                yield f"{name}: {pin.name} is pinned at {version}, pyproject.toml allows {requirement}; {RENEW}"


def text_faults(name: str, lock: str) -> Iterator[str]:
    """Say which lines name an address, and which packages are not pinned exactly or lack a hash."""
    for number, line in enumerate(lock.splitlines(), start=1):
        if ADDRESS.search(line):
            yield f"{name}:{number}: names an address ({line.strip()}); a lock must work with any index; {RENEW}"
    for line in lock.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#") and ("==" not in line or "--hash=sha256:" not in line):
            yield f"{name}: not pinned with version and hash: {line.strip()}; {RENEW}"


def agreement_faults(runtime: str, dev: str) -> Iterator[str]:
    """Say which packages the tests would use in another version than the product."""
    dev_pins = pinned_requirements(dev)
    for name, pins in pinned_requirements(runtime).items():
        if {str(pin.specifier) for pin in pins} != {str(pin.specifier) for pin in dev_pins.get(name, [])}:
            yield f"requirements: {name} is pinned differently in runtime.txt and dev.txt; {RENEW}"


def lock_faults(root: Path) -> list[str]:
    """Return every fault of the lock files under `root`."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = (root / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    dev = (root / "requirements" / "dev.txt").read_text(encoding="utf-8")
    every_extra = pyproject["project"]["optional-dependencies"]
    return [
        *pin_faults("runtime.txt", runtime, demanded_requirements(pyproject, ["demo"], ["build"])),
        *pin_faults("dev.txt", dev, demanded_requirements(pyproject, every_extra, ["build", "dev"])),
        *text_faults("runtime.txt", runtime),
        *text_faults("dev.txt", dev),
        *agreement_faults(runtime, dev),
    ]


def main() -> int:
    """Print the faults; return the exit code."""
    faults = lock_faults(ROOT)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
