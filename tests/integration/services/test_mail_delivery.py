"""E-mails are sent once by a real SMTP server, tried again, bundled and given up."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from linkwright.cli import app
from linkwright.config import load_config, read_email_password
from linkwright.services import deliver_mail, mail_outbox
from linkwright.services.check_system import check_system
from linkwright.services.deliver_mail import (
    deliver_due,
    forget_old_mail,
    pause_after,
    read_mail_state,
    write_letter,
)
from linkwright.services.mail_transport import Letter, send_letter
from linkwright.store.models import (
    AuditLogEntry,
    Mail,
    MailEvent,
    SettingValue,
)
from linkwright.store.settings import SettingError
from tests.integration.services.mailing import ADDRESS, MINUTE, NOW, set_email, tell
from tests.smtp_sink import Sink, self_signed, smtp_sink

pytestmark = pytest.mark.django_db


def test_a_thousand_envelopes_make_two_mails_and_not_a_thousand(sink: Sink) -> None:
    tell("Envelope 1: Success.")
    assert deliver_due(NOW) == 1
    for number in range(2, 1002):
        tell(f"Envelope {number}: Success.")
    assert deliver_due(NOW + MINUTE) == 0
    tell("Envelope 9: Success.", "other@example.org")
    assert deliver_due(NOW + 2 * MINUTE) == 1
    assert deliver_due(NOW + 5 * MINUTE) == 1
    text = sink.mails[2].get_content()
    assert sink.mails[2]["Subject"] == "Linkwright: 1,000 messages, the last: Envelope 1001: Success."
    assert "Envelope 101: Success." in text
    assert "Envelope 102: Success." not in text
    assert "And 900 more" in text
    assert deliver_due(NOW + 60 * MINUTE) == 0


def test_a_server_that_is_away_is_tried_again_after_growing_pauses(sink: Sink) -> None:
    tell("Envelope 1: Success.")
    set_email(Port=_closed_port())
    assert deliver_due(NOW) == 0
    mail = Mail.objects.get()
    assert (mail.attempts, mail.not_before) == (1, NOW + MINUTE)
    assert "127.0.0.1" in mail.last_error
    assert deliver_due(NOW + 0.9 * MINUTE) == 0
    assert deliver_due(NOW + MINUTE) == 0
    set_email(Port=sink.port)
    assert deliver_due(NOW + 2 * MINUTE) == 0
    assert deliver_due(NOW + 3 * MINUTE) == 1
    assert [pause_after(attempts) for attempts in (1, 2, 3, 50)] == [
        MINUTE,
        2 * MINUTE,
        4 * MINUTE,
        timedelta(hours=4),
    ]


def test_a_mail_is_given_up_after_the_last_attempt_and_doctor_says_so(sink: Sink) -> None:
    set_email(MaxAttempts=2, Port=_closed_port())
    tell("Envelope 1: Success.")
    deliver_due(NOW)
    assert read_mail_state().given_up_count == 0
    deliver_due(NOW + MINUTE)
    assert Mail.objects.get().given_up_at is not None
    assert deliver_due(NOW + 600 * MINUTE) == 0
    finding = next(one for one in check_system(load_config()) if one.subject == "e-mail")
    assert not finding.ok
    assert "1 mail(s) of the last 7 days were given up" in finding.text
    tell("Envelope 2: Success.")
    set_email(Port=sink.port)
    assert deliver_due(NOW + 700 * MINUTE) == 1


@pytest.mark.parametrize(("answer", "is_over"), [("550 no such user", True), ("451 later, please", False)])
def test_a_recipient_that_is_refused_for_good_is_given_up_at_once_and_the_others_get_theirs(
    sink: Sink, answer: str, is_over: bool
) -> None:
    sink.refuse_recipient = answer
    tell("Envelope 1: Success.")
    assert deliver_due(NOW) == 0
    mail = Mail.objects.get()
    assert (mail.given_up_at is not None) is is_over
    assert answer in mail.last_error
    sink.refuse_recipient = ""
    tell("Envelope 2: Success.", "other@example.org")
    deliver_due(NOW)
    assert [mail["To"] for mail in sink.mails] == ["other@example.org"]


def test_a_crash_between_sending_and_marking_sends_the_same_mail_once_more_under_the_same_id(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(BaseException):
        pass

    def send_and_die(letter: Letter) -> str:
        send(letter)
        raise PowerCut

    tell("Envelope 1: Success.")
    send = send_letter
    monkeypatch.setattr(deliver_mail, "send_letter", send_and_die)
    with pytest.raises(PowerCut):
        deliver_due(NOW)
    monkeypatch.setattr(deliver_mail, "send_letter", send)
    tell("Envelope 2: Success.")
    # the worker that is started next neither repeats it at once nor mixes it with the next one
    assert deliver_due(NOW) == 0
    assert deliver_due(NOW + MINUTE) == 1
    first, again = sink.mails
    assert first["Message-ID"] == again["Message-ID"]
    assert first.get_content() == again.get_content()


def test_a_server_that_hangs_up_before_it_confirms_is_asked_again(sink: Sink) -> None:
    sink.dies_after_data = True
    tell("Envelope 1: Success.")
    assert deliver_due(NOW) == 0
    sink.dies_after_data = False
    assert deliver_due(NOW + MINUTE) == 1
    assert len({mail["Message-ID"] for mail in sink.mails}) == 1


def test_of_two_senders_one_gets_the_mail(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    tell("Envelope 1: Success.")
    send = send_letter

    def meanwhile(letter: Letter) -> str:
        monkeypatch.setattr(deliver_mail, "send_letter", send)
        assert deliver_due(NOW) == 0
        return send(letter)

    monkeypatch.setattr(deliver_mail, "send_letter", meanwhile)
    assert deliver_due(NOW) == 1
    assert len(sink.mails) == 1


def test_starttls_and_tls_demand_a_certificate_that_is_valid(
    sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = self_signed(tmp_path)
    monkeypatch.setenv("LINKWRIGHT_EMAIL_PASSWORD", "s3cret")
    set_email(User="linkwright", BundleMinutes=0)
    for security, port in (("starttls", 1), ("tls", 2)):
        server = Sink(tls=context, is_tls_from_start=security == "tls", account=("linkwright", "s3cret"))
        with smtp_sink(server):
            set_email(Security=security, Port=server.port)
            tell(f"{security}, not trusted")
            assert deliver_due(NOW + port * MINUTE) == 0
            assert "CERTIFICATE_VERIFY_FAILED" in Mail.objects.latest("pk").last_error
            assert not any(command.startswith("AUTH") for command in server.commands)
            with monkeypatch.context() as patch:
                patch.setenv("SSL_CERT_FILE", str(certificate))
                assert deliver_due(NOW + port * MINUTE + 2 * MINUTE) == 1
            assert [mail["Subject"] for mail in server.mails] == [f"Linkwright: {security}, not trusted"]


def test_the_password_never_goes_to_a_server_that_does_not_encrypt_when_starttls_is_set(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINKWRIGHT_EMAIL_PASSWORD", "s3cret")
    sink.account = ("linkwright", "s3cret")
    set_email(User="linkwright", Security="starttls")
    tell("Envelope 1: Success.")
    assert deliver_due(NOW) == 0
    assert not any(command.startswith("AUTH") for command in sink.commands)
    assert "STARTTLS" in Mail.objects.get().last_error


def test_the_password_comes_from_the_environment_or_a_file_and_is_in_no_table_and_no_message(
    sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_email(User="linkwright")
    tell("Envelope 1: Success.")
    deliver_due(NOW)
    assert "there is no password" in Mail.objects.get().last_error
    (tmp_path / "password").write_text("s3cret-in-a-file\n")
    monkeypatch.setenv("LINKWRIGHT_EMAIL_PASSWORD_FILE", str(tmp_path / "password"))
    assert read_email_password() == "s3cret-in-a-file"
    sink.account = ("linkwright", "another")
    deliver_due(NOW + MINUTE)
    assert "535" in Mail.objects.get().last_error
    sink.account = ("linkwright", "s3cret-in-a-file")
    assert deliver_due(NOW + 3 * MINUTE) == 1
    stored = [*Mail.objects.values(), *MailEvent.objects.values(), *SettingValue.objects.values()]
    assert "s3cret" not in repr([*stored, *AuditLogEntry.objects.values()])


def test_an_address_with_a_line_end_is_given_up_and_reaches_nobody(sink: Sink) -> None:
    tell("Envelope 1: Success.", "a@example.org\nBcc: thief@example.org")
    assert deliver_due(NOW) == 0
    assert Mail.objects.get().given_up_at is not None
    assert sink.mails == []


def test_a_setting_takes_one_line_only() -> None:
    with pytest.raises(SettingError, match="text of one line"):
        set_email(From="a@example.org\nBcc: b@example.org")


def test_mails_can_be_written_into_the_data_folder_instead(sink: Sink) -> None:
    set_email(Delivery="file")
    tell("Envelope 1: Success.")
    assert deliver_due(NOW) == 1
    (path,) = load_config().mail_folder.iterdir()
    assert "Subject: Linkwright: Envelope 1: Success." in path.read_text()
    assert sink.mails == []


def test_nothing_is_sent_while_mails_are_off(sink: Sink) -> None:
    tell("Envelope 1: Success.")
    set_email(Enabled=False)
    assert deliver_due(NOW) == 0
    set_email(Enabled=True)
    assert deliver_due(NOW) == 1


def test_old_mails_are_forgotten_and_waiting_ones_are_not(sink: Sink) -> None:
    tell("Envelope 1: Success.")
    deliver_due(NOW)
    Mail.objects.create(address=ADDRESS, message_id="<w>", created_at=NOW, not_before=NOW)
    assert forget_old_mail(NOW + timedelta(days=29)) == 0
    assert forget_old_mail(NOW + timedelta(days=31)) == 1
    assert MailEvent.objects.count() == 0
    assert Mail.objects.get().message_id == "<w>"


def test_a_letter_is_the_same_each_time_it_is_written(sink: Sink) -> None:
    tell("Envelope 1: Success.")
    mail = Mail.objects.create(address=ADDRESS, message_id="<m>", created_at=NOW, not_before=NOW)
    MailEvent.objects.update(mail=mail)
    assert write_letter(mail) == write_letter(Mail.objects.get())
    assert mail_outbox.one_line("x" * 200, 10) == "xxxxxxxxx…"


def test_a_test_mail_is_sent_now_and_says_what_the_server_said(sink: Sink) -> None:
    set_email(Enabled=False)
    runner = CliRunner()
    sent = runner.invoke(app, ["send-test-mail", ADDRESS])
    assert f"The SMTP server 127.0.0.1:{sink.port} has taken the mail to {ADDRESS}." in sent.output
    assert sink.mails[0]["Subject"] == "Linkwright: test mail"
    sink.refuse_recipient = "550 no such user"
    refused = runner.invoke(app, ["send-test-mail", ADDRESS])
    assert "550 no such user" in str(refused.exception)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
