"""Standard changes: the published policy is what approves, and is named with its version and its publisher."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from catalog.requests.states import State
from portal.audit.model import Entry
from tests.approvals.conftest import MANAGER_STAGE

NEVER = {**MANAGER_STAGE, "when": "false"}


@pytest.mark.on_sqlite
def test_the_published_policy_is_named_as_the_approver_on_the_page_and_in_the_ledger(web):
    story = web.story
    request_id = story.planned(NEVER, offering={"kind": "standard"})
    request = story.see(request_id)
    assert (request.state, request.route) == (State.SCHEDULED, [])
    page = web.browser(story.cast.requester).get(f"/requests/{request.reference}").get_data(as_text=True)
    assert (
        "Approved in advance by the published policy “Application access”, version 1, "
        "which Oskar Operator published on 18 November 2026." in page
    )
    with story.db.reading() as session:
        (body,) = session.scalars(select(Entry.body).where(Entry.tag == "request:approved-by-policy"))
    facts = json.loads(body)["facts"]
    assert (facts["version"], facts["publisher"]) == (1, f"person:{story.cast.operator}")
    assert facts["digest"].startswith("sha256:")
    assert facts["seal"] == request.seal


@pytest.mark.on_sqlite
def test_where_people_decide_no_policy_is_named(web):
    request_id = web.story.planned(MANAGER_STAGE)
    reference = web.story.see(request_id).reference
    page = web.browser(web.story.cast.requester).get(f"/requests/{reference}").get_data(as_text=True)
    assert "Line manager" in page
    assert "published policy" not in page
