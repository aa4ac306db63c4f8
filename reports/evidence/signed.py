"""With which passkey a decision was signed, as the ledger's entries in the document name it."""

from __future__ import annotations

import base64

from portal.audit.identity import PASSKEY_ENROLLED, PASSKEY_REVOKED
from portal.core.language import _
from portal.identity.passkeys.ceremony import credential_digest
from portal.identity.passkeys.present import short_mark
from reports.evidence.document import DecisionPart, EntryPart, Evidence


def passkey_of(decision: DecisionPart) -> str:
    """The digest of the credential that signed it; empty where none did."""
    if decision.signature is None:
        return ""
    return credential_digest(base64.b64decode(decision.signature.credential_id))


def enrolment_of(evidence: Evidence, credential: str) -> EntryPart | None:
    """The entry in which this key was enrolled."""
    return next(iter(entries_of(evidence, credential, PASSKEY_ENROLLED)), None)


def revocation_of(evidence: Evidence, credential: str) -> EntryPart | None:
    """The entry in which this key was revoked, if it was."""
    return next(iter(entries_of(evidence, credential, PASSKEY_REVOKED)), None)


def entries_of(evidence: Evidence, credential: str, tag: str) -> list[EntryPart]:
    """The entries of this tag about this key."""
    return [
        entry
        for entry in evidence.ledger.entries
        if entry.body.get("tag") == tag and entry.body.get("subject") == f"passkey:{credential}"
    ]


def passkey_name(evidence: Evidence, credential: str) -> str:
    """What its owner calls the key; empty where the name was erased."""
    enrolment = enrolment_of(evidence, credential)
    name = enrolment.personal.get("name") if enrolment else None
    return name.value if name else ""


def signed_with(evidence: Evidence, decision: DecisionPart) -> str:
    """One sentence about the signature; empty where there is none."""
    credential = passkey_of(decision)
    if not credential:
        return ""
    name, mark = passkey_name(evidence, credential), short_mark(credential)
    if name:
        return _("Signed with the passkey “%(name)s” (%(mark)s…)", name=name, mark=mark)
    return _("Signed with a passkey (%(mark)s…)", mark=mark)
