"""A sample of what `make tamper` does in full: each kind of change at least once, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures_servers import PostgresServer
from tests.tamper.estate import Estate
from tests.tamper.playing import clean_run, estate_on, kinds_for, play

SEED = 6
CHANGES = 32


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def estate(request: pytest.FixtureRequest) -> Iterator[Estate]:
    """Made once for each database; each change begins with it as it was."""
    server: PostgresServer | None = (
        request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    )
    with estate_on(server) as made:
        yield made


def test_nothing_is_found_where_nobody_interfered(estate: Estate) -> None:
    estate.bring_back("clean")
    assert estate.verify() == []


def test_every_change_is_found_and_named(estate: Estate) -> None:
    outcomes = [play(estate, kind, f"{SEED} {turn}") for turn, kind in enumerate(kinds_for(CHANGES, SEED))]
    assert len(outcomes) == CHANGES
    assert [outcome.told for outcome in outcomes if not outcome.named] == []


@pytest.mark.parametrize("seed", [1, 2])
def test_no_alarm_is_raised_after_another_story(seed: int) -> None:
    assert clean_run(None, seed) == []
