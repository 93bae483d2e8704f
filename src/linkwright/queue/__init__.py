"""The Job Queue: the job table's rules (enqueue, claim, transitions, lock), and nothing of linkage."""
