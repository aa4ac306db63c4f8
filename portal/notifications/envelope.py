"""A message as a mail: headers that nothing can be smuggled into, a text part and an HTML part."""

from __future__ import annotations

import re
from datetime import datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from html import escape

import idna

from portal.core.text import header_safe
from portal.notifications.rendering import PORTAL

_ADDRESS = re.compile(
    r"[^\s@<>(),;:\\\"\[\]\x00-\x1f\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?"
)


class _Policy(EmailPolicy):
    """As `email.policy.SMTP`, but with a subject whose words stay apart.

    The library forgets the space between two words of which each must be encoded ("für Aïcha"): readers join
    neighbouring encoded words without a space (RFC 2047 §6.2).
    """

    def fold(self, name: str, value: str) -> str:
        """The header's lines."""
        if name.lower() != "subject" or value.isascii():
            return str(super().fold(name, value))
        # All of it is encoded, and with it its spaces.
        encoded = Header(value, "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {encoded}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        """The same in bytes."""
        if name.lower() != "subject":
            return super().fold_binary(name, value)
        return self.fold(name, value).encode("ascii")


_SMTP = _Policy(linesep="\r\n")


class BadAddress(Exception):
    """No mail can go there."""


def make_mail(
    *,
    message_id: str,
    sender: str,
    recipient_name: str,
    address: str,
    subject: str,
    text: str,
    html: str,
    written_at: datetime,
    public_url: str,
    urgent: bool = False,
    file_name: str = "",
    file_text: str = "",
) -> EmailMessage:
    """The mail, the same for every try. Raises BadAddress when sender or recipient is no address.

    There is no Reply-To: a reply goes to the sender's address and decides nothing.
    """
    mail = EmailMessage(policy=_SMTP)
    mail["From"] = _address(sender)
    mail["To"] = _address_of(recipient_name, address)
    mail["Subject"] = header_safe(subject)
    mail["Date"] = format_datetime(written_at)
    mail["Message-ID"] = header_safe(message_id)
    # RFC 3834: keeps out-of-office answers and mail robots from replying.
    mail["Auto-Submitted"] = "auto-generated"
    if urgent:
        mail["Importance"] = "high"
    mail.set_content(text.replace(PORTAL, public_url))
    mail.add_alternative(html.replace(PORTAL, escape(public_url)), subtype="html")
    if file_name:
        # As bytes: no mail server may change an end of line under a signature.
        mail.add_attachment(
            file_text.encode(), maintype="application", subtype="octet-stream", filename=file_name
        )
    return mail


def _address(text: str) -> Address:
    if text != header_safe(text):
        raise BadAddress("The sender's address holds characters that no header may hold.")
    name, address = parseaddr(text)
    return _address_of(name, address)


def _address_of(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    try:
        spec = f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
        if header_safe(address) != address or not _ADDRESS.fullmatch(spec):
            raise BadAddress(f"{header_safe(address)[:100]!r} is no mail address.")
        return Address(display_name=header_safe(name), addr_spec=spec)
    except (idna.IDNAError, ValueError, MessageError) as error:
        raise BadAddress(f"{header_safe(address)[:100]!r} is no mail address.") from error
