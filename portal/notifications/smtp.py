"""The mail server: what SMTP_URL says about it, and handing it one mail."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import parse_qsl, unquote, urlsplit

from portal.core.development import is_loopback
from portal.core.errors import SettingsError

TIMEOUT_SECONDS = 15
_PORTS = {"smtp": 25, "smtps": 465}
_PERMANENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail is handed over. `tls` means from the first byte, `starttls` after the greeting, else in the clear."""

    host: str
    port: int
    tls: bool
    starttls: bool
    user: str = ""
    password: str = ""


class SendingFailed(Exception):
    """The server did not take the mail. `permanent` says that it never will."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


def read_smtp_url(url: str) -> SmtpServer:
    """The server of `smtp://[user:password@]host[:port][?starttls=yes]` or `smtps://…`. Raises SettingsError.

    A password never travels in the clear to another machine: that is refused here.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(
            "SMTP_URL cannot be read; write it like smtp://host:25 or smtps://host:465."
        ) from error
    options = dict(parse_qsl(parts.query))
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in {"", "/"} or parts.fragment:
        raise SettingsError("SMTP_URL must look like smtp://host:25 or smtps://user:password@host:465.")
    if set(options) - {"starttls"} or options.get("starttls", "yes") not in {"yes", "no"}:
        raise SettingsError("SMTP_URL takes one option, starttls=yes.")
    server = SmtpServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp" and options.get("starttls") == "yes",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
    if server.user and not (server.tls or server.starttls or is_loopback(server.host)):
        raise SettingsError("SMTP_URL would send a password in the clear; use smtps:// or add ?starttls=yes.")
    return server


def send(server: SmtpServer, mail: EmailMessage) -> None:
    """Hand over one mail. Raises SendingFailed; unless it is permanent, the same mail may be tried again.

    A connection that breaks after the mail was handed over leaves it unknown whether it was taken. It is then
    sent again with the same Message-ID, by which mail servers and readers know a copy.
    """
    where = f"The mail server {server.host}:{server.port}"
    try:
        with _connect(server) as smtp:
            smtp.send_message(mail)
    except smtplib.SMTPAuthenticationError as error:
        raise SendingFailed(f"{where} did not accept the user and password of SMTP_URL.") from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        permanent = bool(codes) and all(code >= _PERMANENT for code in codes)
        raise SendingFailed(f"{where} refused the recipient ({codes}).", permanent=permanent) from error
    except smtplib.SMTPNotSupportedError as error:
        raise SendingFailed(f"{where} cannot do what this mail needs: {error}.", permanent=True) from error
    except smtplib.SMTPResponseException as error:
        permanent = error.smtp_code >= _PERMANENT
        raise SendingFailed(f"{where} answered {error.smtp_code}.", permanent=permanent) from error
    except (OSError, smtplib.SMTPException) as error:
        raise SendingFailed(f"{where} could not be reached: {type(error).__name__}.") from error


def _connect(server: SmtpServer) -> smtplib.SMTP:
    if server.tls:
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        if server.starttls:
            smtp.starttls(context=ssl.create_default_context())
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp
