"""Download of an Envelope as it was received."""

from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from linkwright.services.download_envelope import EnvelopeFileGoneError, download_envelope
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, envelope_or_404, signed_in


@require_GET
def download(request: HttpRequest, envelope_id: int) -> HttpResponseBase:
    """Send the zip: to whoever may see identifying values, for it holds them."""
    envelope = envelope_or_404(signed_in(request), envelope_id)
    access_of(request).demand(Permission.SEE_IDENTIFYING_VALUES, envelope.project_id)
    try:
        found = download_envelope(envelope, actor_of(request))
        stream = found.path.open("rb")
    except (EnvelopeFileGoneError, FileNotFoundError) as error:
        raise Http404(str(error)) from error
    response = FileResponse(stream, as_attachment=True, filename=found.name, content_type="application/zip")
    response.headers["Cache-Control"] = "private, no-store"
    return response
