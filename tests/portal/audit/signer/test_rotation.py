"""A new key signs beside the old one for a while; what both signed leads from the old to the new."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.audit.notes import NoteError, is_signed_by
from portal.audit.signer.notary import Notary
from portal.audit.signer.refusals import NotNow, Unready
from portal.audit.signer.statement import read_statement
from portal.audit.signer.vault import FileVault
from tests.portal.audit.signer.conftest import ORIGIN, Log

OVERLAP = timedelta(days=30)


@dataclass
class Desk:
    """A signer whose clock stands."""

    folder: Path
    time: datetime = datetime(2026, 11, 22, 9, tzinfo=UTC)
    log: Log = field(default_factory=Log)

    def __post_init__(self) -> None:
        self.notary = Notary(self.folder, FileVault(self.folder), origin=ORIGIN, clock=lambda: self.time)

    def sign(self) -> str:
        """One entry more, as a note."""
        old = len(self.log.entries)
        head = self.log.grow(1)
        return f"{head.body()}\n{self.notary.sign(old, self.log.proof(old), head)}"

    def keys_of(self, note: str) -> list[int]:
        """Which of its keys signed the note."""
        return [
            number
            for number, verifier in enumerate(self.notary.state().verifiers, start=1)
            if is_signed_by(note, verifier)
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "signer")


def test_during_the_overlap_both_keys_sign_and_after_it_the_new_one_alone(desk: Desk) -> None:
    desk.sign()
    state = desk.notary.rotate(OVERLAP)
    assert state.overlap_until == desk.time + OVERLAP
    assert desk.keys_of(desk.sign()) == [1, 2]
    desk.time += OVERLAP
    assert desk.keys_of(desk.sign()) == [2]
    # What was signed last is known, whichever key signed it.
    desk.time += OVERLAP
    assert desk.notary.state().trouble == ""


def test_the_old_key_signs_for_the_new_one_and_nobody_else_can(desk: Desk) -> None:
    desk.sign()
    state = desk.notary.rotate(OVERLAP)
    (note,) = state.statements
    stated = read_statement(note)
    assert (stated.origin, stated.old, stated.new) == (ORIGIN, *state.verifiers)
    for changed in (
        note.replace(ORIGIN, "portal.other/ledger"),
        note.replace(state.verifiers[1], state.verifiers[0]),
        "\n".join(line for line in note.split("\n") if not line.startswith("—")),
        note.rsplit("—", 1)[0],
        note.replace("countersign-ledger-key/1", "countersign-ledger-key/2"),
        desk.sign(),
    ):
        with pytest.raises(NoteError):
            read_statement(changed)


def test_there_is_no_second_rotation_before_the_first_is_over_and_an_old_key_is_deleted_only_after_it(
    desk: Desk,
) -> None:
    desk.sign()
    with pytest.raises(NotNow, match="no old key"):
        desk.notary.retire()
    desk.notary.rotate(OVERLAP)
    with pytest.raises(NotNow, match="still under way"):
        desk.notary.rotate(OVERLAP)
    with pytest.raises(NotNow, match="it is deleted after that"):
        desk.notary.retire()
    desk.time += OVERLAP
    desk.notary.retire()
    assert sorted(path.name for path in desk.folder.glob("*.pem")) == ["ledger-2.pem"]
    assert desk.keys_of(desk.sign()) == [2]
    assert len(desk.notary.rotate(OVERLAP).verifiers) == 3
    assert desk.keys_of(desk.sign()) == [2, 3]
    for days in (0, 367):
        with pytest.raises(NotNow, match="between 1 and 366 days"):
            desk.notary.rotate(timedelta(days=days))


def test_a_rotation_that_a_crash_interrupted_takes_the_key_that_was_made(desk: Desk) -> None:
    desk.sign()
    made = FileVault(desk.folder).make(2)
    state = desk.notary.rotate(OVERLAP)
    assert FileVault(desk.folder).load(2).public_key() == made.public_key()
    assert len(state.verifiers) == 2


def test_a_key_that_was_exchanged_signs_nothing(desk: Desk) -> None:
    desk.sign()
    (desk.folder / "ledger.pem").unlink()
    FileVault(desk.folder).make(1)
    with pytest.raises(Unready, match="another one than the list says"):
        desk.sign()
    assert "another one" in desk.notary.state().trouble
