"""One file per job kind: reads the catalog, computes through `warehouse`, says what shall be committed.

A job never changes its own row: it reaches the queue only through the context that it is given.
"""
