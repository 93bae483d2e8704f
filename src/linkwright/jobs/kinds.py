"""Which function does the work of which job kind."""

from collections.abc import Callable, Mapping

from linkwright.jobs.backup import run_backup
from linkwright.jobs.compact import run_compact
from linkwright.jobs.context import JobContext, JobResult
from linkwright.jobs.delete import run_delete
from linkwright.jobs.estimate import run_estimate
from linkwright.jobs.extract import run_extract
from linkwright.jobs.group import run_group
from linkwright.jobs.load import run_load
from linkwright.jobs.match import run_match
from linkwright.jobs.purge import run_purge
from linkwright.jobs.report import run_report
from linkwright.jobs.review import run_review
from linkwright.jobs.rollback import run_rollback
from linkwright.jobs.snapshot import run_snapshot
from linkwright.jobs.validate import run_validate
from linkwright.store.models import JobKind

RUN: Mapping[JobKind, Callable[[JobContext], JobResult]] = {
    JobKind.VALIDATE: run_validate,
    JobKind.LOAD: run_load,
    JobKind.MATCH: run_match,
    JobKind.GROUP: run_group,
    JobKind.REPORT: run_report,
    JobKind.ROLLBACK: run_rollback,
    JobKind.DELETE: run_delete,
    JobKind.REVIEW: run_review,
    JobKind.ESTIMATE: run_estimate,
    JobKind.SNAPSHOT: run_snapshot,
    JobKind.EXTRACT: run_extract,
    JobKind.COMPACT: run_compact,
    JobKind.PURGE: run_purge,
    JobKind.BACKUP: run_backup,
}
