"""The read side of the pages: lists with keyset paging, the shown status, what changed. Never writes."""
