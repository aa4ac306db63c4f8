"""A unit's requests: for its head and for whom a group makes its lead, with the units below, and for nobody else."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from catalog.ordering.units.queries import units_led_by
from catalog.requests.model import Request
from portal.identity.model import Group, Person, Unit
from tests.catalog.ordering.conftest import web

__all__ = ["web"]

PAGE = "/unit/requests"


def unit(db, slug):
    with db.reading() as session:
        return session.scalars(select(Unit.id).where(Unit.slug == slug)).one()


def asked_by_the_outsider(shelves, cast, actor_of, count=1):
    """Ola's unit, Lisbon, lies below the holding, which Hanna heads."""
    return [shelves.submitted(actor_of(cast.outsider), word=f"w{n}") for n in range(count)]


@pytest.mark.on_sqlite
def test_the_head_sees_the_requests_of_the_units_below_and_opens_them(web, cast, shelves, actor_of):
    asked_by_the_outsider(shelves, cast, actor_of)
    browser = web.browser(cast.head)
    page = browser.get(PAGE)
    for text in ("SR-000001", "Word w0", "Ola Outsider", "Lisbon", "My unit"):
        assert text in page
    assert "Word w0" in browser.get("/requests/SR-000001")


@pytest.mark.on_sqlite
def test_who_leads_nothing_sees_neither_page_nor_requests(web, cast, shelves, actor_of):
    asked_by_the_outsider(shelves, cast, actor_of)
    for person in (cast.manager, cast.requester, cast.owner):
        browser = web.browser(person)
        browser.get(PAGE, status=403)
        browser.get("/requests/SR-000001", status=404)
        assert "My unit" not in browser.get("/catalogue")


def test_the_head_of_a_subsidiary_sees_nothing_of_the_holding(web, cast, shelves, actor_of):
    shelves.submitted(actor_of(cast.requester), word="holding")
    asked_by_the_outsider(shelves, cast, actor_of)
    with shelves.db.transaction() as session:
        session.execute(update(Unit).where(Unit.slug == "lisbon").values(head_id=cast.second_owner))
        session.get_one(Person, cast.second_owner).unit_id = unit(shelves.db, "holding")
    browser = web.browser(cast.second_owner)
    page = browser.get(PAGE)
    assert "SR-000002" in page
    assert "SR-000001" not in page
    browser.get("/requests/SR-000001", status=404)


def test_a_group_may_give_the_role_for_ones_own_unit(web, cast, shelves, actor_of):
    shelves.submitted(actor_of(cast.requester), word="holding")
    asked_by_the_outsider(shelves, cast, actor_of)
    with shelves.db.transaction() as session:
        session.execute(update(Group).where(Group.slug == "compliance").values(roles=["unit_lead"]))
        session.get_one(Person, cast.compliance).unit_id = unit(shelves.db, "lisbon")
    page = web.browser(cast.compliance).get(PAGE)
    assert "SR-000002" in page
    assert "SR-000001" not in page


@pytest.mark.on_sqlite
def test_pages_follow_each_other_without_a_gap_in_a_constant_number_of_statements(
    web, cast, shelves, actor_of
):
    asked_by_the_outsider(shelves, cast, actor_of, 1)
    browser = web.browser(cast.head)
    browser.get(PAGE)
    few = web.counting(lambda: browser.get(PAGE))
    asked_by_the_outsider(shelves, cast, actor_of, 29)
    many = web.counting(lambda: browser.get(PAGE))
    assert len(few) == len(many) <= 8
    first = browser.get(PAGE)
    assert "SR-000030" in first and "SR-000006" in first and "SR-000005" not in first
    second = browser.get(f"{PAGE}?before=6")
    assert "SR-000005" in second and "SR-000001" in second and "SR-000006" not in second
    assert "before=6" in first


def test_units_in_a_circle_end_the_search(shelves, cast, actor_of):
    with shelves.db.transaction() as session:
        holding, lisbon = unit(shelves.db, "holding"), unit(shelves.db, "lisbon")
        session.execute(update(Unit).where(Unit.id == holding).values(parent_id=lisbon))
        actor = actor_of(cast.head)
        object.__setattr__(actor, "roles", actor.roles | {"unit_lead"})
    with shelves.db.reading() as session:
        assert set(units_led_by(session, actor)) == {holding, lisbon}
        assert session.scalars(select(Request)).all() == []
