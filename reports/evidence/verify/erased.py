"""People who were erased: the ledger says so, and what seals call them is in the sealed documents alone.

A sealed document names people by issuer and subject, which the facts no longer hold of an erased person. Nobody can
say any more that it was them; what can be checked is that the document names one identity in their place, the same
wherever the facts name them, and nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.erasing.tags import PERSON_ERASED, RECORD_ERASED
from reports.evidence.document import Evidence, StagePart
from reports.evidence.verify.result import Verification

Identity = tuple[str, str]


def erased_people(evidence: Evidence) -> frozenset[str]:
    """Those of whom an entry of the file tells that they were erased."""
    found = set()
    for entry in evidence.ledger.entries:
        stated = entry.body.get("facts")
        person = str(stated.get("person")) if isinstance(stated, dict) else ""
        if entry.body.get("tag") == PERSON_ERASED and entry.body.get("subject") == f"erasure:{person}":
            found.add(person)
    return frozenset(found)


def record_erased(evidence: Evidence) -> int | None:
    """The number of the entry that tells that this request's record was erased, if one does."""
    subject = f"request:{evidence.reference}"
    for entry in evidence.ledger.entries:
        if entry.body.get("tag") == RECORD_ERASED and entry.body.get("subject") == subject:
            return entry.number
    return None


def check_erased_record(evidence: Evidence, number: int, result: Verification) -> None:
    """Of a record that was erased nothing more may be told than who did what kind of thing, by number."""
    result.open(
        "record",
        f"The request's record was erased when its time was over (entry {number}): what the seals name, what was carried "
        "out and what was said can no longer be compared. The proofs of all its entries hold.",
    )
    result.judge("erased-record", "Nothing of what was erased is told.", _told_still(evidence))


def _told_still(evidence: Evidence) -> Iterator[str]:
    request = evidence.request
    if any(sealing.document or sealing.warnings for sealing in evidence.sealings):
        yield "A sealed document is told of a record that was erased."
    if any(step.plan or step.outcome or step.read_back or step.artefacts for step in evidence.steps):
        yield "A plan or an effect is told of a record that was erased."
    if request.reason or any(decision.comment for decision in evidence.decisions):
        yield "Reasons are told of a record that was erased."
    if any(answer.value not in (None, "", []) for answer in evidence.answers):
        yield "Answers are told of a record that was erased."


def identities(evidence: Evidence) -> dict[str, Identity]:
    """Issuer and subject of everybody named: as the facts have them, and of erased people as sealed documents do."""
    erased = erased_people(evidence)
    known = {
        person.id: (person.issuer, person.subject) for person in evidence.people if person.id not in erased
    }
    if not erased:
        return known
    request = evidence.request
    for sealing in evidence.sealings:
        _put(known, erased, request.requester, sealing.document.get("requester"))
    if evidence.sealings:
        _put(known, erased, request.beneficiary, evidence.sealings[-1].document.get("beneficiary"))
    # Where one alone is missing there is no choice; whatever is left then may be any of those who are left.
    while _place(evidence, erased, known, alone=True):
        pass
    while _place(evidence, erased, known, alone=False):
        pass
    return known


def sealed_strangers(evidence: Evidence) -> list[Identity]:
    """Identities in sealed documents that are those of nobody who is still known."""
    erased = erased_people(evidence)
    known = {(person.issuer, person.subject) for person in evidence.people if person.id not in erased}
    named: dict[Identity, None] = {}
    for sealing in evidence.sealings:
        document = sealing.document
        for one in (document.get("requester"), document.get("beneficiary"), *_approvers(document)):
            if isinstance(one, dict):
                named[_identity(one)] = None
    return [one for one in named if one not in known]


def _put(known: dict[str, Identity], erased: frozenset[str], ref: str, sealed: Any) -> None:
    if ref in erased and ref not in known and isinstance(sealed, dict):
        identity = _identity(sealed)
        if identity not in known.values():
            known[ref] = identity


def _place(evidence: Evidence, erased: frozenset[str], known: dict[str, Identity], *, alone: bool) -> bool:
    """Give one more erased approver the identity that the sealed route has in their place."""
    for sealing in evidence.sealings:
        route = sealing.document.get("route") or []
        stages = {(stage.revision, stage.slug): stage for stage in evidence.stages}
        for sealed in route:
            stage = stages.get((sealing.revision, str(sealed.get("slug"))))
            if stage is None:
                continue
            for rule in sorted({approver.rule for approver in stage.approvers}):
                missing = [ref for ref in _with_rule(stage, rule) if ref in erased and ref not in known]
                taken = set(known.values())
                left = [
                    _identity(one)
                    for one in sealed.get("approvers") or ()
                    if one.get("rule") == rule and _identity(one) not in taken
                ]
                if missing and left and (not alone or len(missing) == len(left) == 1):
                    known[missing[0]] = left[0]
                    return True
    return False


def _with_rule(stage: StagePart, rule: str) -> list[str]:
    return [approver.person for approver in stage.approvers if approver.rule == rule]


def _approvers(document: dict[str, Any]) -> Iterator[Any]:
    for stage in document.get("route") or ():
        yield from stage.get("approvers") or ()


def _identity(one: dict[str, Any]) -> Identity:
    return str(one.get("issuer")), str(one.get("subject"))
