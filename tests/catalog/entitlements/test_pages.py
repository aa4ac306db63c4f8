"""The pages of who has what: whose, searched, page by page, as a file; and what one may do about it there."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select, update

from catalog.assets.model import Asset
from catalog.entitlements.model import EntitlementOwner, EntitlementState
from catalog.entitlements.queries import entitlements_of
from catalog.entitlements.recertifying.model import Recertification
from catalog.requests import tags
from portal.audit.model import Entry
from portal.identity.model import Group, Person
from tests.catalog.entitlements.test_recertifying import OWNED, look_round, questions
from tests.catalog.requests.conftest import web
from tests.fixtures_requests import add_offering

__all__ = ["web"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite://"])


@pytest.fixture
def owned(shelves):
    """The word belongs to Olga and Otto."""
    with shelves.db.transaction() as session:
        shelves.version_id = add_offering(session, OWNED)
    return shelves


@pytest.fixture
def visit(request):
    """A person's browser. The whole portal stands from the first visit on: what was granted was granted before."""
    return lambda person_id: request.getfixturevalue("web").browser(person_id)


@pytest.fixture
def granted(owned, cast, actor_of):
    return owned.entitlements(owned.fulfilled(actor_of(cast.requester)))[0]


def test_each_sees_what_concerns_them(visit, owned, cast, actor_of, granted):
    owned.fulfilled(actor_of(cast.outsider))
    seen = {
        (part, scope): "SR-000001" in visit(getattr(cast, part)).get(f"/entitlements?of={scope}")
        for part in ("requester", "manager", "head", "owner", "outsider")
        for scope in ("mine", "reports", "applications")
    }
    assert {key for key, there in seen.items() if there} == {
        ("requester", "mine"),
        ("manager", "reports"),
        ("head", "reports"),
        ("owner", "applications"),
    }
    page = visit(cast.compliance).get("/entitlements?of=all")
    assert "SR-000001" in page
    assert "SR-000002" in page
    for part in ("manager", "owner", "outsider"):
        visit(getattr(cast, part)).get("/entitlements?of=all", status=403)
        visit(getattr(cast, part)).get("/entitlements/list.csv?of=all", status=403)
    own = f"/entitlements/{granted.id}"
    for part in ("requester", "manager", "head", "owner", "compliance"):
        assert "Word hello" in visit(getattr(cast, part)).get(own)
    visit(cast.outsider).get(own, status=404)


def test_an_asset_owner_sees_what_its_use_is_and_superiors_in_a_circle_end(visit, owned, cast, granted):
    with owned.db.transaction() as session:
        session.add(
            Asset(
                asset_id="APP-001",
                name="Shelf",
                kind="application",
                owner_id=cast.outsider,
                criticality="low",
            )
        )
        session.add(EntitlementOwner(entitlement_id=granted.id, rule="asset-owner:APP-001"))
        session.execute(update(Person).where(Person.id == cast.head).values(manager_id=cast.manager))
    assert "SR-000001" in visit(cast.outsider).get("/entitlements?of=applications")
    assert "SR-000001" in visit(cast.head).get("/entitlements?of=reports")
    with owned.db.transaction() as session:
        group = session.scalars(select(Group.id).where(Group.slug == "erp-owners")).one()
        session.execute(update(Asset).values(owner_id=None, owner_group_id=group))
    assert "SR-000001" not in visit(cast.outsider).get("/entitlements?of=applications")
    assert "SR-000001" in visit(cast.owner).get("/entitlements?of=applications")


def test_it_is_searched_filtered_and_read_page_by_page_in_few_statements(
    request, visit, owned, cast, actor_of
):
    actor = actor_of(cast.requester)
    for number in range(5):
        owned.fulfilled(actor, word="hello", until="2026-12-24" if number == 3 else "")
    browser = visit(cast.compliance)
    browser.get("/entitlements?of=all")
    statements = request.getfixturevalue("web").counting(lambda: browser.get("/entitlements?of=all"))
    assert len(statements) <= 8, statements
    first = browser.get("/entitlements?of=all")
    assert first.count("Word hello") == 5
    assert browser.get("/entitlements?of=all&before=3").count("Word hello") == 2
    pages, before = [], None
    with owned.db.reading() as session:
        for _page in range(3):
            lines, before = entitlements_of(session, actor, before=before, limit=2)
            pages.append([line.reference for line in lines])
    assert pages == [["SR-000005", "SR-000004"], ["SR-000003", "SR-000002"], ["SR-000001"]]
    assert before is None
    assert "SR-000004" in browser.get("/entitlements?of=all&ends=90")
    assert browser.get("/entitlements?of=all&ends=90").count("Word hello") == 1
    assert browser.get("/entitlements?of=all&q=ROSA+sr-000003").count("Word hello") == 1
    for nothing in ("q=100%25", "q=nobody", "show=ended", "show=ending", "service=other"):
        assert "Nothing fits" in browser.get(f"/entitlements?of=all&{nothing}") or "ended" in nothing
    browser.get("/entitlements?of=nonsense&show=x&ends=x&q=%00&before=x")


