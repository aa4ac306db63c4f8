"""The whole story over HTTP: ask, approve twice, wait, look at the targets, prove it, and see a forgery fail."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from portal.core.settings import Settings
from portal.demo import checks, orders
from portal.demo.mailbox import recipients, wait_for_mail
from portal.demo.visitor import StoryFailed, Visitor, form_to, form_with

REQUESTER = "beatriz.sousa"
COMPLIANCE = "aicha.benali"
#: Who may be given what; the first that the directory does not hold yet is ordered.
ROLES = ("CRM – Administrator", "ERP – Finance approver", "HR records – Business partner")  # noqa: RUF001
BENEFICIARIES = (REQUESTER, "goncalo.pires", "siobhan.oneill", "mei-ling.chen", "tiago.ferreira")
PATIENCE = 45.0
VERIFY_SECONDS = 60
_REFERENCE = re.compile(r"/requests/(SR-\d{6,})")


@dataclass
class Story:
    """Where the portal is, and what came of the story so far. `tell` gets each step's name and figure."""

    settings: Settings
    mailbox_url: str
    verifier: str
    folder: Path
    tell: Callable[[str, str], None]
    references: dict[str, str] = field(default_factory=dict)
    visitors: dict[str, Visitor] = field(default_factory=dict)

    def visitor(self, user_name: str) -> Visitor:
        """This person, signed in once and remembered."""
        return self.visitors.setdefault(user_name, Visitor(self.settings.public_url, user_name))


def play(story: Story) -> None:
    """Play all of it. Raises StoryFailed at the first step that does not hold."""
    story.folder.mkdir(parents=True, exist_ok=True)
    user_name, role = _not_held(story)
    for ordered in (orders.access(user_name, role), orders.certificate(), orders.rule()):
        _order(story, ordered)
    for slug, reference in story.references.items():
        _approve(story, slug, reference)
    for slug, reference in story.references.items():
        _wait_until_fulfilled(story, slug, reference)
    _look_at_the_targets(story, user_name, role)
    for slug, reference in story.references.items():
        _prove(story, slug, reference)


def _not_held(story: Story) -> tuple[str, str]:
    for role in ROLES:
        for user_name in BENEFICIARIES:
            if not checks.has_role(story.settings, user_name, role):
                return user_name, role
    message = "Everybody of the story has every role already; begin anew with an empty data folder"
    raise StoryFailed(message)


def _order(story: Story, ordered: orders.Ordered) -> None:
    visitor = story.visitor(REQUESTER)
    page = visitor.open(f"/catalogue/{ordered.slug}/request")
    form = form_with(page, next(iter(ordered.answers)))
    answers = {name: _chosen(form.choices.get(name), value) for name, value in ordered.answers.items()}
    review = visitor.send(page, form, **answers)
    if not review.url.endswith("/review"):
        message = f"The form of {ordered.slug} was not accepted: {_problems(review.text)}"
        raise StoryFailed(message)
    shown = visitor.send(review, form_to(review, "/submit"))
    found = _REFERENCE.search(shown.url)
    if not found:
        message = f"Submitting {ordered.slug} led to {shown.url}"
        raise StoryFailed(message)
    story.references[ordered.slug] = found[1]
    for name, content in ordered.keep.items():
        (story.folder / name).write_bytes(content)
    story.tell(f"{REQUESTER} submits {ordered.slug}", found[1])


def _chosen(choices: dict[str, str] | None, value: str) -> str:
    """The value of the choice that people see under this text."""
    if not choices or value in choices:
        return value
    for choice, label in choices.items():
        if value in label:
            return choice
    message = f"The form offers no {value!r}"
    raise StoryFailed(message)


