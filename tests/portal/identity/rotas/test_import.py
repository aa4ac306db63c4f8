"""Importing on-call rotas: calendars as other systems write them, and what becomes of duty that is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.identity.actor import PORTAL
from portal.identity.rotas.duty import duties
from portal.identity.rotas.importing import import_rota
from portal.identity.rotas.model import RotaShift
from portal.identity.rotas.reading import RotaError, read_rota
from tests.fixtures_people import MORNING

WEEKS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
X-WR-CALNAME:Network on call\r
X-WR-TIMEZONE:Europe/Berlin\r
BEGIN:VEVENT\r
UID:sami@rota\r
SUMMARY:sami.security\r
DTSTART;TZID=Europe/Berlin:20261116T080000\r
DTEND;TZID=Europe/Berlin:20261123T080000\r
RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20270301\r
BEGIN:VALARM\r
TRIGGER:-PT15M\r
DESCRIPTION:Your duty begins\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:otto@rota\r
SUMMARY:Network on call\r
ATTENDEE;CN="Owner, Otto";ROLE=REQ-PARTICIPANT:mailto:Otto.Owner@meridian\r
 .example\r
DTSTART;TZID=Europe/Berlin:20261123T080000\r
DURATION:P1W\r
RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4\r
EXDATE;TZID=Europe/Berlin:20261207T080000\r
END:VEVENT\r
END:VCALENDAR\r
"""
SHIFTS = """rota: night-watch
name: Night watch
timezone: Europe/Berlin
shifts:
  - {person: sami.security, from: 2026-11-18 08:00, to: 2026-11-18 20:00}
  - {person: olga.owner, from: 2026-11-18 20:00, to: 2026-11-19 08:00}
"""


def read(text, name="network-on-call.ics", **options):
    return read_rota(text.encode(), name, now=MORNING, **options)


def imported(db, text, name="network-on-call.ics", **options):
    with db.transaction() as session:
        return import_rota(session, PORTAL, read(text, name, **options))


def on_duty(db, slug, at=MORNING):
    with db.reading() as session:
        found = duties(session, [slug], at=at)
        return [one.person.id for one in found if one.now], [one.person.id for one in found if not one.now]


@pytest.mark.on_sqlite
def test_a_calendar_gives_its_name_its_people_and_every_time_its_events_happen(db, cast):
    event = imported(db, WEEKS)
    assert (event.rota, event.name, event.people) == ("network-on-call", "Network on call", 2)
    assert on_duty(db, "network-on-call") == ([cast.security], [cast.second_owner])
    assert on_duty(db, "network-on-call", MORNING + timedelta(days=7)) == (
        [cast.second_owner],
        [cast.security],
    )
    assert on_duty(db, "network-on-call", MORNING + timedelta(days=21))[0] == [], "that week is excepted"


@pytest.mark.on_sqlite
def test_duty_changes_hands_at_the_same_hour_of_the_wall_in_winter_and_in_summer(db, cast):
    text = WEEKS.replace("UNTIL=20270301", "UNTIL=20270601")
    starts = [shift.starts_at for shift in read(text).shifts if shift.names == ("sami.security",)]
    assert starts[0] == datetime(2026, 11, 16, 7, tzinfo=UTC)
    assert starts[-1] == datetime(2027, 5, 31, 6, tzinfo=UTC)


@pytest.mark.on_sqlite
def test_yaml_lists_shifts_in_the_rotas_own_zone(db, cast):
    imported(db, SHIFTS, "night.yaml")
    assert on_duty(db, "night-watch") == ([cast.security], [cast.owner])
    assert on_duty(db, "night-watch", datetime(2026, 11, 18, 19, tzinfo=UTC))[0] == [cast.owner]


def test_the_same_file_again_changes_nothing(db, cast):
    def rows():
        with db.reading() as session:
            return [
                (shift.id, shift.starts_at, shift.ends_at)
                for shift in session.scalars(select(RotaShift).order_by(RotaShift.id))
            ]

    imported(db, WEEKS)
    before = rows()
    imported(db, WEEKS)
    assert rows() == before != []


def test_duty_that_is_over_stays_and_one_that_runs_is_cut_where_the_file_says_otherwise(db, cast, clock):
    imported(db, SHIFTS, "night.yaml")
    clock.pass_time(hours=2)
    imported(db, SHIFTS.replace("sami.security", "otto.owner"), "night.yaml")
    with db.reading() as session:
        rows = {
            (shift.person_id, shift.starts_at): shift.ends_at for shift in session.scalars(select(RotaShift))
        }
    assert rows[cast.security, datetime(2026, 11, 18, 7, tzinfo=UTC)] == clock(), "cut, not rewritten"
    assert on_duty(db, "night-watch", clock())[0] == [cast.second_owner]


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        (WEEKS.replace("sami.security", "nobody.here"), "a.ics", "a.ics:5: 'nobody.here': nobody active"),
        (WEEKS.replace("sami.security", "lena.leaver"), "a.ics", "nobody active is called so"),
        (SHIFTS.replace("olga.owner", "Nobody"), "n.yaml", "n.yaml:6: 'Nobody': nobody active"),
        (SHIFTS.replace("20:00, to: 2026-11-19 08:00", "20:00, to: 2026-11-18 19:00"), "n.yaml", "n.yaml:6: this duty ends"),
        (SHIFTS.replace("2026-11-18 08:00", "today"), "n.yaml", "n.yaml:5: write moments"),
        (SHIFTS.replace("Europe/Berlin", "Europe/Berlln"), "n.yaml", "there is no time zone"),
        (SHIFTS.replace("name: Night watch", "nam: Night watch"), "n.yaml", "nam"),
        (WEEKS.replace("FREQ=WEEKLY;INTERVAL=2;COUNT=4", "FREQ=SECONDLY"), "a.ics", "by the hour at most"),
        (WEEKS.replace("FREQ=WEEKLY;INTERVAL=2;COUNT=4", "FREQ=NEVER"), "a.ics", "no rule of repetition"),
        (WEEKS.replace("DURATION:P1W", "DURATION:long"), "a.ics", "no duration"),
        (WEEKS.replace("DURATION:P1W", "DTEND:20261122T080000"), "a.ics", "ends before it begins"),
        (WEEKS.replace("TZID=Europe/Berlin:20261116T080000", "TZID=Mars/Base:20261116T080000"), "a.ics", "a.ics:8: there is no time zone"),
        (WEEKS.replace("DTSTART;TZID=Europe/Berlin:20261116", "DTSTART;TZID=Europe/Berlin:20261316"), "a.ics", "a.ics:8: this is no moment"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "a.ics", "nobody is ever on duty"),
        (WEEKS, "Network On Call!.ics", "give one such as network-on-call"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_with_its_place_and_changes_nothing(db, cast, text, name, why):
    with pytest.raises(RotaError) as refused:
        imported(db, text, name)
    assert why in "\n".join(refused.value.problems)
    with db.reading() as session:
        assert session.scalars(select(RotaShift)).all() == []


@pytest.mark.on_sqlite
def test_one_time_that_was_moved_stands_in_for_the_one_it_replaces(db, cast):
    moved = """BEGIN:VEVENT
UID:sami@rota
RECURRENCE-ID;TZID=Europe/Berlin:20261116T080000
SUMMARY:Olga Owner
DTSTART;TZID=Europe/Berlin:20261116T080000
DTEND;TZID=Europe/Berlin:20261123T080000
END:VEVENT
END:VCALENDAR"""
    imported(db, WEEKS.replace("END:VCALENDAR\r\n", moved))
    assert on_duty(db, "network-on-call")[0] == [cast.owner]
