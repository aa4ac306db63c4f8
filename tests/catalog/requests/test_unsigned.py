"""A ledger that is refused stands on the operators' page, and each operator has a mail that says so."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from portal.audit import record
from portal.audit.merkle import EMPTY_ROOT
from portal.audit.model import Entry
from portal.audit.signer.notary import Notary
from portal.audit.signing import keep_signed
from portal.identity.actor import PORTAL
from portal.jobs import run_due
from portal.jobs.enqueue import enqueue
from portal.jobs.operators import tasks_set_aside
from portal.notifications.model import Message
from portal.wiring import workshop

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def refused(web):
    """A portal whose signer has signed more than the ledger has."""
    with web.portal.db.transaction() as session:
        record(session, "thing:done", subject="thing:1", actor=PORTAL)
    notary = web.portal.signer.desk
    assert isinstance(notary, Notary)
    notary.adopt(10_000, b"\1" * 32)
    for _round in range(2):
        with web.portal.db.transaction() as session:
            enqueue(session, "checkpoint", {})
        run_due(workshop(web.portal))
    return web


def test_operators_are_told_once_and_see_it_until_it_is_mended(refused, cast):
    db = refused.portal.db
    with db.reading() as session:
        mails = session.scalars(
            select(Message).where(Message.event == "operator_attention").order_by(Message.id)
        ).all()
        assert len(mails) == len({mail.address for mail in mails}) >= 1
        assert tasks_set_aside(session) == []
    assert "10000 were signed before" in mails[0].text
    browser = refused.browser(cast.operator)
    page = browser.get("/operations")
    assert "The ledger is not signed" in page
    assert "10000 were signed before" in page
    assert "behind the portal" in page
    assert len(refused.counting(lambda: browser.get("/operations"))) <= 12

    refused.portal.signer.desk.adopt(0, EMPTY_ROOT)
    keep_signed(db, refused.portal.signer)
    assert "The ledger is not signed" not in browser.get("/operations")
    with db.reading() as session:
        resumed = select(func.count()).where(Entry.tag == "ledger:signing-resumed")
        assert session.scalar(resumed) == 1
