"""Uploads in slices, for the upload script: begin, ask for the offset, send a slice, abandon. No page of its own.

What a file becomes once it is whole is the affair of the form that it was chosen in: upload.py, submit_file.py.
"""

import re

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from linkwright.config import load_config
from linkwright.services.begin_upload import begin_upload
from linkwright.services.receive_slice import Slice, receive_slice
from linkwright.services.upload_folder import abandon_upload, find_upload
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of
from linkwright.web.upload_answers import answers_upload_errors, refusal, upload_response

_WHOLE = re.compile(r"[0-9]{1,18}")
_SHA256 = re.compile(r"([0-9a-fA-F]{64})?")


@require_POST
@answers_upload_errors
def begin(request: HttpRequest) -> HttpResponse:
    """Announce a file."""
    access_of(request).demand(Permission.SUBMIT)
    file_name, size = request.POST.get("file_name", ""), request.POST.get("size_bytes", "")
    if not file_name.strip() or not _WHOLE.fullmatch(size):
        return refusal("A file_name and its size_bytes are needed. Reload the page and send the file again.", 422)
    upload = begin_upload(file_name, int(size), actor_of(request), load_config())
    return upload_response(upload, status=201)


@require_http_methods(["GET", "PUT", "DELETE"])
@answers_upload_errors
def one(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Say how an upload stands, add a slice to it, or delete it."""
    access_of(request).demand(Permission.SUBMIT)
    actor, config = actor_of(request), load_config()
    if request.method == "DELETE":
        abandon_upload(upload_id, actor, config)
        return HttpResponse(status=204)
    if request.method == "GET":
        return upload_response(find_upload(upload_id, actor, config))
    offset, size = request.headers.get("Upload-Offset", ""), str(request.META.get("CONTENT_LENGTH", ""))
    sha256 = request.headers.get("Content-SHA256", "")
    if not (_WHOLE.fullmatch(offset) and _WHOLE.fullmatch(size) and _SHA256.fullmatch(sha256)):
        return refusal("Upload-Offset and Content-Length must be whole numbers. Reload the page.", 422)
    piece = Slice(int(offset), int(size), request.read, sha256)
    return upload_response(receive_slice(upload_id, piece, actor, config))
