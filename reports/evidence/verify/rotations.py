"""Changes of the ledger's key: whether one comes by the file's own proofs from an old key to the one that signed it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.audit.merkle import is_consistent, leaf_hash, root_from_inclusion
from portal.audit.notes import Head, NoteError, is_signed_by, read_head, read_verifier_key
from portal.audit.rotation import KEY_ROTATED
from portal.audit.signer.statement import read_statement
from portal.core.canonical import canonical_json
from reports.evidence.document import LedgerPart, RotationPart
from reports.evidence.verify.result import Verification


def check_rotations(ledger: LedgerPart, head: Head, result: Verification) -> None:
    """Every change of the key that the file tells of; one that does not hold lets no old key speak for the new one."""
    if not ledger.rotations:
        return
    result.judge(
        "key-rotations",
        f"The ledger's key was changed {len(ledger.rotations)} times; each old key signed for the next one."
        if len(ledger.rotations) > 1
        else "The ledger's key was changed once; the old key signed for the new one.",
        _problems(ledger, head),
    )


def earlier_keys(ledger: LedgerPart, result: Verification) -> list[Ed25519PublicKey]:
    """The keys before the present one, oldest first; none unless every change of the key was checked and holds."""
    if not any(check.name == "key-rotations" for check in result.checks) or any(
        check.name in {"key-rotations", "checkpoint"} and check.holds is not True for check in result.checks
    ):
        return []
    return [read_verifier_key(_facts(rotation)[0])[1] for rotation in ledger.rotations]


def _problems(ledger: LedgerPart, head: Head) -> Iterator[str]:
    chain = [_facts(rotation) for rotation in ledger.rotations]
    if [new for _old, new in chain] != [*(old for old, _new in chain[1:]), ledger.verifier]:
        yield "The changes of the ledger's key do not lead from one key to the next and to the present one."
    numbers = [rotation.entry.number for rotation in ledger.rotations]
    if numbers != sorted(set(numbers)):
        yield "The changes of the ledger's key are not in the ledger's order."
    for rotation in ledger.rotations:
        try:
            yield from _problem(rotation, ledger.origin, head)
        except (NoteError, ValueError) as error:
            yield f"Entry {rotation.entry.number}, a change of the ledger's key, does not hold: {error}."


def _problem(rotation: RotationPart, origin: str, head: Head) -> Iterator[str]:
    number, body = rotation.entry.number, rotation.entry.body
    old, new = _facts(rotation)
    stated = read_statement(str(body["facts"]["statement"]))
    if (stated.origin, stated.old, stated.new) != (origin, old, new) or body.get("tag") != KEY_ROTATED:
        yield f"Entry {number} is not the change of the ledger's key that both keys signed."
    if body.get("number") != number:
        yield f"Entry {number} calls itself {body.get('number')}."
    bridge = read_head(rotation.checkpoint)
    if bridge.origin != origin or not all(is_signed_by(rotation.checkpoint, key) for key in (old, new)):
        yield f"The checkpoint of the key's change (entry {number}) is not signed by both keys."
    leaf = leaf_hash(canonical_json(body))
    for inclusion, under in ((rotation.inclusion, bridge), (rotation.entry.inclusion, head)):
        if root_from_inclusion(leaf, number - 1, under.size, _steps(inclusion)) != under.root:
            yield f"Entry {number} is not in the ledger of {under.size} entries that the checkpoint signed."
    if not is_consistent(bridge.size, bridge.root, head.size, head.root, _steps(rotation.consistency)):
        yield f"The ledger does not contain the one of {bridge.size} entries under which its key was changed."


def _facts(rotation: RotationPart) -> tuple[str, str]:
    found = rotation.entry.body.get("facts")
    facts = found if isinstance(found, dict) else {}
    return str(facts.get("old")), str(facts.get("new"))


def _steps(encoded: Sequence[str]) -> list[bytes]:
    return [base64.b64decode(step, validate=True) for step in encoded]
