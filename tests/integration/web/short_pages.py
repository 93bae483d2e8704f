"""Lists with few rows a page, so that a small world has several pages."""

import pytest

from linkwright.store.queries.envelope_lists import list_envelopes
from linkwright.store.queries.job_lists import list_jobs


def shorten_pages(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Let a page of either list end after so many rows."""
    for read in (list_envelopes, list_jobs):
        monkeypatch.setattr(read, "__kwdefaults__", {**(read.__kwdefaults__ or {}), "limit": limit})
