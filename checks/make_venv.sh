#!/bin/sh
# Makes the virtual environment $1 unless a working one stands there already.
# A half-made one (an interrupted run, a Python that is gone) is made anew.
set -eu
"$1/bin/python" -m pip --version >/dev/null 2>&1 && exit 0
python=$(sh "$(dirname "$0")/find_python.sh")
"$python" -m venv --clear "$1"
