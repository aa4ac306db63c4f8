"""The ledger's word: its key, the signed head, each entry under it, each personal value behind its commitment."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator
from datetime import datetime

from cryptography import x509

from portal.audit.merkle import leaf_hash, root_from_inclusion
from portal.audit.notes import Head, NoteError, fingerprint, read_verifier_key, verify_head
from portal.audit.record import commitment
from portal.core.canonical import canonical_json
from reports.evidence.document import EntryPart, Evidence
from reports.evidence.presenters import certificate_of
from reports.evidence.proven import Proven
from reports.evidence.verify.result import Verification
from reports.evidence.verify.rotations import check_rotations, earlier_keys
from reports.evidence.verify.trusted import Trusted
from reports.evidence.verify.witnesses import check_witnesses
from reports.pdf.keys import fingerprint_of


def check_ledger(evidence: Evidence, result: Verification) -> None:
    """The checkpoint's signature, the proof of every entry, and every opened commitment."""
    subjects = {f"request:{evidence.reference}", f"offering:{evidence.offering.slug}"}
    check_entries(evidence, result, subjects=subjects, what="request")


def check_entries(evidence: Proven, result: Verification, *, subjects: Collection[str], what: str) -> None:
    """As `check_ledger`, for any document whose entries are about these subjects; `what` is what it is about."""
    head = _head(evidence, result)
    if head is None:
        return
    check_rotations(evidence.ledger, head, result)
    entries = evidence.ledger.entries
    result.judge(
        "inclusion",
        f"All {len(entries)} entries are in the ledger of {head.size} entries that the checkpoint signed.",
        (problem for entry in entries for problem in _inclusion(entry, head)),
    )
    result.judge(
        "order",
        f"The entries are in the ledger's order and about this {what}.",
        _order(evidence, subjects, what),
    )
    opened = sum(len(entry.personal) for entry in entries)
    if result.judge(
        "commitments",
        f"All {opened} personal values are those that the entries commit to.",
        (problem for entry in entries for problem in _commitments(entry)),
    ):
        erased = [str(entry.number) for entry in entries if set(_personal(entry)) - set(entry.personal)]
        if erased:
            result.open(
                "erased",
                f"Personal values were erased from the entries {', '.join(erased)}; their proofs hold.",
            )


def check_keys(
    evidence: Proven, certificate: x509.Certificate, trusted: Trusted, result: Verification
) -> None:
    """Whose keys they are. A key that came in the file is only ever compared, never believed."""
    check_witnesses(evidence.ledger.checkpoint, trusted, result)
    named = certificate_of(evidence)
    signer = fingerprint_of(certificate)
    result.judge(
        "certificate",
        "The ledger itself names the certificate that signed this PDF.",
        [] if named == signer else ["The PDF was signed by a certificate that the ledger does not name."],
    )
    try:
        _, key = read_verifier_key(evidence.ledger.verifier)
    except NoteError:
        return
    printed = fingerprint(key)
    if trusted.has_ledger_key(key):
        result.good("ledger-key", "The ledger's key is the one that you gave.")
    elif any(trusted.has_ledger_key(earlier) for earlier in earlier_keys(evidence.ledger, result)):
        result.good(
            "ledger-key",
            "The key that you gave signed for the ledger's present key when it was changed. From now on compare with: "
            + printed,
        )
    elif trusted.has_certificate(certificate):
        result.good("given-certificate", "The certificate that signed this PDF is the one that you gave.")
        result.open("ledger-key", f"Not compared: the ledger's key, whose fingerprint is {printed}")
    elif trusted:
        result.bad(
            "ledger-key",
            "The file was not made with a key that you gave. If yours is newer than the file, give the one of its time too: "
            + printed,
        )
    else:
        result.open(
            "ledger-key",
            "Not proved until you compare it: whose ledger this is. The fingerprint of its key is " + printed,
        )


def _head(evidence: Proven, result: Verification) -> Head | None:
    ledger = evidence.ledger
    try:
        name, key = read_verifier_key(ledger.verifier)
        head = verify_head(ledger.checkpoint, name, key)
    except NoteError as error:
        result.bad("checkpoint", f"{error}.")
        return None
    same = name == head.origin == ledger.origin
    result.judge(
        "checkpoint",
        f"The checkpoint of {head.origin} is signed by the ledger's key.",
        [] if same else ["The checkpoint is of another ledger than the facts say."],
    )
    return head


def _inclusion(entry: EntryPart, head: Head) -> Iterator[str]:
    try:
        leaf = leaf_hash(canonical_json(entry.body))
        steps = [base64.b64decode(step, validate=True) for step in entry.inclusion]
        root = root_from_inclusion(leaf, entry.number - 1, head.size, steps)
    except ValueError:
        root = b""
    if root != head.root:
        yield f"Entry {entry.number} is not in the ledger that the checkpoint signed: it was changed or invented."
    if entry.body.get("number") != entry.number:
        yield f"Entry {entry.number} calls itself {entry.body.get('number')}."


def _order(evidence: Proven, subjects: Collection[str], what: str) -> Iterator[str]:
    numbers = [entry.number for entry in evidence.ledger.entries]
    if numbers != sorted(set(numbers)):
        yield "The entries are not in the ledger's order."
    for entry in evidence.ledger.entries:
        subject = str(entry.body.get("subject"))
        # Whether each passkey signed something here is the signatures' own check.
        if subject not in subjects and not subject.startswith(("signing-key:", "passkey:", "erasure:")):
            yield f"Entry {entry.number} is about {subject}, not about this {what}."
        try:
            if datetime.fromisoformat(str(entry.body.get("at"))) > datetime.fromisoformat(evidence.as_of):
                yield f"Entry {entry.number} is later than the time of which the file speaks."
        except (ValueError, TypeError):
            yield f"Entry {entry.number} has no time."


def _personal(entry: EntryPart) -> dict[str, object]:
    found = entry.body.get("personal")
    return found if isinstance(found, dict) else {}


def _commitments(entry: EntryPart) -> Iterator[str]:
    for name, opened in entry.personal.items():
        salt = base64.b64decode(opened.salt)
        if _personal(entry).get(name) != commitment(salt, opened.value):
            yield f"Entry {entry.number}: the value of “{name}” is not the one that the entry commits to."
