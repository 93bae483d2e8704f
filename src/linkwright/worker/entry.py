"""What a child process calls first: a module so light that the worker and every short command can import it.

The job kinds bring DuckDB, Arrow and SciPy with them, more than a second of imports. Only the fork server, and
through it the children, pay for them.
"""

from importlib import import_module


def run_child(job_id: int, attempt: int) -> None:
    """Run one attempt of one job in this process (see worker/child.py)."""
    import_module("linkwright.worker.child").run_child(job_id, attempt)
