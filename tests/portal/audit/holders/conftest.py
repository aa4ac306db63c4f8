"""A ledger, a second one that says it is the first, and a witness that watches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.audit.holders.cosignatures import read_witness_key
from portal.audit.holders.witness import WitnessHolder
from portal.core.database import Database
from portal.core.destinations import Destinations
from portal.core.outgoing import Outgoing
from portal.tables import METADATA
from tests.fixtures_people import StandingClock
from tests.portal.audit.holders.ledger import ORIGIN, Ledger
from tests.portal.audit.holders.witness import Witness, raw, standing


@pytest.fixture
def ledger(db: Database) -> Ledger:
    return Ledger(db)


@pytest.fixture
def another_past(ledger: Ledger, tmp_path: Path, clock: StandingClock) -> Iterator[Ledger]:
    """The same log by name and key, written anew in another database."""
    db = Database(f"sqlite:///{tmp_path / 'another.db'}", clock=clock)
    METADATA.create_all(db.engine)
    yield Ledger(db, ledger.key, story="another")
    db.dispose()


@pytest.fixture
def witness(ledger: Ledger, clock: StandingClock) -> Iterator[Witness]:
    with standing(Witness(logs={ORIGIN: raw(ledger.key)}, clock=lambda: clock().timestamp())) as running:
        yield running


@pytest.fixture
def holder(witness: Witness) -> WitnessHolder:
    return holder_at(witness)


def holder_at(witness: Witness, networks: tuple[str, ...] = ("127.0.0.0/8",)) -> WitnessHolder:
    """The portal's side of it."""
    origin = witness.url.removesuffix("/w1")
    outgoing = Outgoing(Destinations.listed([origin], networks), seconds=60)
    return WitnessHolder(witness.url, read_witness_key(witness.vkey), outgoing)
