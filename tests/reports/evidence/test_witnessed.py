"""Evidence carries the signatures of the witnesses who saw its checkpoint, and an auditor who knows one looks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.audit.holders.configured import Holders
from portal.audit.holders.hand_over import due_holders, hand_to
from portal.audit.notes import raw_public_key, read_verifier_key
from reports.evidence.verify import Trusted, verify_file
from reports.verifier import recount
from reports.verifier.verify import Wrong
from tests.portal.audit.holders.conftest import holder_at
from tests.portal.audit.holders.witness import Witness, standing
from tests.reports.conftest import EvidenceWorld, evidence_in

pytestmark = pytest.mark.on_sqlite


def test_evidence_is_made_again_once_a_witness_has_signed_and_names_it(world: EvidenceWorld) -> None:
    name, key = read_verifier_key(world.bench.signer.verifier)
    reference = world.fulfilled()
    before = world.file(reference)
    clock = world.clock
    with standing(Witness(logs={name: raw_public_key(key)}, clock=lambda: clock().timestamp())) as witness:
        holder = holder_at(witness)
        assert hand_to(world.db, holder)
    with world.db.reading() as session:
        assert due_holders(session, Holders((holder,))) == []
    clock.pass_time(minutes=3)
    file = world.file(reference)
    assert file != before
    assert evidence_in(file).ledger.entries == evidence_in(before).ledger.entries
    assert evidence_in(file).ledger.checkpoint.count(witness.name) == 1
    assert world.file(reference) == file, "nothing makes it anew but that"
    result = verify_file(file, trusted=Trusted.of([world.bench.signer.verifier, witness.vkey]))
    assert result.proven, [check.line for check in result.checks]
    assert [check.line for check in result.checks if check.name == "witnesses"] == [
        f"✓ The witness witness.test/w1 saw this checkpoint at {evidence_time(world)} UTC."
    ]
    assert seen_by(file, world.bench.signer.verifier, witness.vkey) == [
        (True, "The witness witness.test/w1, whose key you gave, saw this checkpoint and signed it.")
    ]
    ((holds, said),) = seen_by(before, world.bench.signer.verifier, witness.vkey)
    assert (holds, "did not sign" in said) == (None, True)
    with pytest.raises(Wrong, match="by a witness does not hold"):
        note = evidence_in(file).ledger.checkpoint
        assert recount.is_cosigned(note, witness.vkey)
        recount.is_cosigned(note.replace("\n", "0\n", 2).replace("0\n", "\n", 1), witness.vkey)
    alone = verify_file(before, trusted=Trusted.of([Witness().vkey]))
    assert alone.holds and not alone.proven, "a witness's key says nothing of the ledger's"
    assert [check.holds for check in alone.checks if check.name == "witnesses"] == [None]


def seen_by(file: Path, *keys: str) -> list[tuple[bool | None, str]]:
    """What the bundle's second file says of witnesses."""
    result = recount.check_path(file, *recount.given(keys, []))
    assert result.proven
    return [(holds, said) for name, holds, said in result.checks if name == "witnesses"]


def evidence_time(world: EvidenceWorld) -> str:
    """When the witness was asked: before the last pause."""
    at = world.clock()
    return f"{at.replace(minute=at.minute - 3):%Y-%m-%d %H:%M:%S}"
