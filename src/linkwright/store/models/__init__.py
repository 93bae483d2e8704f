"""Every table, one concept a file."""

from linkwright.store.models.api_keys import ApiKey
from linkwright.store.models.attachments import ATTACHED, AttachedEventType, AttachmentState
from linkwright.store.models.audit import AuditLogEntry, AuditLogHead
from linkwright.store.models.batches import Batch, BatchKind, BatchState
from linkwright.store.models.catalog import DataProvider, EventType, ImportFormat
from linkwright.store.models.envelopes import (
    ESTIMATION,
    Envelope,
    EnvelopeReport,
    EnvelopeState,
    Notification,
    Severity,
    searchable,
)
from linkwright.store.models.estimations import Estimation
from linkwright.store.models.extractions import (
    ExtractionFormat,
    ExtractionKind,
    ExtractionProject,
    ExtractionResult,
    KeptPart,
    ResultEnd,
)
from linkwright.store.models.jobs import (
    INVISIBLE_KINDS,
    AuditMessage,
    EndReason,
    Job,
    JobEvent,
    JobKind,
    JobState,
)
from linkwright.store.models.mail import Mail, MailEvent
from linkwright.store.models.people import Membership, Role, User
from linkwright.store.models.projects import DefaultMatchVersion, LinkageProject, MatchConfigurationVersion
from linkwright.store.models.queue import QueueState, WorkerPresence, WorkerRole
from linkwright.store.models.removed_paths import RemovedPath
from linkwright.store.models.schedules import ScheduleState
from linkwright.store.models.series import Series
from linkwright.store.models.settings import SettingValue
from linkwright.store.models.sign_ins import Invitation, ProviderIdentity, SignIn, SignInThrottle

__all__ = [
    "ATTACHED",
    "ESTIMATION",
    "INVISIBLE_KINDS",
    "ApiKey",
    "AttachedEventType",
    "AttachmentState",
    "AuditLogEntry",
    "AuditLogHead",
    "AuditMessage",
    "Batch",
    "BatchKind",
    "BatchState",
    "DataProvider",
    "DefaultMatchVersion",
    "EndReason",
    "Envelope",
    "EnvelopeReport",
    "EnvelopeState",
    "Estimation",
    "EventType",
    "ExtractionFormat",
    "ExtractionKind",
    "ExtractionProject",
    "ExtractionResult",
    "ImportFormat",
    "Invitation",
    "Job",
    "JobEvent",
    "JobKind",
    "JobState",
    "KeptPart",
    "LinkageProject",
    "Mail",
    "MailEvent",
    "MatchConfigurationVersion",
    "Membership",
    "Notification",
    "ProviderIdentity",
    "QueueState",
    "RemovedPath",
    "ResultEnd",
    "Role",
    "ScheduleState",
    "Series",
    "SettingValue",
    "Severity",
    "SignIn",
    "SignInThrottle",
    "User",
    "WorkerPresence",
    "WorkerRole",
    "searchable",
]
