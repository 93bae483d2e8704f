"""The address of the page behind a sign-in link, as the person is sent it."""

from django.urls import reverse

from linkwright.store.settings import read_setting


def invitation_link(token: str, own_address: str) -> str:
    """Return the whole address of the page on which a person chooses a password.

    Args:
        token: of the invitation.
        own_address: by which the server was called, as https://linkage.example.org: used unless the Setting
            Notifications.Email.PagesAddress says how people reach the pages.
    """
    base = str(read_setting("Notifications.Email.PagesAddress")) or own_address
    return f"{base.rstrip('/')}{reverse('invitation', args=[token])}"
