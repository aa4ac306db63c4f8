"""Whoever was given an old key of the ledger can follow to the one that signed a file, and nobody can invent a step."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.audit import record
from portal.audit.checkpoint import Signer, checkpoint
from portal.audit.merkle import inclusion_proof
from portal.audit.model import Checkpoint
from portal.audit.notes import fingerprint, read_head, read_verifier_key, verifier_key
from portal.audit.proofs import proven_entries
from portal.audit.rotation import KEY_ROTATED, SUBJECT, key_chain, note_rotations, rotate
from portal.audit.signer.notary import Notary
from portal.audit.signer.refusals import NotNow
from portal.audit.signer.statement import Rotation, signature_line
from portal.audit.signer.vault import FileVault
from portal.audit.tree import node_reader
from portal.core.canonical import canonical_json
from portal.core.database import Database
from portal.identity.actor import PORTAL
from reports.evidence.document import LedgerPart
from reports.evidence.key_rotation import rotate_key
from reports.evidence.verify import Trusted, Verification, verify_file
from reports.evidence.verify.rotations import check_rotations, earlier_keys
from tests.reports.conftest import EvidenceWorld

ORIGIN = "portal.test/ledger"
OVERLAP = timedelta(days=30)


@dataclass
class Ledger:
    """A ledger whose signer's clock the test holds."""

    db: Database
    folder: Path
    time: datetime = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def __post_init__(self) -> None:
        vault = FileVault(self.folder / "signer")
        self.notary = Notary(self.folder / "signer", vault, origin=ORIGIN, clock=lambda: self.time)
        self.signer = Signer(self.notary, self.folder / "checkpoints")

    def write(self, count: int = 3) -> Checkpoint:
        for number in range(count):
            with self.db.transaction() as session:
                record(session, "thing:done", subject=f"thing:{number}", actor=PORTAL)
        row = checkpoint(self.db, self.signer)
        assert row is not None
        return row

    def rotate(self) -> None:
        rotate(self.db, self.signer, overlap=OVERLAP)
        self.write(2)
        self.time += OVERLAP
        self.notary.retire()

    def part(self, head: Checkpoint) -> LedgerPart:
        """What a file under this checkpoint would carry of the ledger, without entries."""
        with self.db.reading() as session:
            chain = key_chain(session, head, self.signer.verifiers[0])
        told = {
            "origin": ORIGIN,
            "verifier": chain.verifier,
            "rotations": chain.to_json(),
            "checkpoint": head.note,
            "entries": [],
        }
        return LedgerPart.model_validate_json(canonical_json(told))


@pytest.fixture
def ledger(db: Database, tmp_path: Path) -> Ledger:
    return Ledger(db, tmp_path)


def checked(part: LedgerPart) -> tuple[list[str], list[str]]:
    """What does not hold, and the earlier keys that may be believed."""
    result = Verification("x")
    check_rotations(part, read_head(part.checkpoint), result)
    names = [verifier_key(part.origin, key) for key in earlier_keys(part, result)]
    return [check.sentence for check in result.checks if check.holds is False], names


def test_a_chain_of_rotations_leads_from_the_first_key_to_the_present_one(ledger: Ledger) -> None:
    first = ledger.write()
    assert checked(ledger.part(first)) == ([], [])
    for _time in range(3):
        ledger.rotate()
        ledger.write()
    head = ledger.write(9)
    one, two, three, four = ledger.signer.verifiers
    part = ledger.part(head)
    assert (part.verifier, len(part.rotations)) == (four, 3)
    assert checked(part) == ([], [one, two, three])
    # A file of before is made again with the keys of before, byte for byte.
    assert ledger.part(first).verifier == one
    assert ledger.part(head) == part


@pytest.mark.on_sqlite
def test_a_rotation_that_did_not_get_into_the_ledger_is_completed_and_not_repeated(ledger: Ledger) -> None:
    ledger.write()
    ledger.notary.rotate(OVERLAP)  # and then the portal died
    head = ledger.write()
    assert ledger.part(head).verifier == ledger.signer.verifiers[0]
    state = rotate(ledger.db, ledger.signer, overlap=OVERLAP)
    assert len(state.verifiers) == 2
    assert note_rotations(ledger.db, ledger.signer, state) == 0
    assert checked(ledger.part(ledger.write())) == ([], [state.verifiers[0]])
    with pytest.raises(NotNow, match="still under way"):
        rotate(ledger.db, ledger.signer, overlap=OVERLAP)


