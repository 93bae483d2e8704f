"""The most memory that this process has had, in MiB.

Not `ru_maxrss`: it begins with what the parent had when it started this process.
"""

from pathlib import Path


def peak_mib() -> float:
    """Return the high-water mark of resident memory, pages of mapped files among them."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