def test_the_file_holds_every_row_and_no_formula(visit, owned, cast, actor_of):
    for _number in range(3):
        owned.fulfilled(actor_of(cast.requester))
    with owned.db.transaction() as session:
        session.execute(update(Person).where(Person.id == cast.requester).values(name="=HYPERLINK(1)"))
    browser = visit(cast.requester)
    browser.get("/entitlements/list.csv?show=all")
    assert browser.last is not None
    assert browser.last.headers["Content-Disposition"] == 'attachment; filename="entitlements.csv"'
    rows = list(csv.reader(io.StringIO(browser.last.get_data().decode("utf-8-sig"))))
    assert len(rows) == 4
    assert rows[1][:3] == ["'=HYPERLINK(1)", "rosa.requester", "Word hello"]
    assert rows[1][10:] == ["", "shelf:hello"]


@pytest.mark.parametrize("part", ["manager", "head", "owner"])
def test_a_superior_or_an_owner_ends_it_with_a_reason(visit, owned, cast, granted, part):
    browser = visit(getattr(cast, part))
    page = f"/entitlements/{granted.id}"
    browser.get(page)
    assert "Say why it is to end" in browser.post(f"{page}/end", {"reason": " "}, status=422)
    browser.post(f"{page}/end", {"reason": "The project is over."})
    owned.work()
    (entitlement,) = owned.entitlements(granted.request_id)
    assert entitlement.state is EntitlementState.ENDED
    assert [event for event, _person in owned.mails()[-2:]] == [
        "entitlement_end_ordered",
        "entitlement_ended",
    ]
    with owned.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == tags.ENTITLEMENT_END_ORDERED)).one()
    assert "project" not in entry.body
    browser.post(f"{page}/end", {"reason": "Again."}, status=409)


def test_nobody_else_ends_it_and_the_holder_gives_it_back(visit, owned, cast, granted):
    page = f"/entitlements/{granted.id}"
    for part, status in (("compliance", 404), ("outsider", 404), ("requester", 404)):
        browser = visit(getattr(cast, part))
        browser.get("/entitlements")
        browser.post(f"{page}/end", {"reason": "I want it."}, status=status)
    browser = visit(cast.requester)
    browser.get(page)
    assert "Being taken away" in browser.post(f"{page}/give-back")


def test_reading_a_question_decides_nothing_and_one_click_does(visit, owned, cast, granted, clock):
    clock.pass_time(days=365)
    look_round(owned)
    (question,) = questions(owned)
    path = f"/entitlements/questions/{question.id}"
    browser = visit(cast.owner)
    for _time in range(3):
        assert "Not known" in browser.get(path)
    visit(cast.outsider).get(path, status=404)
    assert "Press one of the two buttons" in browser.post(path, {"answer": "maybe"}, status=400)
    page = browser.post(path, {"answer": "keep", "said": "<b>Daily</b>"})
    assert "&lt;b&gt;Daily&lt;/b&gt;" in page
    assert "Still needed" in browser.get(f"/entitlements/{granted.id}")
    holder = visit(cast.requester)
    holder.get(path)
    holder.post(path, {"answer": "keep"})
    with owned.db.reading() as session:
        assert session.scalars(select(Recertification.state)).one().value == "kept"
    assert "stays" in holder.get(path)


def test_an_extension_is_asked_for_on_its_page(visit, owned, cast, actor_of):
    (entitlement,) = owned.entitlements(owned.fulfilled(actor_of(cast.requester), until="2026-12-18"))
    browser = visit(cast.requester)
    page = f"/entitlements/{entitlement.id}"
    assert "/extend" in browser.get(page)
    assert "To be read." in browser.get(f"{page}/extend")
    assert "later end" in browser.post(
        f"{page}/extend", {"end": "2026-12-18", "reason": "More to read."}, status=422
    )
    shown = browser.post(f"{page}/extend", {"end": "2027-01-31", "reason": "More to read."})
    assert "Extension: Word hello" in shown
    assert "SR-000002" in browser.get(page)
    visit(cast.manager).get(f"{page}/extend", status=404)
