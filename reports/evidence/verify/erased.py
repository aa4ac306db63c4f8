"""People who were erased: the ledger says so, and what seals call them is in the sealed documents alone.

A sealed document names people by issuer and subject, which the facts no longer hold of an erased person. Nobody can
say any more that it was them; what can be checked is that the document names one identity in their place, the same
wherever the facts name them, and nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.erasing.tags import PERSON_ERASED
from reports.evidence.document import Evidence, StagePart

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
