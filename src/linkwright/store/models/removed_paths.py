"""Files that are to be deleted from disk: written in the transaction that deletes the rows which named them."""

from django.db import models


class RemovedPath(models.Model):
    """A file or folder in the data folder that belongs to nothing any more; the row goes once it is gone."""

    # relative to the data folder
    path = models.CharField(max_length=500)
    removed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.path
