"""How the inbox is set up at this moment, and whether the folder is one that can be an inbox."""

from dataclasses import dataclass
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.store.settings import read_settings

# the folder below the inbox for what is not taken, and the end of the name of the text beside each file
REJECTED = "rejected"
REASON_ENDING = ".reason.txt"


@dataclass(frozen=True)
class InboxSettings:
    """The Settings that begin with `Inbox.`; the folder is absolute."""

    enabled: bool
    folder: Path
    settle_s: float
    poll_s: float
    unfinished_s: float


def read_inbox_settings(config: ServerConfig) -> InboxSettings:
    """Read the Settings in force."""
    values = read_settings("Inbox.")
    # joining an absolute path gives that path
    folder = config.home / str(values["Inbox.Folder"]).strip()
    return InboxSettings(
        enabled=bool(values["Inbox.Enabled"]),
        folder=folder,
        settle_s=float(values["Inbox.SettleSeconds"]),
        poll_s=float(values["Inbox.PollSeconds"]),
        unfinished_s=float(values["Inbox.UnfinishedSeconds"]),
    )


def folder_fault(folder: Path, config: ServerConfig) -> str:
    """Return why a folder cannot be the inbox, or '': Linkwright's own files must never lie in it."""
    resolved = folder.resolve()
    own = (
        config.incoming_folder,
        config.warehouse_folder,
        config.scratch_folder,
        config.taking_folder,
        config.waiting_folder,
    )
    if config.home.is_relative_to(resolved) or any(resolved.is_relative_to(each) for each in own):
        return (
            f"{folder} holds Linkwright's own files and cannot be the inbox. Set Inbox.Folder to a folder of its "
            "own."
        )
    return ""
