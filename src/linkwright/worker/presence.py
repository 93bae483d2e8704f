"""Lets people see which workers there are; decides nothing."""

import os
import socket
from datetime import timedelta

from django.utils import timezone

from linkwright.store.models import WorkerPresence, WorkerRole

FORGOTTEN_AFTER = timedelta(minutes=5)


def announce(role: WorkerRole) -> None:
    """Say that this process is there, and in which role; forget those not seen for minutes."""
    now = timezone.now()
    WorkerPresence.objects.update_or_create(
        host=socket.gethostname()[:255],
        pid=os.getpid(),
        defaults={"role": role, "seen_at": now},
        create_defaults={"role": role, "seen_at": now, "started_at": now},
    )
    WorkerPresence.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()


def take_over() -> None:
    """Strike out every other worker that still counts as active: this one holds the lock."""
    WorkerPresence.objects.filter(role=WorkerRole.ACTIVE).exclude(
        host=socket.gethostname()[:255], pid=os.getpid()
    ).delete()


def leave() -> None:
    """Say that this process goes."""
    WorkerPresence.objects.filter(host=socket.gethostname()[:255], pid=os.getpid()).delete()
