"""Mandates are given, changed and ended by administrators, on the page and by command; each is told of and entered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal import cli as roof
from portal.audit.model import Entry
from portal.identity.auditors.model import AuditorMandate
from portal.identity.auditors.reading import scope_of
from portal.identity.model import Group, Membership, Person
from portal.notifications.model import Message
from tests.fixtures_requests import OFFERING, add_offering
from tests.portal.identity.auditors.conftest import web

__all__ = ["web"]
FORM = {"person": "ada.auditor", "first_day": "2026-11-18", "last_day": "2026-11-30"}


@pytest.fixture
def administrator(web, cast):
    with web.portal.db.transaction() as session:
        group = Group(slug="administrators", name="Administrators", roles=["administrator"])
        session.add(group)
        session.flush()
        session.add(Membership(group_id=group.id, person_id=cast.operator))
    return web.browser(cast.operator)


def _entries(web):
    with web.portal.db.reading() as session:
        tags = session.scalars(
            select(Entry.tag).where(Entry.tag.startswith("mandate:")).order_by(Entry.number)
        )
        return list(tags)


@pytest.mark.on_sqlite
def test_an_administrator_gives_changes_and_ends_a_mandate(web, administrator, cast) -> None:
    administrator.get("/auditors")
    page = administrator.post("/auditors", FORM | {"units": ["lisbon"], "since": "2026-01-01"})
    assert "Ada Auditor audits" in page and "In force" in page and "Lisbon" in page
    with web.portal.db.reading() as session:
        mandate = session.scalars(select(AuditorMandate)).one()
        assert mandate.ends_at - mandate.begins_at == timedelta(days=13)
        # Midnight in Berlin.
        assert mandate.begins_at.isoformat() == "2026-11-17T23:00:00+00:00"
        scope = scope_of(session, cast.auditor)
        assert scope is not None and scope.running and scope.unit_slugs == {"lisbon"}
        mail = session.scalars(select(Message).where(Message.event == "mandate_given")).one()
        assert mail.person_id == cast.auditor and "Lisbon" in mail.text and "30 November 2026" in mail.text
    administrator.get(f"/auditors/{mandate.id}")
    days = {name: day for name, day in FORM.items() if name != "person"}
    page = administrator.post(f"/auditors/{mandate.id}", days | {"units": ["holding"]})
    with web.portal.db.reading() as session:
        scope = scope_of(session, cast.auditor)
        assert scope is not None and scope.unit_slugs == {"holding", "lisbon"}, "those below are included"
    browser = web.browser(cast.auditor)
    browser.get("/ledger")
    administrator.post(f"/auditors/{mandate.id}/end")
    assert "not in force" in browser.get("/ledger", status=403)
    assert _entries(web) == ["mandate:given", "mandate:changed", "mandate:ended"]
    administrator.post(f"/auditors/{mandate.id}/end", status=409)
    assert "Ada Auditor audits" in administrator.post("/auditors", FORM), "another one, after the last"


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"person": "nobody.there"}, "Nobody active has this user name."),
        ({"person": "olga.owner"}, "has a part in: crm owners"),
        ({"person": "hanna.head"}, "has a part in: unit heads, Holding"),
        ({"person": "oskar.operator"}, "Nobody appoints themselves."),
        ({"last_day": "2026-11-01"}, "The last day is before the first."),
        ({"first_day": "2026-10-01", "last_day": "2026-10-02"}, "Give a last day that is not over."),
        ({"last_day": "2036-11-01"}, "three years at most"),
        ({"first_day": "soon"}, "Enter the day like 2026-11-27."),
        ({"units": ["atlantis"]}, "There is no unit atlantis."),
        ({"offerings": ["atlantis"]}, "There is no service atlantis."),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_at_its_field(web, administrator, changed, said) -> None:
    administrator.get("/auditors")
    assert said in administrator.post("/auditors", FORM | changed, status=422)
    assert _entries(web) == []


@pytest.mark.on_sqlite
def test_services_are_named_in_the_readers_language(web, administrator, cast) -> None:
    german = {"Words on shelves": "Wörter in Regalen"}
    with web.portal.db.transaction() as session:
        add_offering(session, {**OFFERING, "slug": "words-in-german", "languages": {"de": german}})
        session.get_one(Person, cast.operator).language = "de"
    assert "Wörter in Regalen" in administrator.get("/auditors")
    page = administrator.post("/auditors", FORM | {"offerings": ["words-in-german"]})
    assert page.count("Wörter in Regalen") == 2, "in the mandate, and among what may be chosen"


@pytest.mark.on_sqlite
def test_nobody_else_says_who_audits(web, cast) -> None:
    for part in ("compliance", "auditor", "requester"):
        browser = web.browser(getattr(cast, part))
        browser.get("/auditors", status=403)
        browser.get("/me")
        browser.post("/auditors", FORM, status=403)
    assert _entries(web) == []


def test_commands_give_change_list_and_end(web, cast, monkeypatch) -> None:
    monkeypatch.setattr("portal.wiring.build", lambda settings: web.portal)
    monkeypatch.setattr("portal.core.migrate.require_head", lambda settings: None)

    def run(*words):
        result = CliRunner().invoke(roof.cli, ["people", "auditor", *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    days = ("--from", "2026-11-18", "--to", "2026-11-30")
    assert run("give", "ada.auditor", *days, "--unit", "lisbon") == (
        "ada.auditor audits from 2026-11-18 to 2026-11-30.\n"
    )
    assert run("list") == "ada.auditor: 2026-11-18 to 2026-11-30 (running), lisbon\n"
    run("change", "ada.auditor", *days, "--since", "2026-01-01")
    assert "everything, requests from 2026-01-01 to …" in run("list")
    run("end", "ada.auditor")
    assert "(over)" in run("list")
    assert _entries(web) == ["mandate:given", "mandate:changed", "mandate:ended"]
