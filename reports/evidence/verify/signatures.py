"""Signatures by passkey: each checked again, offline, with the key that the ledger holds since its enrolment."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import urlsplit

from approvals import tags as approval
from approvals.signatures.challenge import assertion_digest, decision_challenge
from approvals.signatures.demand import reaches
from portal.audit.identity import PASSKEY_ENROLLED, PASSKEY_REVOKED
from portal.identity.passkeys.ceremony import Assertion, CeremonyFailed, verify_assertion
from portal.identity.passkeys.present import short_mark
from reports.evidence.document import DecisionPart, EntryPart, Evidence
from reports.evidence.signed import enrolment_of, entries_of, passkey_name, passkey_of, revocation_of
from reports.evidence.verify.entries import Entries, facts
from reports.evidence.verify.erased import erased_people, identities, sealed_strangers
from reports.evidence.verify.result import Verification


def check_signatures(evidence: Evidence, result: Verification) -> None:
    """Every decision that was signed or had to be, one line each; and that no key stands there for nothing."""
    for decision in evidence.decisions:
        if decision.signature is not None and _is_unnamed(evidence, decision.person):
            result.open(
                "signature",
                f"{evidence.person(decision.person)} was erased, and no sealed document names them: what their passkey "
                "signed cannot be checked any more.",
            )
        elif decision.signature is not None or _told(evidence, decision):
            result.judge("signature", _sentence(evidence, decision), _problems(evidence, decision))
        elif _needed(evidence, decision):
            result.bad(
                "signature",
                f"The offering demands that {evidence.person(decision.person)} sign this decision with a passkey, and "
                "no signature is there.",
            )
    used = {passkey_of(decision) for decision in evidence.decisions}
    for entry in evidence.ledger.entries:
        tag, subject = entry.body.get("tag"), str(entry.body.get("subject"))
        if tag in {PASSKEY_ENROLLED, PASSKEY_REVOKED} and subject.removeprefix("passkey:") not in used:
            result.bad("signature", f"Entry {entry.number} is about a passkey that signed nothing here.")


def _is_unnamed(evidence: Evidence, person: str) -> bool:
    """Whether nothing says any more what the person's identity was: erased, and deciding for somebody else."""
    return person in erased_people(evidence) and person not in identities(evidence)


def assertion_of(decision: DecisionPart) -> Assertion:
    """What was signed, as bytes."""
    signature = decision.signature
    if signature is None:
        raise CeremonyFailed("there is none")
    return Assertion(
        *(
            base64.b64decode(part)
            for part in (
                signature.credential_id,
                signature.client_data,
                signature.authenticator_data,
                signature.signature,
            )
        )
    )


def _sentence(evidence: Evidence, decision: DecisionPart) -> str:
    credential = passkey_of(decision)
    name = passkey_name(evidence, credential)
    called = (
        f"the passkey “{name}” ({short_mark(credential)}…)"
        if name
        else f"a passkey ({short_mark(credential)}…)"
    )
    what = "approval" if decision.verdict == "approve" else "denial"
    sentence = f"The {what} by {evidence.person(decision.person)} is signed with {called}, enrolled by the same person before."
    if revocation_of(evidence, credential):
        sentence += " The key was revoked after it had signed."
    return sentence


def _problems(evidence: Evidence, decision: DecisionPart) -> Iterator[str]:
    what = f"The signature of {evidence.person(decision.person)}"
    told = _told(evidence, decision)
    if decision.signature is None:
        yield f"{what} is in the ledger, but the facts leave it out."
        return
    credential, assertion = passkey_of(decision), assertion_of(decision)
    stated = facts(told).get("signature") if told else None
    if stated != {"passkey": credential, "assertion": assertion_digest(assertion, decision.signature.nonce)}:
        yield f"{what} is not the one that the ledger tells of."
    enrolment = enrolment_of(evidence, credential)
    if enrolment is None:
        yield f"{what} was made with a key that the ledger does not know."
        return
    yield from _whose(evidence, decision, enrolment, told, what)
    problem = ""
    for challenge in _challenges(evidence, decision):
        try:
            verify_assertion(
                assertion,
                public_key=base64.b64decode(str(facts(enrolment).get("public_key"))),
                challenge=challenge,
                rp_id=str(facts(enrolment).get("rp_id")),
                may_come_from=lambda origin: _is_of(origin, str(facts(enrolment).get("rp_id"))),
                last_count=int(facts(enrolment).get("sign_count", 0)),
            )
        except (CeremonyFailed, ValueError) as error:
            problem = f"{what} does not hold: {error}."
        else:
            return
    if problem:
        yield problem


def _whose(
    evidence: Evidence, decision: DecisionPart, enrolment: EntryPart, told: EntryPart | None, what: str
) -> Iterator[str]:
    """The ledger's order decides what was before what: it is the one thing that nobody could choose."""
    if facts(enrolment).get("person") != decision.person or enrolment.body.get("actor") != decision.person:
        yield f"{what} was made with a key that somebody else enrolled."
    if len(entries_of(evidence, passkey_of(decision), PASSKEY_ENROLLED)) > 1:
        yield f"{what} was made with a key that was enrolled twice."
    if told is None:
        return
    if enrolment.number > told.number:
        yield f"{what} was made with a key that was enrolled only afterwards."
    revocation = revocation_of(evidence, passkey_of(decision))
    if revocation and revocation.number < told.number:
        yield f"{what} was made with a key that had been revoked before (entry {revocation.number})."


def _challenges(evidence: Evidence, decision: DecisionPart) -> list[bytes]:
    """What the passkey was asked to sign: of a person who was erased, under any identity that might be theirs."""
    if decision.person in erased_people(evidence):
        who = sealed_strangers(evidence)
    else:
        person = next((one for one in evidence.people if one.id == decision.person), None)
        who = [(person.issuer, person.subject) if person else ("", "")]
    return [
        decision_challenge(
            seal=decision.seal,
            verdict=decision.verdict,
            stage=decision.stage,
            issuer=issuer,
            subject=subject,
            nonce=decision.signature.nonce if decision.signature else "",
        )
        for issuer, subject in who
    ]


def _is_of(origin: str, rp_id: str) -> bool:
    """Whether the browser was on the relying party's own site (WebAuthn §5.1.3: its host, or one below it)."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    local = host == "localhost" or host.endswith(".localhost")
    return (host == rp_id or host.endswith("." + rp_id)) and (parts.scheme == "https" or local)


def _told(evidence: Evidence, decision: DecisionPart) -> EntryPart | None:
    """The ledger's entry of this decision, if it tells of a signature or the facts hold one."""
    tag = approval.APPROVED if decision.verdict == "approve" else approval.DENIED
    for entry in Entries(evidence).tagged(tag):
        mine = (
            entry.body.get("actor") == decision.person and facts(entry).get("revision") == decision.revision
        )
        if mine and (decision.signature is not None or "signature" in facts(entry)):
            return entry
    return None


def _needed(evidence: Evidence, decision: DecisionPart) -> bool:
    rule = evidence.offering.document.get("signature")
    sealing = next((one for one in evidence.sealings if one.revision == decision.revision), None)
    if not isinstance(rule, dict) or sealing is None:
        return False
    return reaches(sealing.document.get("risk") or {}, str(rule.get("passkey_from")))