def _approve(story: Story, slug: str, reference: str) -> None:
    asked: set[str] = set()
    for number in ("first", "second"):
        mail = wait_for_mail(story.mailbox_url, reference, not_to=frozenset(asked))
        user_name = mail.to.partition("@")[0]
        visitor = story.visitor(user_name)
        card = visitor.open(mail.link)
        # Before the decision: what it sets off may be in the mailbox by the time that it is answered.
        asked |= recipients(story.mailbox_url, reference)
        after = visitor.send(card, form_with(card, "seal"), decision="approve", comment="")
        if reference not in after.text:
            message = f"After approving {reference} the page is {after.url}"
            raise StoryFailed(message)
        story.tell(f"{user_name} follows the mail and approves {slug}, {number} stage", reference)


def _wait_until_fulfilled(story: Story, slug: str, reference: str) -> None:
    deadline = time.monotonic() + PATIENCE
    started = time.monotonic()
    while time.monotonic() < deadline:
        page = story.visitor(REQUESTER).open(f"/requests/{reference}")
        state = _state_of(page.text)
        if state == "fulfilled":
            story.tell(f"{slug} is fulfilled", f"{time.monotonic() - started:.1f} s")
            return
        if state in {"failed", "rejected", "refused", "withdrawn"}:
            message = f"{reference} is {state}"
            raise StoryFailed(message)
        time.sleep(0.3)
    message = f"{reference} was not fulfilled within {PATIENCE:.0f} seconds; it is {state}"
    raise StoryFailed(message)


def _state_of(text: str) -> str:
    found = re.search(r'data-state="([a-z]+)"', text)
    return found[1] if found else ""


def _look_at_the_targets(story: Story, user_name: str, role: str) -> None:
    if not checks.has_role(story.settings, user_name, role):
        message = f"The directory does not have {user_name} in {role!r}"
        raise StoryFailed(message)
    story.tell("the directory has the person in the role", f"{user_name}, {role}")

    reference = story.references["tls-certificate"]
    visitor = story.visitor(REQUESTER)
    certificate, chain = (
        visitor.open(f"/requests/{reference}/files/{name}").content
        for name in ("certificate.pem", "chain.pem")
    )
    root = load_der_x509_certificate(visitor.open("/pki/root.crt").content).public_bytes(Encoding.PEM)
    said = checks.verify_certificate(story.folder, root, certificate, chain)
    story.tell("openssl verify accepts the certificate", said.rpartition("/")[2])

    commit = checks.commit_of(story.settings, story.references["firewall-rule"])
    checks.check_nftables(story.settings, story.folder)
    story.tell("the firewall's repository has the commit, nft -c accepts the policy", commit[:60])


def _prove(story: Story, slug: str, reference: str) -> None:
    pdf = story.visitor(COMPLIANCE).open(f"/requests/{reference}/evidence.pdf")
    file = story.folder / f"{reference}.pdf"
    file.write_bytes(pdf.content)
    story.tell(f"{COMPLIANCE} downloads the evidence of {slug}", f"{len(pdf.content):,} bytes")

    # As an auditor would: the command alone, with the key that was given by another way.
    verified = _verify(file, story.verifier)
    if verified.returncode:
        message = f"The evidence of {reference} does not verify:\n{verified.stdout}{verified.stderr}"
        raise StoryFailed(message)
    story.tell("countersign verify: it holds", file.name)

    forged = bytearray(pdf.content)
    forged[len(forged) // 2] ^= 0x01
    other = story.folder / f"{reference}-forged.pdf"
    other.write_bytes(bytes(forged))
    if not _verify(other, story.verifier).returncode:
        message = f"The evidence of {reference} verifies although a byte was changed"
        raise StoryFailed(message)
    story.tell("one byte changed: it does not hold", other.name)


def _verify(file: Path, verifier: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portal.cli", "verify", str(file), "--key", verifier],
        capture_output=True,
        text=True,
        timeout=VERIFY_SECONDS,
        check=False,
    )


def _problems(text: str) -> str:
    found = re.findall(r'class="govuk-error-message"[^>]*>(.*?)</p>', text, re.DOTALL)
    return "; ".join(" ".join(re.sub(r"<[^>]+>", " ", part).split()) for part in found)
