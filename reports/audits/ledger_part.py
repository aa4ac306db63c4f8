"""The ledger's share of an audit: signed heads, what proves that they belong together, and every leaf between two of them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.requests.tags import SUBMITTED
from portal.audit.checkpoint import Signer
from portal.audit.holders.queries import cosigned_note
from portal.audit.merkle import NodeReader, consistency_proof, inclusion_proof, leaf_hash
from portal.audit.model import Checkpoint, Entry
from portal.audit.rotation import SUBJECT as KEYS
from portal.audit.rotation import key_chain
from portal.audit.tree import node_reader
from portal.core.canonical import canonical_json
from portal.core.database import Database
from reports.audits.document import AuditLedger, BeforePart, ConsistencyPart, EvidenceHeadPart, HeadPart
from reports.audits.tags import subject_of
from reports.evidence.document import EntryPart, RotationPart

PART = 2_000
#: What an entry is about that everybody may see: rules and keys, never one request of somebody else's unit.
OPEN_SUBJECTS = frozenset({"audit", "offering", "signing-key", KEYS})


def edge(node: NodeReader, size: int) -> tuple[bytes, ...]:
    """The roots of the complete subtrees of the first `size` leaves, left to right: what a reader goes on hashing from."""
    found, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            found.append(node(level, start >> level))
            start += 1 << level
    return tuple(found)


def ledger_part(
    session: Session,
    signer: Signer,
    *,
    reference: str,
    certificate: str,
    sizes: tuple[int, int, int],
    evidence: Collection[int],
) -> AuditLedger:
    """Heads and proofs for the sizes before, after and made, and the entries that speak of the audit itself.

    `certificate` is how the ledger names the one that signs the report, `evidence` the sizes of the heads under which the
    sample's evidence is proven.
    """
    before, after, made = sizes
    node = node_reader(session)
    keys = key_chain(session, session.get_one(Checkpoint, made), signer.verifiers[0])
    rotations = tuple(RotationPart.model_validate_json(canonical_json(link)) for link in keys.to_json())
    return AuditLedger(
        origin=signer.name,
        verifiers=(*(str(link.entry.body["facts"]["old"]) for link in rotations), keys.verifier),
        rotations=rotations,
        before=BeforePart(
            size=before,
            checkpoint=cosigned_note(session, before) if before else None,
            edge=_encoded(edge(node, before)),
        ),
        after=HeadPart(size=after, checkpoint=cosigned_note(session, after)),
        made=HeadPart(size=made, checkpoint=cosigned_note(session, made)),
        consistency=ConsistencyPart(
            before_after=_encoded(consistency_proof(node, before, after)),
            after_made=_encoded(consistency_proof(node, after, made)),
            evidence_made=tuple(
                EvidenceHeadPart(size=size, proof=_encoded(consistency_proof(node, size, made)))
                for size in sorted(set(evidence))
            ),
        ),
        entries=tuple(
            EntryPart(
                number=number,
                body=json.loads(body),
                # Nothing personal is opened here: these entries tell of the audit, and one of the period's beginning.
                personal={},
                inclusion=_encoded(inclusion_proof(node, number - 1, made)),
            )
            for number, body in _entries(session, (subject_of(reference), certificate), before, made)
        ),
    )


def leaves(
    db: Database, before: int, after: int, *, shown: Collection[str] | None, references: Collection[str]
) -> Iterator[tuple[bytes, bool]]:
    """A line for each entry `before` + 1 to `after`, in order, and whether it is only a hash.

    With `shown` None everything is shown; else what concerns one of the `references` or subjects of that kind.
    """
    last = before
    while last < after:
        with db.reading() as session:
            rows = session.execute(
                select(Entry.number, Entry.tag, Entry.subject, Entry.body)
                .where(Entry.number > last, Entry.number <= after)
                .order_by(Entry.number)
                .limit(PART)
            ).all()
        if not rows:
            break
        for row in rows:
            if shown is None or row.tag == SUBMITTED or _is_open(row.subject, shown, references):
                yield row.body.encode(), False
            else:
                leaf = base64.b64encode(leaf_hash(row.body.encode())).decode()
                yield canonical_json({"leaf_hash": leaf, "number": row.number}), True
        last = rows[-1].number


def write_leaves(
    path: Path,
    db: Database,
    before: int,
    after: int,
    *,
    whole: bool,
    references: Collection[str],
) -> int:
    """Write ledger.jsonl and say how many of its lines are only hashes. Streams: any length takes the same memory."""
    withheld = 0
    with path.open("wb") as file:
        for line, is_hash in leaves(
            db, before, after, shown=None if whole else OPEN_SUBJECTS, references=references
        ):
            file.write(line + b"\n")
            withheld += is_hash
    return withheld


def digest_of(path: Path) -> tuple[str, int]:
    """`sha256:` and hex of a file, and its bytes."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return f"sha256:{found}", path.stat().st_size


def _is_open(subject: str, shown: Collection[str], references: Collection[str]) -> bool:
    kind, _, name = subject.partition(":")
    return kind in shown or (kind == "request" and name in references)


def _entries(session: Session, subjects: Sequence[str], before: int, made: int) -> list[tuple[int, str]]:
    rows = session.execute(
        select(Entry.number, Entry.body)
        .where(
            or_(Entry.subject.in_((*subjects, KEYS)), Entry.number == before),
            Entry.number <= made,
        )
        .order_by(Entry.number)
    )
    return [(number, body) for number, body in rows]


def _encoded(hashes: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(base64.b64encode(one).decode() for one in hashes)
