"""Submits small Envelopes while workers are being killed: a process of its own, on the same database.

Run as `python -m tests.torture.submitter FOLDER`, with the environment of the system under test. Keeps a few
Envelopes in the queue until its standard input is closed.
"""

import sys
import threading
import time
from pathlib import Path

import django

AHEAD = 3
POLL_S = 0.05


def main(folder: Path) -> None:
    """Submit until standard input ends."""
    # after django.setup, which models need
    from linkwright.services.receive_envelope import receive_envelope  # noqa: PLC0415
    from linkwright.store.audit_log import COMMAND_LINE  # noqa: PLC0415
    from linkwright.store.models import Envelope, EnvelopeState  # noqa: PLC0415
    from tests.small_envelopes import build_small_envelope  # noqa: PLC0415

    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    number = 0
    while not ended.is_set():
        if Envelope.objects.filter(state=EnvelopeState.QUEUED).count() < AHEAD:
            receive_envelope(build_small_envelope(folder, number), name="", actor=COMMAND_LINE)
            number += 1
        else:
            time.sleep(POLL_S)


if __name__ == "__main__":
    django.setup()
    main(Path(sys.argv[1]))
