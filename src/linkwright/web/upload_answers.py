"""What the upload script is answered: how an upload stands, or why it cannot go on, as JSON."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse

from linkwright.services.kept_file import ReceiveError
from linkwright.services.receive_slice import SLICE_LIMIT_BYTES
from linkwright.services.submit_rights import SubmitRefusedError
from linkwright.services.upload_errors import UploadError
from linkwright.services.upload_folder import Upload

NO_ROOM = 507
View = Callable[..., HttpResponse]


def upload_response(upload: Upload, status: int = 200) -> HttpResponse:
    """Answer with how an upload stands."""
    about = upload.about
    return JsonResponse(
        {
            "id": upload.id,
            "file_name": about.file_name,
            "size_bytes": about.size_bytes,
            "offset_bytes": about.offset_bytes,
            "slice_limit_bytes": SLICE_LIMIT_BYTES,
            "is_finished": bool(about.envelope_id),
        },
        status=status,
    )


def answers_upload_errors(view: View) -> View:
    """Make a view answer what is wrong with an upload in the form that the upload script reads."""

    @wraps(view)
    def answering(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        try:
            return view(request, *arguments, **named)
        except UploadError as error:
            return refusal(str(error), error.status, offset_bytes=error.offset_bytes, again=error.may_be_repeated)
        except ReceiveError as error:
            return refusal(str(error), NO_ROOM)
        except SubmitRefusedError as error:
            raise PermissionDenied(str(error)) from error

    return answering


def refusal(text: str, status: int, *, offset_bytes: int | None = None, again: bool = False) -> HttpResponse:
    """Answer that an upload cannot go on; `again`: the same request may succeed in a moment."""
    return JsonResponse({"message": text, "offset_bytes": offset_bytes, "again": again}, status=status)
