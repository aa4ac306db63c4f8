"""One entry's proof in a plain form, for whoever wants to check it with tools of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.holders.queries import cosigned_note
from portal.audit.merkle import inclusion_proof
from portal.audit.model import Checkpoint, Entry
from portal.audit.notes import is_signed_by, read_verifier_key
from portal.audit.tree import with_nodes
from portal.core.errors import NotFound

#: How somebody checks a printed proof who has nothing of ours.
BY_HAND = (
    "leaf_hash is the SHA-256 of the byte 00 and the entry's text in UTF-8. Begin with it and take hashes one after "
    "another: SHA-256 of the byte 01 and of both, the listed hash first where sides says left and last where it says "
    "right, is what the next one is taken with (RFC 9162, section 2.1.3.2; sides follows from leaf_index and "
    "tree_size). The last is root_hash. The checkpoint's second line is tree_size, its third root_hash in base64; it "
    "is signed from its first byte up to the empty line, which is not part of it. The signature is the base64 in the "
    "line that names the key of signed_by, less the first four of its bytes, and Ed25519: `openssl pkeyutl -verify "
    "-pubin -inkey KEY -rawin -in TEXT -sigfile SIGNATURE` with public_key as KEY. Compare that key with the one that "
    "you were given on another way: a key that comes with a proof proves nothing."
)


@dataclass(frozen=True, slots=True)
class PlainProof:
    """One entry and its proof up to a checkpoint, without anything personal."""

    number: int
    body: str
    leaf_hash: bytes
    size: int
    root: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str

    def to_json(self) -> dict[str, Any]:
        """For people and programs that know nothing of us; hashes are hex."""
        return {
            "entry": self.body,
            "inclusion_proof": {
                "leaf_hash": self.leaf_hash.hex(),
                "leaf_index": self.number - 1,
                "tree_size": self.size,
                "root_hash": self.root.hex(),
                "hashes": [one.hex() for one in self.hashes],
                "sides": list(sides(self.number - 1, self.size)),
            },
            "checkpoint": self.checkpoint,
        }


def plain_proof(session: Session, number: int, *, size: int | None = None) -> PlainProof:
    """The entry, proven up to the checkpoint of this size, or to the last one; with whoever cosigned it.

    Raises NotFound when there is no such entry or checkpoint, or the checkpoint does not cover the entry.
    """
    entry = session.get(Entry, number)
    if entry is None:
        message = f"The ledger has no entry {number}."
        raise NotFound(message)
    wanted = select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)
    head = session.scalar(wanted if size is None else wanted.where(Checkpoint.size == size))
    if head is None and size is not None:
        message = f"There is no checkpoint of {size} entries."
        raise NotFound(message)
    if head is None or head.size < number:
        covered = f"the one of {head.size} ends before it" if head else "there is none"
        message = (
            f"No checkpoint covers entry {number}: {covered}. Sign one with: countersign audit checkpoint"
        )
        raise NotFound(message)
    hashes = with_nodes(session, lambda node: inclusion_proof(node, number - 1, head.size))
    note = cosigned_note(session, head.size)
    return PlainProof(number, entry.body, entry.leaf_hash, head.size, head.root, tuple(hashes), note)


def sides(index: int, size: int) -> tuple[str, ...]:
    """Where each hash of the leaf's inclusion proof stands beside what was hashed so far: left or right."""
    found = []
    node, last = index, size - 1
    while last:
        if node & 1:
            found.append("left")
        elif node < last:
            found.append("right")
        # At the tree's right edge a node without a sibling goes up as it is.
        node, last = node >> 1, last >> 1
    return tuple(found)


def signed_by(note: str, verifiers: Sequence[str]) -> dict[str, str]:
    """The newest of the ledger's keys that signed the note: as notes name it, and as PEM. Raises LookupError."""
    for verifier in reversed(verifiers):
        if is_signed_by(note, verifier):
            _, key = read_verifier_key(verifier)
            pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            return {"signed_by": verifier, "public_key": pem}
    message = "The checkpoint is not signed by a key of this ledger"
    raise LookupError(message)
