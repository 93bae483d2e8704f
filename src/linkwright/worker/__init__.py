"""The worker: a loop that holds the lock and claims, and a child process that runs one job."""
