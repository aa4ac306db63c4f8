"""The catalogue of one person: what is for them, in a constant number of statements, and what their unit uses most."""

from __future__ import annotations

import pytest

from catalog.ordering.model import UnitUse
from tests.fixtures_requests import OFFERING, add_offering

pytestmark = pytest.mark.on_sqlite


def publish(shelves, count, *, called="words", **changes):
    with shelves.db.transaction() as session:
        for number in range(count):
            content = {**OFFERING, "slug": f"{called}-{number}", "name": f"Words number {number}", **changes}
            add_offering(session, content)


def test_catalogue_search_and_offering_take_a_constant_number_of_statements(web, cast, shelves, actor_of):
    browser = web.browser(cast.requester)
    browser.get("/catalogue")
    paths = ("/catalogue", "/catalogue?q=words", "/catalogue/words-on-shelves")
    few = [len(web.counting(lambda path=path: browser.get(path))) for path in paths]
    publish(shelves, 20, audience="requester.unit == 'holding'")
    for number in range(5):
        shelves.submitted(actor_of(cast.requester), word=f"w{number}")
    more = [len(web.counting(lambda path=path: browser.get(path))) for path in paths]
    publish(shelves, 40, called="others")
    many = [len(web.counting(lambda path=path: browser.get(path))) for path in paths]
    assert more == many
    # The frame around a page takes three; one more where an audience asks for the reader's groups.
    assert all(count - 3 <= 8 for count in many), many
    assert all(after - before <= 2 for before, after in zip(few, more, strict=True))


def test_what_is_not_for_the_reader_is_neither_shown_nor_found_nor_counted(web, cast, shelves):
    publish(shelves, 6, audience="requester.unit == 'lisbon'", keywords=["zeppelin"])
    theirs = web.browser(cast.outsider).get("/catalogue?q=zeppelin")
    assert "6 services match" in theirs
    ours = web.browser(cast.requester)
    assert "Words number" not in ours.get("/catalogue")
    assert "No service matches" in ours.get("/catalogue?q=zeppelin")
    ours.get("/catalogue/words-1", status=404)
    for path in ("request", "bulk"):
        ours.get(f"/catalogue/words-1/{path}", status=404)


def test_what_the_unit_uses_most_stands_first(web, cast, shelves):
    publish(shelves, 9)
    assert "Used most by your unit" not in web.browser(cast.requester).get("/catalogue")
    with shelves.db.transaction() as session:
        session.add_all(
            UnitUse(unit_id=unit, offering_id=offering, orders=orders)
            for unit, offering, orders in ((1, 4, 3), (1, 6, 9), (2, 8, 50))
        )
    page = web.browser(cast.requester).get("/catalogue")
    row = page.split('id="used-most"')[1].split("</section>")[0]
    assert row.index("Words number 4") < row.index("Words number 2")
    assert "Words number 6" not in row
    assert "Used most" not in web.browser(cast.requester).get("/catalogue?q=words")
