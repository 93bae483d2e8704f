#!/bin/sh
# Prints the first Python that can make Linkwright's environment: 3.11 or newer, with venv and ensurepip.
# PYTHON=/path/to/python names one instead. Each candidate is run, not only looked up: a version manager may put
# names on PATH that do not start.
without_venv=""
for candidate in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        echo "$candidate"
        exit 0
    fi
    without_venv="${without_venv:-$candidate}"
done
if [ -n "$without_venv" ]; then
    echo "$without_venv has no venv and ensurepip modules, which Debian and Ubuntu ship apart from Python." >&2
    echo "Install them ('apt install python3-venv'), then run make again." >&2
else
    echo "No Python 3.11 or newer was found (looked for: ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3})." >&2
    echo "Install one, or name it: 'make demo PYTHON=/path/to/python3'." >&2
fi
exit 1
