"""What the figures say of requests whose story is known, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from approvals.emergency.model import ReviewState
from approvals.routing.model import StageState
from catalog.requests.states import State
from portal.core.errors import Forbidden
from reports.figures.care import FEWEST_PEOPLE, Made, care, enough, in_groups
from reports.figures.estate import estate
from reports.figures.resting import resting
from reports.figures.speed import speed
from tests.reports.figures.conftest import Written, finding_of, rows_of


@pytest.mark.on_sqlite
def test_waiting_is_counted_in_working_hours_of_the_unit(written: Written) -> None:
    # Monday 16:00 to Tuesday 10:00 in Berlin is two hours of work; Tuesday 11:00 to 16:00 is five.
    for opened, closed in (((42, 24)), ((23, 18))):
        request = written.request(State.FULFILLED)
        written.stage(
            request,
            StageState.APPROVED,
            opened_at=written.at(hours=opened),
            closed_at=written.at(hours=closed),
        )
    written.stage(written.request(), StageState.CLOSED, closed_at=written.at(hours=1))
    sheet = written.sheet(speed, written.asked(written.cast.compliance))
    assert rows_of(sheet, "waiting-by-stage") == (("Line manager", "2", "2 h", "5 h"),)
    assert rows_of(sheet, "waiting-by-unit") == (("Holding", "2", "2 h", "5 h"),)
    assert "within 2 working hours" in finding_of(sheet, "waiting-by-offering")


@pytest.mark.on_sqlite
def test_promises_are_kept_missed_not_due_or_none(written: Written) -> None:
    past, future = written.at(hours=1), written.at(hours=-1)
    written.request(State.FULFILLED, promised_by=future, fulfilled_at=past)
    written.request(State.FULFILLED, promised_by=past, fulfilled_at=written.clock())
    written.request(State.PENDING, promised_by=past)
    written.request(State.PENDING, promised_by=future)
    written.request(State.WITHDRAWN, promised_by=future, closed_at=past)
    written.request(State.PENDING, offering="rule", promised_by=None)
    written.request(State.FULFILLED, promised_by=future, fulfilled_at=past, submitted_at=written.at(days=60))
    sheet = written.sheet(speed, written.asked(written.cast.compliance))
    assert rows_of(sheet, "promises-by-offering") == (
        ("Role", "1", "2", "1", "1", "5"),
        ("Rule", "0", "0", "0", "1", "1"),
    )
    assert finding_of(sheet, "promises-by-unit").startswith("33.3% of the promises that came due were kept")
    assert finding_of(sheet, "requests") == "6 requests were submitted; 2 of them were carried out since."
    assert rows_of(sheet, "requests")[-1] == ("16 November", "6", "2")


@pytest.mark.on_sqlite
def test_refusals_tell_who_said_no_and_in_which_stage_but_no_persons_words(written: Written) -> None:
    closed = written.at(hours=1)
    for _ in range(2):
        request = written.request(State.REJECTED, closed_at=closed, outcome="Milo says: not you")
        written.stage(request, StageState.REJECTED, closed_at=closed)
    written.request(State.REJECTED, closed_at=closed)
    written.request(State.REFUSED, closed_at=closed)
    written.request(State.WITHDRAWN, closed_at=closed)
    written.request(State.REFUSED, closed_at=written.at(days=40))
    sheet = written.sheet(speed, written.asked(written.cast.compliance))
    assert rows_of(sheet, "refusals") == (
        ("Line manager said no", "2"),
        ("A rule or the target said no", "1"),
        ("Nobody decided in time", "1"),
        ("Taken back by the requester", "1"),
    )
    assert "Milo" not in str(sheet)


@pytest.mark.on_sqlite
def test_batons_rest_with_a_kind_of_party_and_the_oldest_is_told(written: Written) -> None:
    written.request(State.PENDING, baton_since=written.at(days=3), baton_due=written.at(days=1))
    written.request(State.PENDING, baton_since=written.at(days=1))
    written.request(State.PENDING, paused_since=written.at(hours=1), baton_since=written.at(hours=1))
    written.request(State.FAILED, baton_since=written.at(days=9))
    written.request(State.FULFILLED)
    sheet = written.sheet(resting, written.asked(written.cast.compliance))
    assert rows_of(sheet, "batons") == (
        ("The approvers", "2", "1", "3 days ago"),
        ("The operators, after a failure", "1", "0", "9 days ago"),
        ("The requester, who was asked something", "1", "0", "1 hour ago"),
    )
    assert "The oldest has rested since 9 Nov 2026" in finding_of(sheet, "batons")


def test_load_names_approvers_to_compliance_and_only_counts_them_for_others(written: Written) -> None:
    people = [written.person(f"Approver {n}", written.unit("lisbon")) for n in range(FEWEST_PEOPLE - 1)]
    for person in (*people, people[0]):
        written.asks(written.stage(written.request()), person)
    written.decided(people[0])
    seen = written.sheet(resting, written.asked(written.cast.compliance))
    assert rows_of(seen, "load")[0] == ("Approver 0", "2", "1")
    owner = written.sheet(resting, written.asked(written.cast.owner))
    assert owner.find_chart("load") is None
    assert finding_of(owner, "load-elsewhere").startswith("Fewer than 5 approvers")
    written.asks(written.stage(written.request()), written.cast.manager)
    owner = written.sheet(resting, written.asked(written.cast.owner))
    assert rows_of(owner, "load-elsewhere")[:3] == (("none", "0"), ("1 or 2", "5"), ("3 to 5", "0"))
    lead = written.sheet(resting, written.asked(written.cast.head, lead=True))
    assert "Approver 0" in str(rows_of(lead, "load")), "the head of the holding leads Lisbon too"


def test_estate_and_debt_say_what_is_explained_and_what_nobody_looked_back_at(written: Written) -> None:
    written.reading("firewall", 50, 20)
    written.reading("firewall", 40, 39)
    written.reading("ldap", 0, 0, was_read=False)
    written.review(due_at=written.at(hours=-3))
    written.review()
    written.review(ReviewState.LAPSED, closed_at=written.at(hours=5))
    written.review(ReviewState.RIGHT, closed_at=written.at(hours=5))
    written.review(ReviewState.WRONG, closed_at=written.at(days=40), undone_at=written.at(days=39))
    written.review(ReviewState.VOID)
    sheet = written.sheet(estate, written.asked(written.cast.compliance))
    assert rows_of(sheet, "estate")[0][:4] == ("firewall", "40", "39", "97.5%")
    assert finding_of(sheet, "estate").endswith("1 are not. Not read at the last try: ldap.")
    assert rows_of(sheet, "debt") == (("Holding", "1", "1", "0", "1"),)
    assert (
        finding_of(sheet, "debt")
        == "3 emergencies weigh, 1 of them not reviewed and overdue. The first review is due by 18 Nov 2026."
    )
    assert rows_of(sheet, "reviews") == (
        ("Found right", "1"), ("Found wrong", "0"), ("Reviewed by nobody in time", "1")
    )  # fmt: skip
    assert written.sheet(estate, written.asked(written.cast.owner)).find_chart("estate") is None


@pytest.mark.on_sqlite
def test_quick_decisions_are_told_only_of_groups_that_hide_everybody(written: Written) -> None:
    people = [written.person(f"Approver {n}") for n in range(6)]
    for person in people[:4]:
        for _ in range(3):
            written.decided(person, seconds=3)
    asked = written.asked(written.cast.compliance)
    hidden = written.sheet(care, asked)
    assert all(chart.empty for chart in hidden.charts), "four people are too few"
    for person in people[4:]:
        written.decided(person, seconds=600)
    written.decided(people[0], seconds=None, offering="rule")
    sheet = written.sheet(care, written.asked(written.cast.compliance))
    assert (
        finding_of(sheet, "time")
        == "86% of about 10 decisions were made within ten seconds of opening the card."
    )
    assert rows_of(sheet, "quick-by-offering") == (("Role", "10", "86%"),)
    # One decision about a rule would stand alone: it and the roles become one figure.
    assert rows_of(sheet, "unopened") == (("All together", "10", "7%"),)
    assert not any(name in str(sheet) for name in ("Approver 0", "Rosa"))


def test_a_small_group_is_never_what_remains_when_the_others_are_taken_away() -> None:
    def made(offering: int, people: range, each: int) -> list[Made]:
        return [Made(person, offering, 1, None, opened=True) for person in people for _ in range(each)]

    large, middle, small = made(1, range(9), 5), made(2, range(6), 2), made(3, range(1), 1)
    groups = in_groups([*large, *middle, *small], lambda one: str(one.offering))
    assert {name: len(kept) for name, kept in groups.items()} == {"1": 45, "All others": 13}
    assert all(enough(kept) for kept in groups.values())
    assert in_groups([*middle[:8], *small], lambda one: str(one.offering)) == {}


def test_figures_are_of_what_the_reader_answers_for(written: Written) -> None:
    lisbon = written.unit("lisbon")
    written.offering("rule", "Rule", owner="network-security")
    written.request(offering="role")
    written.request(offering="role", unit=lisbon)
    written.request(offering="rule", unit=lisbon)

    def counted(person: int, **narrowed: str) -> dict[str, str]:
        sheet = written.sheet(speed, written.asked(person, **narrowed))
        return {row[0]: row[-1] for row in rows_of(sheet, "promises-by-offering")}

    cast = written.cast
    assert counted(cast.compliance) == {"Role": "2", "Rule": "1"}
    assert counted(cast.compliance, unit="lisbon") == {"Role": "1", "Rule": "1"}
    assert counted(cast.compliance, unit="holding") == {"Role": "2", "Rule": "1"}, "with those below"
    assert counted(cast.compliance, offering="rule") == {"Rule": "1"}
    assert counted(cast.security) == {"Rule": "1"}, "owned by the network's people"
    assert counted(cast.security, offering="role") == {"Rule": "1"}, "what is not theirs narrows nothing"
    for nobody in (cast.requester, cast.outsider, cast.auditor):
        with pytest.raises(Forbidden):
            written.asked(nobody)


@pytest.mark.on_sqlite
def test_a_period_is_the_months_that_it_is_called_by(written: Written) -> None:
    def days(kind: str) -> tuple[str, str]:
        period = written.period(kind)
        return period.first.isoformat(), period.last.isoformat()

    assert days("month") == ("2026-11-01", "2026-11-18")
    assert days("last-month") == ("2026-10-01", "2026-10-31")
    assert days("last-quarter") == ("2026-07-01", "2026-09-30")
    assert days("last-year") == ("2025-01-01", "2025-12-31")
    assert [name for _first, name in written.period("last-quarter").parts()][:2] == ["1 July", "6 July"]
    assert [name for _first, name in written.period("last-year").parts()][:2] == ["Jan 2025", "Feb 2025"]
    own = replace(written.period("month"), kind="own")
    assert own.whole_months().kind == "quarter"
    assert written.period("own").wrong, "it has no days"
