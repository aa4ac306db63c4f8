"""The page of erasures and holds: compliance and administrators place and lift, nobody erased is named."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalog.attachments.store import FolderStore
from portal.core.retention import Retention
from portal.identity.model import Group, Membership
from reports.erasing.model import LegalHold
from reports.erasing.retire import retire
from tests.catalog.requests.conftest import Web, web
from tests.reports.erasing.conftest import Leaving

pytestmark = pytest.mark.on_sqlite
PAGE = "/erasures"
assert web


def test_compliance_places_a_hold_and_somebody_else_lifts_it(leaving: Leaving, web: Web) -> None:
    world = leaving.world
    reference = world.rejected()
    with leaving.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "compliance")).one()
        session.add(Membership(group_id=group.id, person_id=world.cast.security))
    browser = web.browser(world.cast.compliance)
    assert "Nothing is on hold." in browser.get(PAGE)
    asked = {"kind": "request", "target": reference, "first_day": "", "last_day": "", "reason": ""}
    assert "Say why" in browser.post(f"{PAGE}/holds", asked, status=422)
    assert "There is no request" in browser.post(
        f"{PAGE}/holds", {**asked, "target": "SR-999999", "reason": "A court."}, status=422
    )
    browser.post(f"{PAGE}/holds", {**asked, "reason": "A court asked for it."})
    shown = browser.get(PAGE)
    assert reference in shown and "A court asked for it." in shown and "takes somebody else" in shown
    assert len(web.counting(lambda: browser.get(PAGE))) <= 8
    browser.post(f"{PAGE}/holds/1/lift", {"because": "Over."}, status=409)
    other = web.browser(world.cast.security)
    other.get(PAGE)
    other.post(f"{PAGE}/holds/1/lift", {"because": "It is over."})
    assert "Nothing is on hold." in browser.get(PAGE)
    with leaving.db.reading() as session:
        assert session.get_one(LegalHold, 1).lifted_by_id == world.cast.security
    web.browser(world.cast.requester).get(PAGE, status=403)
    web.browser(world.cast.auditor).get(PAGE, status=403)


def test_what_went_is_told_without_the_person_and_their_requests_can_still_be_read(
    leaving: Leaving, web: Web
) -> None:
    world = leaving.world
    reference = world.rejected()
    leaving.leaves(world.cast.requester)
    leaving.erased(world.cast.requester)
    gone = f"Erased person {world.cast.requester}"
    browser = web.browser(world.cast.compliance)
    page = browser.get(PAGE)
    assert gone in page and "Rosa" not in page
    request = browser.get(f"/requests/{reference}")
    assert gone in request and "Rosa Requester" not in request
    assert gone in browser.get(f"/ledger?subject={reference}")
    world.clock.pass_time(days=4_000)
    store = FolderStore(world.bench.settings.home / "uploads")
    retire(leaving.db, Retention(), evidence=world.bench.folder, store=store)
    browser = web.browser(world.cast.compliance)
    assert f"The record of {reference}" in browser.get(PAGE)
    request = browser.get(f"/requests/{reference}")
    assert reference in request and "smaller word" not in request
