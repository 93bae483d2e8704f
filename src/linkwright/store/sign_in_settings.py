"""The Settings of signing in: wrong passwords, sessions, invitations. Part of store/settings.py."""

from linkwright.store.setting import Setting

SIGN_IN_SETTINGS = (
    Setting(
        "SignIn.Failures",
        default=5,
        minimum=1,
        maximum=1_000,
        help="After so many wrong passwords for one user name, every further try waits, longer each time.",
    ),
    Setting(
        "SignIn.FailuresPerAddress",
        default=20,
        minimum=1,
        maximum=1_000_000,
        help="The same for all user names from one network address. Raise it where a proxy stands before.",
    ),
    Setting(
        "SignIn.LongestWaitSeconds",
        default=900,
        minimum=15,
        maximum=86_400,
        unit="s",
        help="The longest wait after wrong passwords; the first one is 15 s, and it doubles.",
    ),
    Setting(
        "Sessions.IdleMinutes",
        default=480,
        minimum=1,
        maximum=525_600,
        unit="min",
        help="Who does nothing for so long signs in anew; a page that updates itself does not count. Holds "
        "for those who sign in from then on.",
    ),
    Setting(
        "Sessions.MaxHours",
        default=168,
        minimum=1,
        maximum=8_760,
        unit="hours",
        help="So long after signing in, everybody signs in anew. Holds for those who sign in from then on.",
    ),
    Setting(
        "People.InvitationDays",
        default=7,
        minimum=1,
        maximum=365,
        unit="days",
        help="How long the link of an invitation can be used.",
    ),
)
