"""Every table, one concept a file."""

from linkwright.store.models.audit import AuditLogEntry
from linkwright.store.models.batches import Batch, BatchKind, BatchState
from linkwright.store.models.catalog import DataProvider, EventType, ImportFormat
from linkwright.store.models.envelopes import Envelope, EnvelopeReport, EnvelopeState, Notification, Severity
from linkwright.store.models.estimations import Estimation
from linkwright.store.models.jobs import AuditMessage, EndReason, Job, JobEvent, JobKind, JobState
from linkwright.store.models.mail import Mail, MailEvent
from linkwright.store.models.people import Membership, Role, User
from linkwright.store.models.projects import LinkageProject, MatchConfigurationVersion
from linkwright.store.models.queue import QueueState, WorkerPresence, WorkerRole
from linkwright.store.models.settings import SettingValue

__all__ = [
    "AuditLogEntry",
    "AuditMessage",
    "Batch",
    "BatchKind",
    "BatchState",
    "DataProvider",
    "EndReason",
    "Envelope",
    "EnvelopeReport",
    "EnvelopeState",
    "Estimation",
    "EventType",
    "ImportFormat",
    "Job",
    "JobEvent",
    "JobKind",
    "JobState",
    "LinkageProject",
    "Mail",
    "MailEvent",
    "MatchConfigurationVersion",
    "Membership",
    "Notification",
    "QueueState",
    "Role",
    "SettingValue",
    "Severity",
    "User",
    "WorkerPresence",
    "WorkerRole",
]
