"""The outbox: what is to be told by e-mail, written in the transaction of what it tells, and the mails made of it.

Neither holds an identifying value, a password or an error's text: names of Envelopes, numbers and addresses only.
"""

from django.db import models
from django.db.models import Q


class Mail(models.Model):
    """One e-mail to one address; once made, it is tried with the same content and the same Message-ID."""

    address = models.CharField(max_length=254)
    message_id = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    # counted before each attempt, so that a crash in between neither repeats at once nor for ever
    not_before = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        """What waits, and what was told an address last, are found without reading what was sent."""

        indexes = [
            models.Index(fields=["not_before"], condition=Q(sent_at=None, given_up_at=None), name="mail_waiting"),
            models.Index(fields=["address", "-created_at"], name="mail_address"),
            models.Index(fields=["given_up_at"], condition=Q(given_up_at__isnull=False), name="mail_given_up"),
        ]

    def __str__(self) -> str:
        return f"Mail {self.pk} to {self.address}"


class MailEvent(models.Model):
    """One thing that an address is to be told; `mail` is empty until a mail takes it."""

    address = models.CharField(max_length=254)
    mail = models.ForeignKey(Mail, on_delete=models.CASCADE, null=True, blank=True, related_name="events")
    # one line, as it stands in the mail; and the page that shows more, relative to the server's address
    text = models.CharField(max_length=500)
    path = models.CharField(max_length=200, blank=True)
    happened_at = models.DateTimeField()

    class Meta:
        """In the order of happening."""

        ordering = ["id"]
        indexes = [models.Index(fields=["address", "id"], condition=Q(mail=None), name="mail_event_waiting")]

    def __str__(self) -> str:
        return self.text
