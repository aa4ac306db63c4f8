"""Whoever kept a checkpoint can have the ledger compared with it."""

from __future__ import annotations

import pytest

from portal.audit.holders.comparing import compare_note
from portal.audit.holders.cosignatures import read_witness_key
from portal.audit.holders.hand_over import hand_to
from portal.audit.holders.queries import cosigned_note
from portal.audit.holders.witness import WitnessHolder
from portal.audit.notes import verifier_key
from tests.portal.audit.holders.ledger import ORIGIN, Ledger
from tests.portal.audit.holders.witness import Witness

pytestmark = pytest.mark.on_sqlite


def test_the_ledger_begins_with_what_was_kept_of_it_and_another_does_not(
    ledger: Ledger, another_past: Ledger, witness: Witness, holder: WitnessHolder
) -> None:
    keys = (verifier_key(ORIGIN, Witness().key.public_key()), verifier_key(ORIGIN, ledger.key.public_key()))
    size = ledger.grow(3).size
    assert hand_to(ledger.db, holder)
    with ledger.db.reading() as session:
        kept = cosigned_note(session, size)
    ledger.grow(2)
    found = compare_note(ledger.db, kept, keys, [read_witness_key(witness.vkey)])
    assert found.fits and found.sentence == (
        "The ledger of 5 entries begins with the 3 that it states. witness.test/w1 saw it at 2026-11-18 09:00 UTC."
    )
    another_past.grow(2)
    assert compare_note(another_past.db, kept, keys).sentence.startswith(
        "It states 3 entries, but the ledger has only 2"
    )
    another_past.grow(1)
    found = compare_note(another_past.db, kept, keys)
    assert (found.fits, found.sentence) == (False, "The first 3 entries are not those that it states.")
    for spoilt in (kept.replace("\n3\n", "\n2\n", 1), "nonsense", ""):
        assert not compare_note(ledger.db, spoilt, keys).fits
    assert not compare_note(ledger.db, kept, keys[:1]).fits, "a key that the ledger never had"
