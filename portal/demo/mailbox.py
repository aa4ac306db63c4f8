"""Reading the development mailbox, as an approver reads their mail."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import requests

from portal.demo.visitor import TIMEOUT_SECONDS, StoryFailed

#: Seconds until a mail must have come.
PATIENCE = 30.0
_LINK = re.compile(r"https?://\S+/a/[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Mail:
    """One mail that somebody got."""

    to: str
    subject: str
    text: str

    @property
    def link(self) -> str:
        """The link to the decision. Raises StoryFailed when the mail has none."""
        found = _LINK.search(self.text)
        if not found:
            message = f"The mail {self.subject!r} to {self.to} has no link to a decision"
            raise StoryFailed(message)
        return found[0]


def wait_for_mail(mailbox_url: str, reference: str, *, not_to: frozenset[str] = frozenset()) -> Mail:
    """The first mail that asks somebody else than `not_to` to decide on the reference."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for mail in _mails(mailbox_url, reference):
            if mail.to not in not_to and _LINK.search(mail.text):
                return mail
        time.sleep(0.3)
    message = f"Nobody got a mail that asks for a decision on {reference} within {PATIENCE:.0f} seconds"
    raise StoryFailed(message)


def _mails(mailbox_url: str, reference: str) -> list[Mail]:
    listed = requests.get(f"{mailbox_url}/api/messages", timeout=TIMEOUT_SECONDS).json()["messages"]
    found = []
    for envelope in listed:
        if reference not in envelope["subject"]:
            continue
        mail = requests.get(f"{mailbox_url}/api/messages/{envelope['id']}", timeout=TIMEOUT_SECONDS).json()
        found.append(Mail(str(mail["recipients"][0]), mail["subject"], mail["text"] or ""))
    return found


def recipients(mailbox_url: str, reference: str) -> set[str]:
    """Everybody who got a mail that asks for a decision on the reference."""
    return {mail.to for mail in _mails(mailbox_url, reference) if _LINK.search(mail.text)}
