"""Why an upload in slices is refused: one error each, with the HTTP status that pages and API answer alike.

The offset that the server expects next goes with every error of an upload that is there: from it a sender goes on.
"""

from http import HTTPStatus
from typing import ClassVar

from linkwright.errors import LinkwrightError


class UploadError(LinkwrightError):
    """An upload in slices cannot go on as it was asked.

    Args:
        text: what is wrong, and what to do.
        offset_bytes: how much of the file is kept; None if there is no such upload.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.CONFLICT
    # whether the same request may succeed later
    may_be_repeated: ClassVar[bool] = False

    def __init__(self, text: str, offset_bytes: int | None = None) -> None:
        self.offset_bytes = offset_bytes
        super().__init__(text)


class UploadGoneError(UploadError):
    """There is no such upload, or it is somebody else's."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__(
            "This upload is not here any more: it was cancelled, or left alone for a day. Send the file again "
            "from its beginning."
        )


class UploadRefusedError(UploadError):
    """A file of this size is not taken, or too many uploads are open."""


class SliceTooLargeError(UploadError):
    """The slice is larger than is taken."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UploadUnfitError(UploadError):
    """A slice does not fit into its file."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class UploadOffsetError(UploadError):
    """A slice was repeated, overlaps, or left something out: another offset is expected."""


class UploadBusyError(UploadError):
    """Another request works on the upload; the same one may succeed in a moment."""

    status = HTTPStatus.LOCKED
    may_be_repeated = True


class UploadCrowdedError(UploadError):
    """Too many slices arrive at once; the same request may succeed in a moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    may_be_repeated = True


class SliceBrokenError(UploadError):
    """A slice arrived short, or is not what its checksum says; nothing of it is kept."""

    status = HTTPStatus.BAD_REQUEST
    may_be_repeated = True


class UploadChangedError(UploadError):
    """The whole file is not what its checksum says; it is deleted."""

    status = HTTPStatus.BAD_REQUEST


class SliceTooSlowError(UploadError):
    """A slice took too long."""

    status = HTTPStatus.REQUEST_TIMEOUT
    may_be_repeated = True
