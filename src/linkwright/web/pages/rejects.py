"""Download of the rows that a Load rejected."""

from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from linkwright.services.download_rejects import NoRejectsError, read_rejects
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, job_or_404, signed_in


@require_GET
def rejects(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """Send the rejected rows of a Load job as CSV: to whoever may send the corrected file."""
    job = job_or_404(signed_in(request), job_id)
    access_of(request).demand(Permission.SUBMIT, job.project_id)
    try:
        found = read_rejects(job, actor_of(request))
    except NoRejectsError as error:
        raise Http404(str(error)) from error
    return FileResponse(found.path.open("rb"), as_attachment=True, filename=found.name, content_type="text/csv")
