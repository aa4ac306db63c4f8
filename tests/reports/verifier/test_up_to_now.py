"""A period whose last day was not over ends with the order: as the order's entry states it, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reports.audits.document import read_audit
from reports.audits.pages.words import period
from reports.verifier import recount
from reports.verifier import verify as single
from reports.verifier.verify import Opened, Pdf, Result, Signed, run_check
from tests.reports.verifier.conftest import GenuineBundle

Told = dict[str, Any]
BERLIN = ZoneInfo("Europe/Berlin")


def order_of(told: Told) -> Told:
    entries: list[Told] = told["ledger"]["entries"]
    return next(entry["body"] for entry in entries if entry["body"]["tag"] == "audit:ordered")


def stated(told: Told, **changes: str) -> None:
    """The facts and the order's entry alike, as a portal has them that was told so."""
    told["query"].update(changes)
    order_of(told)["facts"].update(changes)


@pytest.fixture
def today(bundle: GenuineBundle) -> Told:
    """What the portal tells of the same audit with the day of its order as the last one."""
    told: Told = json.loads(bundle.members["audit.json"])
    at = datetime.fromisoformat(order_of(told)["at"])
    stated(told, last_day=at.astimezone(BERLIN).date().isoformat(), until=at.isoformat())
    return told


def refused(told: Told) -> list[str]:
    """What is said against the period."""
    result = Result("edited")
    run_check("query", lambda: single.check_query(told, result), result)
    recount.check_period(told, result)
    return [said for _, holds, said in result.checks if holds is False]


def moved(told: Told, seconds: float) -> None:
    """The end is another, and the order's entry states it too."""
    until = datetime.fromisoformat(told["query"]["until"]) + timedelta(seconds=seconds)
    stated(told, until=until.isoformat())


def day_of(told: Told, days: int) -> str:
    return (date.fromisoformat(told["query"]["last_day"]) + timedelta(days=days)).isoformat()


def midnight(day: str) -> str:
    return datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(ZoneInfo("UTC")).isoformat()


EDITS: dict[str, Callable[[Told], object]] = {
    "shortened": lambda t: moved(t, -3600),
    "shortened beyond a transaction": lambda t: moved(t, -121),
    "lengthened": lambda t: moved(t, 0.001),
    "lengthened to the end of the day": lambda t: stated(t, until=midnight(day_of(t, 1))),
    "one that the entry does not state": lambda t: t["query"].update(
        until=(datetime.fromisoformat(t["query"]["until"]) - timedelta(seconds=1)).isoformat()
    ),
    "a beginning that the entry does not state": lambda t: t["query"].update(
        {"from": (datetime.fromisoformat(t["query"]["from"]) + timedelta(seconds=1)).isoformat()}
    ),
    "a later beginning": lambda t: stated(
        t, **{"from": (datetime.fromisoformat(t["query"]["from"]) + timedelta(hours=1)).isoformat()}
    ),
    "one that no entry states": lambda t: order_of(t)["facts"].pop("until"),
    "a last day that is not come": lambda t: stated(t, last_day=day_of(t, 1)),
    "a last day that was over": lambda t: stated(t, last_day=day_of(t, -1)),
    "ordered before it began": lambda t: stated(
        t, first_day=day_of(t, 1), last_day=day_of(t, 1), **{"from": midnight(day_of(t, 1))}
    ),
}


def test_a_period_may_end_with_its_order(today: Told) -> None:
    assert refused(today) == []
    moved(today, -2)
    assert refused(today) == [], "the transaction took two seconds"


def test_a_head_that_was_signed_right_after_the_periods_end_is_said_to_leave_an_edge_open(
    bundle: GenuineBundle, today: Told
) -> None:
    """An entry may be written two minutes after the time that it states."""
    for told, wanted in ((today, [None, True]), (json.loads(bundle.members["audit.json"]), [True])):
        result = Result("edge")
        single.check_query(told, result)
        assert [holds for _, holds, _ in result.checks] == wanted


@pytest.mark.parametrize("what", EDITS)
def test_another_end_is_refused(today: Told, what: str) -> None:
    EDITS[what](today)
    assert refused(today)


@pytest.mark.parametrize("seconds", [-3600, -1, 1, 3600])
def test_the_end_of_a_whole_period_is_midnight(bundle: GenuineBundle, seconds: int) -> None:
    told: Told = json.loads(bundle.members["audit.json"])
    assert refused(told) == []
    moved(told, seconds)
    assert refused(told)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_last_day_on_which_clocks_change_ends_at_midnight_too(
    bundle: GenuineBundle, day: str, hours: int
) -> None:
    told: Told = json.loads(bundle.members["audit.json"])
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    begins, until = datetime.fromisoformat(midnight(day)), datetime.fromisoformat(midnight(after))
    assert until - begins == timedelta(hours=hours)
    stated(told, first_day=day, last_day=day, **{"from": begins.isoformat()}, until=until.isoformat())
    assert refused(told) == []
    moved(told, 3600)
    assert refused(told)


def test_a_machine_without_time_zones_says_that_it_cannot_compare_the_period_with_its_days(
    today: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "available_timezones", set)
    result = Result("today")
    recount.check_period(today, result)
    assert [(name, holds) for name, holds, _ in result.checks] == [("period", None), ("period", True)]
    assert "knows no time zones" in result.checks[0][2]
    for what in ("one that the entry does not state", "ordered before it began"):
        edited = json.loads(json.dumps(today))
        EDITS[what](edited)
        assert refused(edited), what


def test_the_pages_are_looked_through_for_the_time_that_they_say(bundle: GenuineBundle, today: Told) -> None:
    opened = Opened(
        Signed(b"", None), Pdf(bundle.members["report.pdf"]), "audit.json", today, {"audit.json": b""}
    )
    said = period(read_audit(json.dumps(today).encode()))
    assert ", up to " in said and said in recount.report_values(opened)
    result = Result("today")
    single.check_query(today, result)
    until = datetime.fromisoformat(today["query"]["until"])
    assert f"to {until:%Y-%m-%d %H:%M} UTC" in result.claim
