"""A small SMTP server inside a test: it takes mails, refuses them, encrypts, or dies, as the test says.

Speaks as much of RFC 5321, STARTTLS and AUTH PLAIN as Python's smtplib asks of a server.
"""

import base64
import io
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


@dataclass
class Sink:
    """What the server does, and what it has seen."""

    port: int = 0
    refuse_recipient: str = ""
    # for AUTH PLAIN: user and password
    account: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    is_tls_from_start: bool = False
    # hang up after a mail was taken, before its sender is told
    dies_after_data: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        """Serve one client."""
        sink = self.server.sink
        if sink.tls is not None and sink.is_tls_from_start:
            self._encrypt(sink.tls)
        self._say("220 sink ready")
        while line := self.rfile.readline().decode().strip():
            sink.commands.append(line)
            if not self._answer(line.upper().split(" ")[0], line):
                return

    def finish(self) -> None:
        """Close the socket that encrypts as well: the server knows only the one that it accepted."""
        super().finish()
        self.connection.close()

    def _answer(self, verb: str, line: str) -> bool:
        sink = self.server.sink
        if verb in ("EHLO", "HELO"):
            offers = ["sink", "8BITMIME"]
            offers += ["STARTTLS"] if sink.tls and not sink.is_tls_from_start else []
            offers += ["AUTH PLAIN"] if sink.account else []
            self._say("\r\n".join(f"250{'-' if offer != offers[-1] else ' '}{offer}" for offer in offers))
        elif verb == "STARTTLS" and sink.tls:
            self._say("220 go ahead")
            self._encrypt(sink.tls)
        elif verb == "AUTH":
            _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
            self._say("235 welcome" if (user, password) == sink.account else "535 wrong user or password")
        elif verb == "RCPT" and sink.refuse_recipient:
            self._say(sink.refuse_recipient)
        elif verb == "DATA":
            return self._take()
        else:
            self._say("221 bye" if verb == "QUIT" else "250 ok")
        return verb != "QUIT"

    def _take(self) -> bool:
        self._say("354 end with a dot")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        sink = self.server.sink
        sink.mails.append(message_from_bytes(b"".join(lines), policy=default))
        if not sink.dies_after_data:
            self._say("250 taken")
        return not sink.dies_after_data

    def _encrypt(self, context: ssl.SSLContext) -> None:
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = io.BufferedWriter(self.connection.makefile("wb", buffering=0))

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
        self.wfile.flush()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, sink: Sink) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.sink = sink

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a client that hangs up on a certificate is what a test wants to see."""


@contextmanager
def smtp_sink(sink: Sink | None = None) -> Iterator[Sink]:
    """Run a server on a free port of 127.0.0.1 for a while."""
    sink = sink or Sink()
    with _Server(sink) as server:
        sink.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join()


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1 with openssl; returns a server's context, and the file to trust."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
