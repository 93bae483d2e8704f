"""Watches the inbox, one look at a time: takes what has settled and is an Envelope, rejects what is not.

Owns the order of things; how a file is taken, rejected or recognised stands in the files beside this one. Source:
SPEC section 2 (Ways in: the inbox folder).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from linkwright.config import ServerConfig
from linkwright.envelopes.recognise import Kind, recognise
from linkwright.errors import LinkwrightError
from linkwright.services.inbox_look import InboxMemory, Look, Settled
from linkwright.services.inbox_reject import reject
from linkwright.services.inbox_settings import InboxSettings, folder_fault
from linkwright.services.inbox_status import InboxStatus, read_inbox_status, write_inbox_status
from linkwright.services.inbox_take import finish_taking, leftovers, take
from linkwright.services.receive_envelope import shown_name
from linkwright.store.models import Envelope

logger = logging.getLogger(__name__)


@dataclass
class InboxWatch:
    """The watch of one worker.

    Args:
        config: of this server.
        go_on: called between any two steps; what it raises ends the look, and nothing is lost.
    """

    config: ServerConfig
    go_on: Callable[[], None]
    _memory: InboxMemory = field(default_factory=InboxMemory)
    _status: InboxStatus = field(default_factory=InboxStatus)
    _written: InboxStatus | None = None
    _unfinished_count: int = 0
    _rejected_count: int = 0
    _problem: str = ""

    def __post_init__(self) -> None:
        """Go on with what the last watch has told."""
        self._status = read_inbox_status(self.config)

    def look(self, settings: InboxSettings, now_s: float) -> None:
        """Finish what was broken off, then look at the inbox once.

        Args:
            settings: in force now.
            now_s: of a clock that only goes forward.

        Raises:
            DatabaseError: if the database cannot be used.
        """
        self._unfinished_count, self._rejected_count, self._problem = 0, 0, ""
        self._finish_leftovers()
        look = self._look(settings, now_s) if settings.enabled else Look()
        for settled in look.settled:
            self.go_on()
            self._deal_with(settled, settings)
        self._tell(
            replace(
                self._status,
                folder=str(settings.folder) if settings.enabled else "",
                problem=self._problem,
                settling_count=look.settling_count,
                unfinished_count=self._unfinished_count,
                subfolders_count=look.subfolders_count,
                rejected_count=look.rejected_count + self._rejected_count,
            )
        )

    def _look(self, settings: InboxSettings, now_s: float) -> Look:
        folder = settings.folder
        fault = folder_fault(folder, self.config)
        if fault:
            self._problem = fault
            return Look()
        try:
            if folder.is_relative_to(self.config.home):
                # elsewhere it may be a network share that is not there at the moment
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._memory.look(folder, settle_s=settings.settle_s, now_s=now_s)
        except OSError as error:
            self._problem = (
                f"The inbox {folder} cannot be read ({error.strerror}). Bring the folder back, or give the user "
                "that runs Linkwright the right to read and write it."
            )
            return Look()

    def _finish_leftovers(self) -> None:
        for folder in leftovers(self.config):
            try:
                self._taken(finish_taking(folder, self.config, self.go_on))
            except (DatabaseError, InterfaceError):
                raise
            except (LinkwrightError, OSError) as error:
                self._problem = str(error)

    def _deal_with(self, settled: Settled, settings: InboxSettings) -> None:
        """Take, reject or leave one entry; what is wrong with one keeps no other from being taken."""
        path = settled.path
        try:
            if settled.special_text:
                self._reject(path, f"It is {settled.special_text}")
                return
            recognised = recognise(path)
            if recognised.kind is Kind.ENVELOPE:
                self._taken(take(path, self.config, self.go_on))
            elif recognised.kind is Kind.FOREIGN or settled.unchanged_s >= settings.unfinished_s:
                self._reject(path, recognised.text)
            else:
                self._unfinished_count += 1
                return
        except (DatabaseError, InterfaceError):
            raise
        except FileNotFoundError:
            # somebody took it away
            pass
        except OSError as error:
            self._problem = (
                f"{shown_name(path.name)} cannot be moved out of {path.parent} ({error.strerror}). Give the user "
                "that runs Linkwright the right to write that folder."
            )
            self._unfinished_count += 1
            return
        except LinkwrightError as error:
            self._problem = str(error)
            self._unfinished_count += 1
            return
        self._memory.forget(path)

    def _reject(self, path: Path, reason: str) -> None:
        where = reject(path, reason)
        self._rejected_count += 1
        logger.warning("inbox: %s was rejected: %s", shown_name(str(where)), reason)

    def _taken(self, envelope: Envelope | None) -> None:
        if envelope is not None:
            self._status = replace(
                self._status,
                last_envelope_id=envelope.pk,
                last_name=envelope.name,
                last_at=timezone.now().isoformat(),
            )

    def _tell(self, status: InboxStatus) -> None:
        if status.problem and status.problem != self._status.problem:
            logger.warning("inbox: %s", status.problem)
        elif self._status.problem and not status.problem:
            logger.warning("inbox: %s can be used again", status.folder)
        self._status = status
        if status != self._written:
            write_inbox_status(self.config, status)
            self._written = status
