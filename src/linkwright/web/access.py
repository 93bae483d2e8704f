"""What the signed-in person may do, looked up once a request; and the things that exist for them, or 404."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from linkwright.store.audit_log import Actor
from linkwright.store.models import Envelope, Job, LinkageProject, User
from linkwright.store.permissions import Permission, find_visible_project, held_permissions
from linkwright.store.queries.envelope_lists import visible_envelopes
from linkwright.store.queries.job_lists import visible_jobs


class Access:
    """One person's rights during one request, looked up once: a list asks the same for every row."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._held: dict[int, frozenset[Permission]] | None = None

    def may(self, permission: Permission, project_id: int | None = None) -> bool:
        """Tell whether the person holds a permission in a project; without one, in any project."""
        if self.user.is_superuser and self.user.is_active:
            return True
        if self._held is None:
            self._held = held_permissions(self.user)
        if project_id is None:
            return any(permission in held for held in self._held.values())
        return permission in self._held.get(project_id, frozenset())

    def may_see_values(self, project_id: int | None) -> bool:
        """Tell whether the person may see what identifies people in a project's data."""
        return self.may(Permission.SEE_IDENTIFYING_VALUES, project_id)

    def demand(self, permission: Permission, project_id: int | None = None) -> None:
        """Refuse with 403 unless the person holds the permission."""
        if not self.may(permission, project_id):
            where = "in this project" if project_id is not None else "here"
            raise PermissionDenied(f"Your role does not hold the permission '{permission}' {where}.")

    def demand_administrator(self) -> None:
        """Refuse with 403 unless the person is an Administrator: what concerns every project is no role's."""
        if not self.user.is_superuser:
            raise PermissionDenied("This is for Administrators.")


def signed_in(request: HttpRequest) -> User:
    """Return the person; the sign-in middleware lets nobody else through."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def access_of(request: HttpRequest) -> Access:
    """Return the rights of whoever asks."""
    return Access(signed_in(request))


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts, and from which network address."""
    return Actor(user=signed_in(request), origin=request.META.get("REMOTE_ADDR", ""))


def envelope_or_404(user: User, envelope_id: int) -> Envelope:
    """Return an Envelope that exists for the person."""
    envelope = visible_envelopes(user).select_related("project").filter(pk=envelope_id).first()
    if envelope is None:
        raise Http404(f"There is no Envelope {envelope_id}.")
    return envelope


def job_or_404(user: User, job_id: int) -> Job:
    """Return a job that exists for the person."""
    job = visible_jobs(user).select_related("envelope", "project").filter(pk=job_id).first()
    if job is None:
        raise Http404(f"There is no job {job_id}.")
    return job


def project_or_404(user: User, code: str) -> LinkageProject:
    """Return a project that the person belongs to."""
    project = find_visible_project(user, code)
    if project is None:
        raise Http404(f"There is no Linkage Project {code}.")
    return project
