"""Opens the file of an Envelope for reading, and words the errors that name it.

Knows nothing of zips but how large a read can be of use. It must not write.
"""

import io
import os
import stat
from pathlib import Path

from linkwright.envelopes.corruption import CorruptEnvelopeError, CorruptReason, PackageAccessError, bytes_text
from linkwright.envelopes.limits import MAX_DIRECTORY_BYTES, MAX_FILES_COUNT


class PackageFile(io.FileIO):
    """An Envelope's file, opened for reading; no single read can be larger than a directory may be.

    Raises:
        PackageAccessError: (also when reading) there is no such file, it is no plain file, or it cannot be read.
        CorruptEnvelopeError: a larger read is asked for; only a directory that claims such a size does that.
    """

    def __init__(self, path: Path) -> None:
        self.package_path = path
        self.package_name = "".join(character if character.isprintable() else "�" for character in path.name)
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise PackageAccessError(f"{path} is not a plain file. Give the path of an Envelope (a zip file).")
            super().__init__(path, "rb")
            self.package_bytes = os.fstat(self.fileno()).st_size
        except OSError as error:
            raise self._unreadable(error) from error

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = self.package_bytes - self.tell()
        if size > MAX_DIRECTORY_BYTES:
            raise self.corrupt(
                CorruptReason.TOO_LARGE,
                f"the directory of the zip has {bytes_text(size)}; at most {bytes_text(MAX_DIRECTORY_BYTES)} are "
                f"allowed, which is enough for {MAX_FILES_COUNT:,} files. Split the Envelope.",
            )
        try:
            return super().read(size) or b""
        except OSError as error:
            raise self._unreadable(error) from error

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        """Return up to `size_bytes` from `offset`, which must lie within the file."""
        self.seek(offset)
        return self.read(size_bytes)

    def corrupt(self, reason: CorruptReason, text: str) -> CorruptEnvelopeError:
        """Return the error that this Envelope is Corrupt, with its file name before the text."""
        return CorruptEnvelopeError(reason, text).inside(self.package_name)

    def damaged(self, text: str) -> CorruptEnvelopeError:
        """Return the error that the Envelope is damaged, with the remedy behind the text."""
        return self.corrupt(CorruptReason.DAMAGED, f"{text} The zip is damaged: pack it again, or copy it again.")

    def _unreadable(self, error: OSError) -> PackageAccessError:
        return PackageAccessError(
            f"The Envelope {self.package_path} cannot be read ({error.strerror}). Put the file back, or give "
            "Linkwright the right to read it, then retry."
        )