def _swap_new(facts: dict[str, Any]) -> None:
    facts["rotations"][0]["entry"]["body"]["facts"]["new"] = facts["rotations"][0]["entry"]["body"]["facts"][
        "old"
    ]


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "the last link left out": lambda facts: facts["rotations"].pop(),
    "links exchanged": lambda facts: facts["rotations"].reverse(),
    "another present key": lambda facts: facts.update(
        verifier=verifier_key(ORIGIN, Ed25519PrivateKey.generate().public_key())
    ),
    "another new key": _swap_new,
    "the statement's signatures taken": lambda facts: facts["rotations"][0]["entry"]["body"]["facts"].update(
        statement=facts["rotations"][0]["entry"]["body"]["facts"]["statement"].partition("—")[0]
    ),
    "the statement of another rotation": lambda facts: facts["rotations"][0]["entry"]["body"]["facts"].update(
        statement=facts["rotations"][1]["entry"]["body"]["facts"]["statement"]
    ),
    "a checkpoint that the old key did not sign": lambda facts: facts["rotations"][0].update(
        checkpoint=facts["checkpoint"]
    ),
    "another inclusion": lambda facts: facts["rotations"][0].update(inclusion=[]),
    "another inclusion in the file's ledger": lambda facts: facts["rotations"][0]["entry"].update(
        inclusion=[]
    ),
    "another consistency": lambda facts: facts["rotations"][0].update(consistency=[]),
    "another time": lambda facts: facts["rotations"][0]["entry"]["body"].update(
        at="2020-01-01T00:00:00+00:00"
    ),
    "another number": lambda facts: facts["rotations"][0]["entry"].update(number=1),
}


@pytest.fixture
def twice_rotated(ledger: Ledger) -> LedgerPart:
    ledger.write()
    ledger.rotate()
    ledger.rotate()
    return ledger.part(ledger.write())


@pytest.mark.on_sqlite
def test_every_change_of_a_rotation_is_found_and_no_old_key_speaks_any_more(
    twice_rotated: LedgerPart,
) -> None:
    assert checked(twice_rotated)[0] == []
    for what, change in CHANGES.items():
        facts = json.loads(twice_rotated.model_dump_json())
        change(facts)
        found, keys = checked(LedgerPart.model_validate_json(canonical_json(facts)))
        assert (found != [], keys) == (True, []), what


@pytest.mark.on_sqlite
def test_a_portal_in_the_wrong_hands_cannot_hand_the_ledger_to_a_key_of_its_own(ledger: Ledger) -> None:
    """Whoever can write entries can write that the key was changed; the old key's own word they do not get."""
    ledger.write()
    mine = Ed25519PrivateKey.generate()
    old, new = ledger.signer.verifier, verifier_key(ORIGIN, mine.public_key())
    body = Rotation(ORIGIN, old, new).body()
    line = signature_line(ORIGIN, mine.public_key(), mine.sign(body.encode()))
    with ledger.db.transaction() as session:
        record(
            session,
            KEY_ROTATED,
            subject=SUBJECT,
            actor=PORTAL,
            facts={"old": old, "new": new, "statement": f"{body}\n{line}", "overlap_until": None},
        )
    head = ledger.write()
    signed = read_head(head.note)
    mixed = head.note + signature_line(ORIGIN, mine.public_key(), mine.sign(signed.body().encode()))
    part = ledger.part(head)
    assert part.rotations == ()  # the ledger's own maker does not follow it either
    with ledger.db.reading() as session:
        entry = key_entry(session, signed.size)
    forged = part.model_copy(
        update={
            "verifier": new,
            "checkpoint": mixed,
            "rotations": LedgerPart.model_validate_json(
                canonical_json(
                    {
                        "origin": ORIGIN,
                        "verifier": new,
                        "checkpoint": mixed,
                        "entries": [],
                        "rotations": [
                            {
                                "entry": entry,
                                "checkpoint": mixed,
                                "inclusion": entry["inclusion"],
                                "consistency": [],
                            }
                        ],
                    }
                )
            ).rotations,
        }
    )
    found, keys = checked(forged)
    assert (["does not hold" in sentence for sentence in found], keys) == ([True], [])


def key_entry(session: Any, size: int) -> dict[str, Any]:

    (entry,) = proven_entries(session, (SUBJECT,), size=size)
    assert inclusion_proof(node_reader(session), entry.number - 1, size)
    return entry.to_json()


@pytest.mark.on_sqlite
def test_files_of_before_and_after_hold_with_the_key_that_the_auditor_was_given_first(
    world: EvidenceWorld,
) -> None:
    given = Trusted.of([world.bench.signer.verifier])
    reference = world.withdrawn()
    before = world.file(reference)
    world.clock.pass_time(seconds=61)
    rotate(world.db, world.bench.signer, overlap=OVERLAP)
    old_certificate = world.key.fingerprint
    new = rotate_key(world.bench)
    assert new.fingerprint != old_certificate
    after = world.file(reference)
    assert after != before
    for file in (before, after):
        result = verify_file(file, trusted=given)
        assert [check.sentence for check in result.checks if check.holds is False] == []
        assert result.proven
    told = {check.name: check.sentence for check in verify_file(after, trusted=given).checks}
    present = fingerprint(read_verifier_key(world.bench.signer.verifier)[1])
    assert told["ledger-key"].endswith(present)
    assert "changed once" in told["key-rotations"]
    assert verify_file(after, trusted=Trusted.of([world.bench.signer.verifier])).proven
    assert verify_file(after, trusted=Trusted.of([new.fingerprint])).holds
    assert not verify_file(after, trusted=Trusted.of([old_certificate])).holds
