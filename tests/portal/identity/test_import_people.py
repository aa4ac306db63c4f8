"""Importing an organisation: people, units with what they inherit, absences."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from portal.audit.identity import on_people_imported
from portal.audit.model import Entry
from portal.identity.actor import PORTAL
from portal.identity.import_people import import_people
from portal.identity.model import Absence, Unit, WebSession
from portal.identity.organisation import OrganisationError, read_organisation
from portal.identity.permissions import Permission
from portal.identity.unit_settings import UnitSettings
from portal.identity.web_sessions import actor_of


def organisation(**changes):
    people = [
        {
            "subject": f"s-{name}",
            "user_name": name,
            "name": name.title(),
            "email": f"{name}@m.example",
            "unit": unit,
        }
        for name, unit in (("ingrid", "holding"), ("jose", "energia"), ("ines", "sales"))
    ]
    content = {
        "organisation": "Meridian",
        "units": [
            {
                "slug": "holding",
                "name": "Holding",
                "timezone": "Europe/Berlin",
                "country": "DE",
                "head": "ingrid",
                "targets": {"line-manager": "4h", "firewall-rule/network": "2d"},
                "days_off": ["2026-12-24"],
            },
            {
                "slug": "energia",
                "name": "Energia",
                "parent": "holding",
                "timezone": "Europe/Lisbon",
                "head": "jose",
                "approver_groups": {"network-security": "energia-network"},
                "calendar": {"days": ["mon", "tue", "wed", "thu"], "hours": "08:00-18:00"},
                "targets": {"line-manager": "1d"},
            },
            {"slug": "sales", "name": "Energia Sales", "parent": "energia", "days_off": ["2026-06-13"]},
        ],
        "people": people,
        "groups": [{"slug": "energia-network", "name": "Energia network", "members": ["jose"]}],
        "days_off": ["2026-12-31"],
        "absences": [{"person": "jose", "from": "2026-11-23", "to": "2026-11-27"}],
        **changes,
    }
    return read_organisation(content)


def imported(db, **changes):
    with db.transaction() as session:
        import_people(session, PORTAL, organisation(**changes), issuer="https://sso.test")


def settings_of(db, slug):
    with db.reading() as session:
        return UnitSettings.from_json(session.scalars(select(Unit.settings).where(Unit.slug == slug)).one())


def test_a_unit_inherits_from_the_holding_and_says_only_what_differs(db):
    imported(db)
    sales = settings_of(db, "sales")
    assert sales.group_for("network-security") == "energia-network"
    assert sales.group_for("crm-owners") == "crm-owners"
    assert sales.target_for("anything", "line-manager", 60) == 480
    assert sales.target_for("firewall-rule", "network", 60) == 960
    assert sales.target_for("firewall-rule", "other", 60) == 60
    assert (sales.days, sales.hours) == (frozenset({1, 2, 3, 4}), "08:00-18:00")
    assert sales.days_off == {date(2026, 12, 24), date(2026, 12, 31), date(2026, 6, 13)}
    holding = settings_of(db, "holding")
    assert holding.group_for("network-security") == "network-security"
    assert (holding.days, holding.hours) == (frozenset(), "")
    assert holding.target_for("anything", "line-manager", 60) == 240


def test_absences_are_those_of_the_file_and_importing_again_changes_nothing(db):
    for _ in range(2):
        imported(db)
    with db.reading() as session:
        rows = session.execute(select(Absence.first_day, Absence.last_day)).all()
    assert rows == [(date(2026, 11, 23), date(2026, 11, 27))]
    with db.transaction() as session:
        person = session.scalars(select(Absence.person_id)).first()
        session.add(Absence(person_id=person, first_day=date(2026, 12, 1), last_day=date(2026, 12, 2)))
    imported(db, absences=[])
    with db.reading() as session:
        left = session.scalars(select(Absence)).all()
        assert [(one.first_day, one.imported) for one in left] == [(date(2026, 12, 1), False)], (
            "their own stays"
        )


@pytest.mark.on_sqlite
def test_roles_that_come_and_go_with_a_group_are_told_and_entered(db):
    def read_in(*members):
        group = {
            "slug": "energia-network",
            "name": "Energia network",
            "roles": ["operator"],
            "members": list(members),
        }
        with db.transaction() as session:
            event = import_people(session, PORTAL, organisation(groups=[group]), issuer="https://sso.test")
            on_people_imported(session, event)
            return event

    first, again, other = read_in("jose"), read_in("jose"), read_in("ines")
    assert [(held.role, held.group) for held in first.given] == [("operator", "energia-network")]
    assert not first.taken and not again.given and not again.taken
    assert other.taken == first.given and len(other.given) == 1
    with db.reading() as session:
        entries = session.execute(
            select(Entry.tag, Entry.subject).where(Entry.tag.startswith("role:")).order_by(Entry.number)
        ).all()
    jose, ines = (f"person:{event.given[0].person_id}" for event in (first, other))
    assert entries == [("role:given", jose), ("role:given", ines), ("role:taken", jose)]


@pytest.mark.on_sqlite
def test_who_heads_a_unit_leads_it_without_being_given_the_role(db, clock):
    imported(db)
    with db.transaction() as session:
        for name, leads in (("jose", True), ("ines", False)):
            person = session.scalars(select(_person()).where(_person().user_name == name)).one()
            row = WebSession(
                token_hash=name, created_at=clock(), seen_at=clock(), expires_at=clock(), content={}
            )
            session.add(row)
            session.flush()
            assert actor_of(session, person, row).may(Permission.READ_UNIT_REQUESTS) is leads


def _person():
    from portal.identity.model import Person

    return Person


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"absences": [{"person": "josé", "from": "2026-11-23", "to": "2026-11-27"}]},
            "no person 'josé'. Did you mean 'jose'?",
        ),
        (
            {"absences": [{"person": "jose", "from": "2026-11-23", "to": "2026-11-22"}]},
            "on or after its first day",
        ),
        ({"groups": []}, "energia, approver_groups: There is no group 'energia-network'."),
        (
            {"units": [{"slug": "holding", "name": "H", "targets": {"line-manager": "4 hours"}}]},
            "'4 hours' is not a working time",
        ),
        (
            {"units": [{"slug": "holding", "name": "H", "calendar": {"hours": "25:00-26:00"}}]},
            "units, 1, calendar, hours",
        ),
    ],
)
def test_what_is_wrong_is_said_in_words(changes, said):
    with pytest.raises(OrganisationError) as caught:
        organisation(**changes)
    assert said in str(caught.value)
