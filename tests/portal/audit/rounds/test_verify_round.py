"""The nightly round: what it looks at, what it writes down, and whom it tells of what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.audit import found_notes, parts, record, verified, verify, walking
from portal.audit.checkpoint import Signer, checkpoint
from portal.audit.model import Entry
from portal.audit.rounds import tags
from portal.audit.rounds.events import LedgerFoundOdd
from portal.audit.rounds.model import VerificationRound
from portal.audit.rounds.work import last_round, verify_round
from portal.audit.verify import Finding
from portal.core.database import Database
from portal.identity.actor import PORTAL
from tests.portal.audit.rounds.conftest import change

LEVEL = 3


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of eight entries, so that a short ledger has several."""
    for module in (parts, verified, verify, walking):
        for name, small in (("LEVEL", LEVEL), ("SIZE", 1 << LEVEL)):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, small)


@pytest.fixture
def told(db: Database) -> list[LedgerFoundOdd]:
    heard: list[LedgerFoundOdd] = []
    db.handlers = db.info["handlers"] = {
        **db.handlers,
        LedgerFoundOdd: (lambda _session, event: heard.append(event),),
    }
    return heard


@pytest.fixture
def one_round(db: Database, signer: Signer, tmp_path: Path) -> Callable[[], VerificationRound]:
    def run() -> VerificationRound:
        verify_round(
            db, db.transaction, signer=signer, known=tmp_path / "verified.json", records=lambda: records
        )
        with db.reading() as session:
            last = last_round(session)
            assert last is not None
            return last

    records: list[Finding] = []
    run.records = records  # type: ignore[attr-defined]
    return run


def write(db: Database, count: int) -> None:
    for number in range(count):
        with db.transaction() as session:
            record(session, "thing:done", subject=f"thing:{number}", actor=PORTAL, personal={"reason": "só"})


def test_a_round_reads_what_is_new_and_once_a_week_everything(db, signer, clock, told, one_round):
    write(db, 20)
    checkpoint(db, signer)
    first = one_round()
    assert (first.whole, first.entries, first.findings) == (True, 20, [])
    # An old text is changed; its hash and the tree still hold what was signed.
    change(db, "UPDATE ledger_entry SET body = replace(body, 'thing:3', 'thing:9') WHERE number = 4")
    write(db, 3)
    clock.pass_time(seconds=timedelta(days=1).total_seconds())
    assert (one_round().whole, told) == (False, [])
    clock.pass_time(seconds=timedelta(days=6).total_seconds())
    third = one_round()
    assert third.whole
    assert third.findings == ["Entry 4 was changed: its text does not fit its hash."]
    assert [event.why for event in told] == third.findings
    clock.pass_time(seconds=timedelta(days=7).total_seconds())
    assert one_round().findings == third.findings
    assert len(told) == 1
    with db.reading() as session:
        found = session.scalars(
            select(Entry.tag).where(Entry.subject == "ledger").order_by(Entry.number)
        ).all()
    assert found == [tags.VERIFIED, tags.VERIFIED, tags.FOUND_ODD, tags.FOUND_ODD]


def test_going_on_still_sees_a_changed_tree_and_what_is_new(db, signer, tmp_path, told, one_round):
    write(db, 20)
    checkpoint(db, signer)
    one_round()
    change(db, "UPDATE ledger_node SET hash = (SELECT hash FROM ledger_node WHERE level = 0 AND position = 1) WHERE level = 3 AND position = 0")  # fmt: skip
    assert one_round().findings[0] == (
        "Entries 1 to 8: the node over them in the stored tree does not hold their hash."
    )


@pytest.mark.parametrize(("gone", "first"), [("number > 5", 6), ("number = 5", 5)])
def test_going_on_still_sees_that_old_entries_are_missing(db, signer, tmp_path, one_round, gone, first):
    write(db, 16)
    checkpoint(db, signer)
    one_round()
    change(db, f"DELETE FROM ledger_entry WHERE {gone}")
    result = verify.verify_ledger(
        db,
        name=signer.name,
        keys=signer.public_keys,
        folder=signer.folder,
        known=tmp_path / "verified.json",
        whole=False,
    )
    assert (result.since, [finding.entry for finding in result.findings]) == (16, [first])


@pytest.mark.on_sqlite
def test_going_on_breaks_over_no_node_of_another_kind(db, signer, told, one_round):
    write(db, 16)
    checkpoint(db, signer)
    one_round()
    change(db, "UPDATE ledger_node SET hash = 'x' WHERE level = 4")
    assert "is not the one that was verified before" in one_round().findings[0]


def test_what_does_not_fit_beside_the_entries_is_told_too(db, signer, told, one_round):
    write(db, 2)
    checkpoint(db, signer)
    one_round.records.append(Finding(2, "Request SR-000002 says something else than entry 2."))
    assert one_round().findings == ["Request SR-000002 says something else than entry 2."]
    assert told == [LedgerFoundOdd("Request SR-000002 says something else than entry 2.", 1)]


def test_going_on_verifies_no_old_checkpoint_again_unless_one_changed(
    db, signer, tmp_path, monkeypatch, one_round
):
    for _ in range(4):
        write(db, 5)
        checkpoint(db, signer)
    one_round()
    verified: list[str] = []
    verify_head_by = found_notes.verify_head_by

    def counted(note, keys):
        verified.append(note)
        return verify_head_by(note, keys)

    monkeypatch.setattr(found_notes, "verify_head_by", counted)
    assert one_round().findings == []
    # The first sixteen entries are two whole parts; the checkpoint over twenty and its copy, the newest, are beyond.
    assert {note.split("\n")[1] for note in verified} == {"20"}
    (signer.folder / "000000000005.note").write_text("portal.test/ledger\n5\nAAAA\n")
    assert one_round().findings == ["Checkpoint 000000000005.note: The checkpoint carries no signature."]
    (signer.folder / "000000000005.note").unlink()
    verified.clear()
    assert one_round().findings == []
    assert len(verified) == 4, "where one is missing all are verified again"


@pytest.mark.parametrize("count", [1, 7, 8, 9, 31, 32, 33, 50])
def test_parts_make_the_tree_that_checkpoints_sign(db, signer, count):
    for number in range(count):
        write(db, 1)
        if number % 5 == 0:
            checkpoint(db, signer)
    result = verify.verify_ledger(db, name=signer.name, keys=signer.public_keys, folder=signer.folder)
    assert result.findings == []
    assert result.entries == count
