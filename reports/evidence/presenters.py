"""What the page shows, made from the document alone, so that the verifier can make the same page again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from catalog.requests.answers import AnswerLine
from portal.audit.notes import Head, NoteError, fingerprint, read_head, read_verifier_key
from portal.core.canonical import digest
from portal.core.language import _, language, spoken
from reports.evidence.beside import BesideRow, beside_rows
from reports.evidence.claims import Claim, claim_of
from reports.evidence.deviations import deviations_of
from reports.evidence.document import Evidence
from reports.evidence.offering import answers_shown, offering_name
from reports.evidence.proven import Proven
from reports.evidence.tables import (
    DecisionRow,
    EntryRow,
    Rows,
    StageRow,
    StepCard,
    decision_rows,
    entry_rows,
    stage_row,
    step_card,
)
from reports.evidence.tags import KEY_INTRODUCED
from reports.evidence.timeline import Drawing, drawings_of
from reports.evidence.words import RISKS, spoken_time


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template shows."""

    evidence: Evidence
    claim: Claim
    offering: str
    head: Head
    ledger_fingerprint: str
    certificate: str
    json_digest: str
    as_of: str
    summary: Rows
    risk: Mapping[str, Any]
    #: The risk's level as a message.
    risk_level: str
    seals: tuple[tuple[str, str, str], ...]
    drawings: tuple[Drawing, ...]
    stages: tuple[StageRow, ...]
    decisions: tuple[DecisionRow, ...]
    beside: tuple[BesideRow, ...]
    steps: tuple[StepCard, ...]
    entitlements: tuple[Rows, ...]
    entries: tuple[EntryRow, ...]
    answers: tuple[AnswerLine, ...]
    deviations: tuple[str, ...]
    #: What stands around a page's number: before it, before how many there are, after that.
    furniture: tuple[str, str, str]
    language: str


def page_of(evidence: Evidence) -> Page:
    """The page. Raises NoteError when the ledger's key or checkpoint cannot be read."""
    _name, key = _verifier(evidence)
    last = evidence.sealings[-1].document if evidence.sealings else {}
    risk = last.get("risk") or {}
    several = len(evidence.sealings) > 1
    return Page(
        evidence=evidence,
        claim=claim_of(evidence),
        offering=offering_name(evidence),
        head=read_head(evidence.ledger.checkpoint),
        ledger_fingerprint=fingerprint(key),
        certificate=certificate_of(evidence),
        json_digest=digest(evidence.model_dump(mode="json")),
        as_of=spoken_time(evidence.as_of),
        summary=_summary(evidence),
        risk=risk,
        risk_level=RISKS.get(str(risk.get("level")), str(risk.get("level"))),
        seals=tuple(
            (str(sealing.revision), spoken_time(sealing.sealed_at), sealing.seal)
            for sealing in evidence.sealings
        ),
        drawings=drawings_of(evidence),
        stages=tuple(stage_row(evidence, stage, several=several) for stage in evidence.stages),
        decisions=decision_rows(evidence),
        beside=beside_rows(evidence),
        steps=tuple(step_card(evidence, step, several=several) for step in evidence.steps),
        entitlements=tuple(_entitlement(evidence, number) for number in range(len(evidence.entitlements))),
        entries=entry_rows(evidence),
        answers=answers_shown(evidence),
        deviations=tuple(deviations_of(evidence)),
        furniture=furniture(),
        language=language(),
    )


def furniture() -> tuple[str, str, str]:
    """The words around a page's number at its foot, in the language that is spoken."""
    number, count = "\ue000", "\ue001"
    before, _number, rest = _("Page %(number)s of %(count)s", number=number, count=count).partition(number)
    between, _count, after = rest.partition(count)
    return before, between, after


def certificate_of(evidence: Proven) -> str:
    """The fingerprint of the certificate that the ledger names for signing files; empty when it names none."""
    named = [
        str(entry.body.get("facts", {}).get("certificate", ""))
        for entry in evidence.ledger.entries
        if entry.body.get("tag") == KEY_INTRODUCED
    ]
    return named[-1] if named else ""


def grouped(text: str) -> str:
    """A digest in groups of eight, so that eyes can compare it."""
    kind, _, digits = text.rpartition(":")
    groups = " ".join(digits[start : start + 8] for start in range(0, len(digits), 8))
    return f"{kind}: {groups}" if kind else groups


def _verifier(evidence: Evidence) -> tuple[str, Ed25519PublicKey]:
    try:
        return read_verifier_key(evidence.ledger.verifier)
    except (TypeError, UnicodeError) as error:
        raise NoteError("The ledger's key cannot be read") from error


def _summary(evidence: Evidence) -> Rows:
    request = evidence.request
    words = {
        "name": evidence.person(request.requester),
        "whom": evidence.person(request.beneficiary),
        "unit": request.unit,
    }
    who = (
        _("%(name)s asked, for themselves (%(unit)s)", **words)
        if request.beneficiary == request.requester
        else _("%(name)s asked, for %(whom)s (%(unit)s)", **words)
    )
    rows = [
        (_("Who"), who),
        (_("What"), spoken(request.title)),
        (_("Why"), request.reason or _("No reason was asked for.")),
        (_("Submitted"), spoken_time(request.submitted_at)),
        (_("Promised by"), spoken_time(request.promised_by) if request.promised_by else ""),
        (_("Decided"), spoken_time(request.decided_at) if request.decided_at else ""),
        (_("Fulfilled"), spoken_time(request.fulfilled_at) if request.fulfilled_at else ""),
        (_("Closed"), spoken_time(request.closed_at) if request.closed_at else ""),
        (_("Ends"), spoken_time(request.ends_at) if request.ends_at else ""),
        (_("Outcome in words"), spoken(request.outcome)),
    ]
    return tuple((name, text) for name, text in rows if text)


def _entitlement(evidence: Evidence, number: int) -> Rows:
    entitlement = evidence.entitlements[number]
    until = spoken_time(entitlement.ends_at) if entitlement.ends_at else _("No end")
    rows = [
        (_("What"), spoken(entitlement.label)),
        (_("Where"), entitlement.target),
        (_("Holder"), evidence.person(entitlement.holder)),
        (_("Since"), spoken_time(entitlement.granted_at)),
        (_("Until"), until),
        (_("Ended"), spoken_time(entitlement.ended_at) if entitlement.ended_at else ""),
        (_("Why it ended"), spoken(entitlement.end_reason)),
        (_("On the target"), entitlement.key),
    ]
    return tuple((name, text) for name, text in rows if text)
