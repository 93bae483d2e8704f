"""The words that stand for stored codes on the pages (SPEC section 1)."""

from linkwright.store.queries.shown_status import ShownStatus

DATA_ACTIONS = {
    "SubmitLinkage": "Linkage",
    "SubmitDeletion": "Deletion",
    "SubmitExtraction": "Extraction",
    "EstimateProbabilities": "Probability estimation",
    "SubmitQualityReview": "Batch quality review",
}

STATUS_HELP = {
    ShownStatus.QUEUED: "Waits for its turn in the Job Queue.",
    ShownStatus.HELD: "An earlier job of this Envelope failed; this one waits for its retry.",
    ShownStatus.SUCCESS_ACTIVE: "Processing, no errors so far.",
    ShownStatus.ERRORS_ACTIVE: "Processing, errors have occurred.",
    ShownStatus.SUCCESS: "Processed.",
    ShownStatus.ERRORS: "Failed; nothing has been changed.",
    ShownStatus.CORRUPT: "Cannot be used and is never retried.",
    ShownStatus.CANCELLED: "Cancelled; nothing has been changed.",
    ShownStatus.ROLLED_BACK: "Undone: as if it had never been loaded.",
}


def icon_of(status: ShownStatus) -> str:
    """Return the id of a status' icon in the sprite: 'SuccessActive' → 'success-active'."""
    return status.name.lower().replace("_", "-")
