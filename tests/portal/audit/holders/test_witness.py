"""Checkpoints go to a real witness, which signs what fits; what does not fit is never taken for an outage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from portal.audit.holders import tags
from portal.audit.holders.configured import Holders
from portal.audit.holders.cosignatures import find_cosignature, read_witness_key
from portal.audit.holders.hand_over import LONGEST_PAUSE, due_holders, hand_to
from portal.audit.holders.model import Cosignature
from portal.audit.holders.queries import cosigned_note, last_cosigned
from portal.audit.holders.witness import WitnessHolder
from portal.audit.notes import verify_head
from tests.fixtures_people import MORNING, StandingClock
from tests.portal.audit.holders.conftest import holder_at
from tests.portal.audit.holders.ledger import ORIGIN, Ledger
from tests.portal.audit.holders.witness import Witness

pytestmark = pytest.mark.on_sqlite


def cosignatures(ledger: Ledger) -> int:
    with ledger.db.reading() as session:
        return session.scalar(select(func.count()).select_from(Cosignature)) or 0


def test_a_witness_signs_each_head_and_goes_on_from_the_last(
    ledger: Ledger, witness: Witness, holder: WitnessHolder
) -> None:
    first = ledger.grow(3)
    assert hand_to(ledger.db, holder)
    last = ledger.grow(4)
    assert hand_to(ledger.db, holder)
    assert [body.split("\n")[0] for body in witness.asked] == ["old 0", "old 3"]
    assert witness.heads[ORIGIN] == (7, last.root)
    state = ledger.state(holder)
    assert (state.size, state.tries, state.error) == (7, 0, None)
    for size, row in ((3, first), (7, last)):
        with ledger.db.reading() as session:
            note = cosigned_note(session, size)
        assert note.startswith(row.note), "the log's own signature stays the first"
        assert verify_head(note, ORIGIN, ledger.key.public_key()).size == size
        found = find_cosignature(note, read_witness_key(witness.vkey))
        assert found is not None and found.at == MORNING
        assert note.count("stranger.test") == 0
    with ledger.db.reading() as session:
        newest = last_cosigned(session, 4)
        assert newest is not None and newest.size == 7
        assert last_cosigned(session, 8) is None


def test_a_witness_that_is_behind_or_lost_its_memory_is_led_on_from_where_it_is(
    ledger: Ledger, witness: Witness, holder: WitnessHolder
) -> None:
    two = ledger.grow(2)
    ledger.grow(3)
    assert hand_to(ledger.db, holder)
    witness.heads[ORIGIN] = (2, two.root)
    ledger.grow(1)
    assert hand_to(ledger.db, holder)
    witness.heads.clear()
    ledger.grow(1)
    assert hand_to(ledger.db, holder)
    starts = [body.split("\n")[0] for body in witness.asked]
    assert starts == ["old 0", "old 5", "old 2", "old 6", "old 0"]
    assert (witness.heads[ORIGIN][0], cosignatures(ledger)) == (7, 3)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        (3, "holds a checkpoint of 5 entries, but the ledger has only 3"),
        (5, "holds a checkpoint of 5 entries with another root"),
        (9, "does not begin with the one that it saw"),
    ],
    ids=["a restored backup", "the same size", "grown on"],
)
def test_a_ledger_that_was_written_anew_is_an_alarm_and_no_outage(
    ledger: Ledger, another_past: Ledger, holder: WitnessHolder, entries: int, sentence: str
) -> None:
    ledger.grow(5)
    assert hand_to(ledger.db, holder)
    another_past.grow(entries)
    assert not hand_to(another_past.db, holder)
    assert sentence in (another_past.state(holder).error or "")
    another_past.sign()
    assert not hand_to(another_past.db, holder)
    state = another_past.state(holder)
    assert (state.contradicts_since, state.size, state.tries) == (MORNING, 0, 2)
    assert another_past.told(tags.CONTRADICTED) == 1, "told once, however often it says so"
    assert cosignatures(another_past) == 0


def test_the_alarm_ends_when_the_witness_takes_a_checkpoint_again(
    ledger: Ledger, witness: Witness, holder: WitnessHolder
) -> None:
    ledger.grow(2)
    witness.heads[ORIGIN] = (9, bytes(32))
    assert not hand_to(ledger.db, holder)
    assert ledger.state(holder).contradicts_since == MORNING
    witness.heads.clear()
    assert hand_to(ledger.db, holder)
    assert ledger.state(holder).contradicts_since is None
    assert (ledger.told(tags.CONTRADICTED), ledger.told(tags.ACCEPTED)) == (1, 1)


@pytest.mark.parametrize(
    ("instead", "sentence"),
    [
        ((404, "text/plain", b"unknown log\n"), "does not know this ledger"),
        ((403, "text/plain", b"unknown key\n"), "does not trust the key"),
        ((400, "text/plain", b"bad\n"), "does not understand"),
        ((500, "text/plain", b"oh\n"), "answered 500"),
        ((302, "text/plain", b""), "answered 302"),
        ((409, "text/plain", b"3\n"), "without saying which size"),
        ((409, "text/x.tlog.size", b"03\n"), "without saying which size"),
        ((409, "text/x.tlog.size", b"0\n"), "refused the size that it has itself"),
        ((200, "text/plain", b""), "without a signature"),
        ((200, "text/plain", b"\xff\n"), "does not hold"),
    ],
)
def test_any_other_refusal_is_said_in_words_and_tried_again(
    ledger: Ledger, witness: Witness, holder: WitnessHolder, instead: tuple[int, str, bytes], sentence: str
) -> None:
    ledger.grow(3)
    witness.instead = instead
    assert not hand_to(ledger.db, holder)
    state = ledger.state(holder)
    assert sentence in (state.error or "")
    assert state.contradicts_since is None
    assert (ledger.told(tags.CONTRADICTED), cosignatures(ledger)) == (0, 0)
    witness.instead = None
    assert hand_to(ledger.db, holder)


def another_second(timed: bytes) -> bytes:
    seconds = int.from_bytes(timed[4:12], "big") + 1
    return timed[:4] + seconds.to_bytes(8, "big") + timed[12:]


SPOILT = {
    "another time": (another_second, "does not hold"),
    "a changed signature": (lambda timed: timed[:-1] + bytes([timed[-1] ^ 1]), "does not hold"),
    "a cut signature": (lambda timed: timed[:-1], "does not hold"),
    "another key": (lambda timed: bytes(4) + timed[4:], "without a signature"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_signature_that_does_not_hold_is_never_kept(
    ledger: Ledger, witness: Witness, holder: WitnessHolder, how: str
) -> None:
    ledger.grow(3)
    witness.spoil, sentence = SPOILT[how]
    assert not hand_to(ledger.db, holder)
    assert sentence in (ledger.state(holder).error or "")
    assert cosignatures(ledger) == 0


def test_a_signature_from_the_future_is_not_kept(
    ledger: Ledger, witness: Witness, holder: WitnessHolder
) -> None:
    ledger.grow(1)
    witness.clock = lambda: datetime(2026, 11, 19, tzinfo=UTC).timestamp()
    assert not hand_to(ledger.db, holder)
    assert "still to come" in (ledger.state(holder).error or "")


def test_a_witness_that_was_away_gets_the_newest_head_and_others_are_not_held_up(
    ledger: Ledger, witness: Witness, holder: WitnessHolder, clock: StandingClock
) -> None:
    holders = Holders((holder,))

    def due() -> list[str]:
        with ledger.db.reading() as session:
            return due_holders(session, holders)

    assert due() == [], "there is nothing to hand over yet"
    ledger.grow(2)
    witness.instead = (503, "text/plain", b"")
    pauses = []
    for _ in range(9):
        assert due() == [holder.key]
        assert not hand_to(ledger.db, holder)
        assert due() == [], "it has peace for a while"
        next_at = ledger.state(holder).next_at
        assert next_at is not None
        pauses.append((next_at - clock()).total_seconds())
        clock.time = next_at
    assert pauses == [15, 30, 60, 120, 240, 480, 900, 900, 900]
    assert LONGEST_PAUSE.total_seconds() == 900
    ledger.grow(5)
    witness.instead = None
    assert hand_to(ledger.db, holder)
    assert (ledger.state(holder).size, ledger.state(holder).error) == (7, None)
    assert due() == []
    ledger.grow(1)
    assert due() == [holder.key]


def test_a_witness_inside_is_called_only_where_its_network_is_listed(
    ledger: Ledger, witness: Witness
) -> None:
    unlisted = holder_at(witness, networks=())
    ledger.grow(1)
    assert not hand_to(ledger.db, unlisted)
    assert "not a public address" in (ledger.state(unlisted).error or "")
    assert witness.asked == []
