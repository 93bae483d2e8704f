"""Turns a person's decision about a group into a Quality Review: a small Envelope that goes through the Job Queue.

So it is processed in its order, stands in the lists, and can be rolled back as any other. What it says is what a
batch quality review can say: records with one target belong together, and leave those that are not listed.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction

from linkwright.config import ServerConfig
from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.services.kept_file import KeptFile, digest_of, new_file_name
from linkwright.services.live_project import LiveProject, find_project, open_live_project
from linkwright.services.receive_envelope import register_envelope
from linkwright.services.search_records import MOST_ID
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Envelope, EventType, LinkageProject
from linkwright.store.permissions import Permission, actor_may
from linkwright.store.queries.attachments import attached_event_types
from linkwright.warehouse.group_links import read_group_links
from linkwright.warehouse.live_files import RecordKey

MOST_REVIEWED = 1_000
MOST_REASON_LENGTH = 500


class ReviewDecision(StrEnum):
    """What a person decides about a group."""

    TOGETHER = "together"
    TAKE_OUT = "take_out"
    EACH_APART = "each_apart"


class ReviewRefusedError(LinkwrightError):
    """The decision cannot be taken as it was asked; nothing was queued."""


@dataclass(frozen=True)
class GroupReview:
    """A decision about a group.

    Args:
        group_id: of the group that was looked at.
        seen: the record ids that it had then.
        decision: together: all its records are one person's, with those of `other_group_id` if one is given;
            take_out: the chosen records leave it, and are one person's; each_apart: each of them is another's.
        chosen: record ids of the group; not looked at for together.
        other_group_id: a group to join with; for together only.
        reason: why; kept with the Envelope and in the audit log.
    """

    group_id: int
    seen: frozenset[int]
    decision: ReviewDecision
    chosen: frozenset[int] = frozenset()
    other_group_id: int | None = None
    reason: str = ""


def review_group(config: ServerConfig, actor: Actor, project_code: str, review: GroupReview) -> Envelope:
    """Queue a decision about a group; return its Envelope.

    Args:
        config: of this server.
        actor: who decides, and from where.
        project_code: of the Linkage Project.
        review: the decision.

    Raises:
        ReviewRefusedError: if whoever asks may not review, gives no reason, chose records that cannot be meant, or
            if the group has changed since it was seen.
        LinkwrightError: if there is no such project (or not for whoever asks), or if a file cannot be read or
            written.
    """
    project = find_project(project_code, actor)
    if not actor_may(actor, Permission.REVIEW, project):
        raise ReviewRefusedError(
            f"To decide about groups you need the permission '{Permission.REVIEW}' in {project.code}. Ask the "
            "project's owner for it."
        )
    if project.why_closed:
        raise ReviewRefusedError(project.why_closed)
    reason = review.reason.strip()
    if not reason or len(reason) > MOST_REASON_LENGTH:
        raise ReviewRefusedError(f"Give a reason, of at most {MOST_REASON_LENGTH} characters.")
    event_type = attached_event_types(project).select_related("provider").first()
    if event_type is None:
        raise ReviewRefusedError(
            f"No Event Type is attached to {project.code}, so that it takes no Envelope. Attach one, then decide."
        )
    with open_live_project(config, project) as live:
        targets = _targets(live, review)
    kept = _build(config, project, event_type, _review_text(project, targets))
    try:
        with transaction.atomic():
            envelope = register_envelope(kept, name=_name(review), actor=actor, reviewed=project, reason=reason)
            _record(actor, project, review, targets, envelope)
    except BaseException:
        kept.path.unlink(missing_ok=True)
        raise
    return envelope


def _record(
    actor: Actor,
    project: LinkageProject,
    review: GroupReview,
    targets: Mapping[RecordKey, str],
    envelope: Envelope,
) -> None:
    record_action(
        actor,
        "review group",
        f"group {review.group_id}",
        project_code=project.code,
        reason=envelope.reason,
        detail={
            "envelope": envelope.pk,
            "group_id": review.group_id,
            "other_group_id": review.other_group_id,
            "decision": review.decision.value,
            "records": [str(key) for key in targets],
        },
    )


def _targets(live: LiveProject, review: GroupReview) -> dict[RecordKey, str]:
    """Return the target of each record that the review lists.

    Raises:
        ReviewRefusedError: see `review_group`.
    """
    members = _members(live, review.group_id)
    if not members or members.keys() != review.seen:
        raise ReviewRefusedError(
            f"Group {review.group_id} has changed since you looked at it. Look at it again, then decide."
        )
    if review.decision is ReviewDecision.TOGETHER:
        listed = {**members, **_others(live, review)}
        if len(listed) == 1:
            raise ReviewRefusedError(f"Group {review.group_id} has one record. Name a group to join it with.")
        targets = dict.fromkeys(listed.values(), "together")
    else:
        chosen = _chosen(review, members)
        apart = review.decision is ReviewDecision.EACH_APART
        targets = {
            members[record_id]: f"apart {place}" if apart else "taken out"
            for place, record_id in enumerate(sorted(chosen), start=1)
        }
    if len(targets) > MOST_REVIEWED:
        raise ReviewRefusedError(
            f"The decision is about {len(targets):,} records; on a page at most {MOST_REVIEWED:,} are decided at "
            "once. Submit a batch quality review."
        )
    return targets


def _others(live: LiveProject, review: GroupReview) -> dict[int, RecordKey]:
    if review.other_group_id is None:
        return {}
    others = {} if review.other_group_id > MOST_ID else _members(live, review.other_group_id)
    if not others or review.other_group_id == review.group_id:
        raise ReviewRefusedError(
            f"{live.project.code} has no other group {review.other_group_id} today. Name one that has records."
        )
    return others


def _chosen(review: GroupReview, members: Mapping[int, RecordKey]) -> frozenset[int]:
    if not review.chosen or not review.chosen <= members.keys():
        raise ReviewRefusedError("Choose the records that leave the group.")
    if review.decision is ReviewDecision.TAKE_OUT and len(review.chosen) == len(members):
        raise ReviewRefusedError(
            "All records of the group are chosen: none would be left to be taken apart from. Choose some of them, "
            "or decide that each is another person's."
        )
    if len(members) == 1:
        raise ReviewRefusedError("The group has one record: there is nothing to take apart.")
    return review.chosen


def _members(live: LiveProject, group_id: int) -> dict[int, RecordKey]:
    return read_group_links(live.limits, live.files, group_id).members


def _review_text(project: LinkageProject, targets: Mapping[RecordKey, str]) -> str:
    """Write the review as a batch quality review is written."""
    broken = [str(key) for key in targets if "\n" in str(key)]
    if broken:
        raise ReviewRefusedError(
            f"{len(broken)} of the records have a line break in the Source Unique ID, which no list of records "
            "can hold. Have their provider correct it."
        )
    text = io.StringIO()
    rows: Sequence[Sequence[str]] = [
        (project.code, key.source_unique_id, key.event_type, target) for key, target in targets.items()
    ]
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _build(config: ServerConfig, project: LinkageProject, event_type: EventType, text: str) -> KeptFile:
    target = config.incoming_folder / new_file_name()
    config.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="review-", dir=config.scratch_folder) as scratch:
        path = Path(scratch) / "review.csv"
        path.write_text(text, encoding="utf-8")
        try:
            build_package(
                target,
                linkage_project=project.code,
                sender=event_type.provider.code,
                request_type=RequestType.SUBMIT_QUALITY_REVIEW,
                # the manifest must name one; the rows of the file name their own
                data=[SourceFile(path=path, event_type_code=event_type.code)],
                compresses=False,
            )
            size_bytes, sha256 = digest_of(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return KeptFile(target, size_bytes, sha256)


def _name(review: GroupReview) -> str:
    if review.other_group_id is not None:
        return f"Review of groups {review.group_id} and {review.other_group_id}"
    return f"Review of group {review.group_id}"
