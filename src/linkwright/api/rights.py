"""Who calls, with which key, and what they may do; and how often keys that are wrong may be tried.

Keys are the only way in: no cookie opens the API, so no page of others can use a signed-in browser for it
(docs/decisions/0021).
"""

import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from http import HTTPStatus

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from ninja.security import HttpBearer

from linkwright.errors import LinkwrightError
from linkwright.services.use_api_key import ApiKeyError, use_api_key
from linkwright.store.audit_log import Actor
from linkwright.store.models import ApiKey, Envelope, Job, LinkageProject, User
from linkwright.store.permissions import Permission, actor_may, visible_projects
from linkwright.store.queries.envelope_lists import visible_envelopes
from linkwright.store.queries.job_lists import visible_jobs

FAILURES_ALLOWED = 20
FAILURES_WITHIN_S = 60.0
_ADDRESSES_KEPT = 10_000


class NoKeyError(LinkwrightError):
    """No key, or one that opens nothing."""


class TooManyFailuresError(LinkwrightError):
    """Too many wrong keys came from one address; `wait_s` is how long to wait."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(
            f"More than {FAILURES_ALLOWED} requests with a wrong API key came from your address within a minute. "
            f"Wait {wait_s:.0f} seconds, and correct the key."
        )


class FailedKeys:
    """Counts wrong keys by network address, in this process.

    A key that is right is never held up: 256 random bits cannot be found by trying, whereas a stranger behind the
    same proxy must not lock others out. What this saves is the log and the database.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, address: str, now_s: float | None = None) -> float:
        """Count one failure; returns the seconds to wait, 0 while there are few."""
        now = time.monotonic() if now_s is None else now_s
        with self._lock:
            times = self._failures.setdefault(address, deque(maxlen=FAILURES_ALLOWED + 1))
            self._failures.move_to_end(address)
            times.append(now)
            while len(self._failures) > _ADDRESSES_KEPT:
                self._failures.popitem(last=False)
            oldest = times[0]
            is_over = len(times) > FAILURES_ALLOWED and now - oldest < FAILURES_WITHIN_S
            return FAILURES_WITHIN_S - (now - oldest) if is_over else 0.0

    def forget(self) -> None:
        """Start anew."""
        with self._lock:
            self._failures.clear()


failed_keys = FailedKeys()


@dataclass(frozen=True)
class Caller:
    """Who calls during one request."""

    key: ApiKey
    actor: Actor

    @property
    def user(self) -> User:
        """The person whose key it is."""
        return self.key.user

    def may(self, permission: Permission, project: LinkageProject | None = None) -> bool:
        """Tell whether they hold a permission in a project; without one, in any."""
        return actor_may(self.actor, permission, project)

    def demand(self, permission: Permission, project: LinkageProject | None = None) -> None:
        """Refuse with 403 unless they hold the permission."""
        if not self.may(permission, project):
            where = f" in {project.code}" if project is not None else ""
            narrowed = "" if self.actor.permissions is None else ", or this key is narrowed to less than it holds"
            raise PermissionDenied(f"Your role does not hold the permission '{permission}'{where}{narrowed}.")

    def demand_administrator(self) -> None:
        """Refuse with 403 unless they are an Administrator: what concerns every project is no role's.

        Nor is it any permission's: a key that is narrowed does not reach it.
        """
        if not self.user.is_superuser:
            raise PermissionDenied("This is for Administrators.")
        if self.actor.permissions is not None:
            raise PermissionDenied("This is for Administrators, and this key is narrowed. Use one that is not.")

    def demand_whole_key(self) -> None:
        """Refuse with 403 if the key is narrowed: one that could make keys could make itself a wider one."""
        if self.actor.permissions is not None:
            raise PermissionDenied("API keys are looked after with a key that is not narrowed; this one is.")


class ApiKeyAuth(HttpBearer):
    """Reads `Authorization: Bearer lw_...`."""

    def __call__(self, request: HttpRequest) -> Caller:
        """Return who calls.

        Raises:
            NoKeyError: without a key, or with one that opens nothing.
            TooManyFailuresError: after too many of these.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NoKeyError(
                "Send an API key in the header 'Authorization: Bearer lw_...'. Keys are made under 'API keys' in "
                "the person menu, or by `linkwright create-api-key`."
            )
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Look the key up."""
        address = request.META.get("REMOTE_ADDR", "")
        try:
            used = use_api_key(token, address)
        except ApiKeyError as error:
            wait_s = failed_keys.note(address)
            if wait_s:
                raise TooManyFailuresError(wait_s) from error
            raise NoKeyError(str(error)) from error
        return Caller(used.key, used.actor)


def caller_of(request: HttpRequest) -> Caller:
    """Return who calls; authentication has come before."""
    caller = getattr(request, "auth", None)
    if not isinstance(caller, Caller):
        raise NoKeyError(HTTPStatus.UNAUTHORIZED.phrase)
    return caller


def reader_of(request: HttpRequest) -> Caller:
    """Return who calls, if their key may read: one that is narrowed needs 'see jobs' for that."""
    caller = caller_of(request)
    permissions = caller.actor.permissions
    if permissions is not None and Permission.SEE_JOBS not in permissions:
        raise PermissionDenied(f"This key is narrowed, and '{Permission.SEE_JOBS}' is not among its permissions.")
    return caller


def envelope_or_404(caller: Caller, envelope_id: int) -> Envelope:
    """Return an Envelope that exists for the person."""
    envelope = visible_envelopes(caller.user).select_related("project").filter(pk=envelope_id).first()
    if envelope is None:
        raise Http404(f"There is no Envelope {envelope_id}.")
    return envelope


def job_or_404(caller: Caller, job_id: int) -> Job:
    """Return a job that exists for the person."""
    job = visible_jobs(caller.user).select_related("envelope", "project").filter(pk=job_id).first()
    if job is None:
        raise Http404(f"There is no job {job_id}.")
    return job


def project_or_404(caller: Caller, code: str) -> LinkageProject:
    """Return a project that the person belongs to."""
    project = visible_projects(caller.user).filter(code=code).first()
    if project is None:
        raise Http404(f"There is no Linkage Project {code}.")
    return project
