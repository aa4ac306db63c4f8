"""The pages of access reviews, as compliance, reviewers, auditors and strangers use them."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from catalog.access_reviews.model import AccessReview, ItemState
from portal.identity.model import Group, Membership, WebSession
from tests.catalog.requests.conftest import web

__all__ = ["web"]

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def visit(request):
    """A person's browser. The whole portal stands from the first visit on: what was granted was granted before."""
    return lambda person_id: request.getfixturevalue("web").browser(person_id)


def boxes(page):
    return re.findall(r'type="checkbox" id="item-\d+" name="item" value="([^"]+)"( checked)?', page)


def test_compliance_looks_it_over_and_opens_what_it_saw(campaigns, cast, clock, visit):
    campaigns.granted("hello", reason="=cmd() is what they call it.")
    campaigns.granted("loose")
    page = visit(cast.compliance)
    page.get("/access-reviews/new")
    typed = {
        "name": "Words <b>",
        "reason": "Who may write is looked at.",
        "last_day": (clock() + timedelta(days=14)).date().isoformat(),
        "at_end": "revoke",
        "more_days": "5",
        "owned": ["group:crm-owners"],
        "step": "preview",
    }
    wrong = page.post("/access-reviews/new", {**typed, "name": "", "last_day": "soon"}, status=422)
    assert "Give a day, such as" in wrong
    shown = page.post("/access-reviews/new", typed)
    assert "One item would be reviewed." in shown
    assert "Otto Owner" in shown
    (seen,) = re.findall(r'name="seen" value="(sha256:[0-9a-f]{64})"', shown)
    assert shown.count('name="owned" value="group:crm-owners"') == 2
    opening = {**typed, "step": "open"}
    assert "Look again" in page.post("/access-reviews/new", {**opening, "seen": "sha256:old"}, status=409)
    opened = page.post("/access-reviews/new", {**opening, "seen": seen})
    assert page.path == "/access-reviews/1"
    assert "Words &lt;b&gt;" in opened
    assert "Answered: 0 of 1" in opened
    assert "only a second person of compliance" in opened
    page.post("/access-reviews/1/cancel", {"reason": "It asks the wrong people."}, status=403)
    assert "Words &lt;b&gt;" in visit(cast.auditor).get("/access-reviews/1/items?state=open")
    visit(cast.auditor).get("/access-reviews/new", status=403)
    for address in ("/access-reviews/1", "/access-reviews/1/items", "/access-reviews/1/items.csv"):
        visit(cast.owner).get(address, status=403)


def test_a_reviewer_answers_several_at_once_with_one_reason(campaigns, cast, visit, request):
    campaigns.granted("hello")
    campaigns.granted("again")
    campaigns.opened()
    page = visit(cast.owner)
    assert "Answered: 0 of 2" in page.get("/access-reviews")
    shown = page.get("/access-reviews/1/mine")
    assert [checked for _value, checked in boxes(shown)] == ["", ""]
    assert 'type="radio" id="answer-keep" name="answer" value="keep" aria-describedby="hint-keep">' in shown
    assert "To be read." in shown
    chosen = [value for value, _checked in boxes(shown)]
    for typed, said in (
        ({"item": chosen, "said": "Needed."}, "Choose what becomes of it"),
        ({"item": chosen, "answer": "keep"}, "Say why"),
        ({"answer": "keep", "said": "Needed."}, "Choose at least one item"),
        ({"item": ["x:1", "-1:2"], "answer": "keep", "said": "Needed."}, "Choose at least one item"),
        ({"item": chosen, "answer": "change", "said": "Less."}, "Give the last day"),
    ):
        assert said in page.post("/access-reviews/1/mine", typed, status=422)
    done = page.post("/access-reviews/1/mine", {"item": chosen, "answer": "keep", "said": "Needed & used."})
    assert "You answered 2 items." in done
    assert "Nothing waits for your answer" in done
    other = visit(cast.second_owner)
    other.get("/access-reviews/1/mine")
    old = {"item": chosen[:1], "answer": "revoke", "said": "Not needed."}
    assert "Olga Owner answered this meanwhile" in other.post("/access-reviews/1/mine", old, status=409)
    answered = other.get("/access-reviews/1/mine?show=answered")
    assert "Needed &amp; used." in answered
    first = boxes(answered)[0][0]
    other.post(
        "/access-reviews/1/mine", {"item": [first], "answer": "revoke", "said": "Not needed.", "until": ""}
    )
    assert [item.state for item in campaigns.items(1)] == [ItemState.REVOKED, ItemState.KEPT]
    for who, address in (
        (cast.owner, "/access-reviews"),
        (cast.owner, "/access-reviews/1/mine"),
        (cast.compliance, "/access-reviews"),
        (cast.compliance, "/access-reviews/new"),
        (cast.compliance, "/access-reviews/1"),
        (cast.compliance, "/access-reviews/1/items"),
        (cast.compliance, "/access-reviews/1/items.csv"),
    ):
        reader = visit(who)
        statements = request.getfixturevalue("web").counting(lambda: reader.get(address))  # noqa: B023
        assert len(statements) <= 8, (address, statements)


def test_an_old_sign_in_is_renewed_and_what_was_typed_is_kept(campaigns, cast, clock, visit):
    campaigns.granted("hello")
    campaigns.opened()
    page = visit(cast.owner)
    ((value, _checked),) = boxes(page.get("/access-reviews/1/mine"))
    with campaigns.shelves.db.transaction() as session:
        session.execute(update(WebSession).values(auth_time=clock() - timedelta(minutes=16)))
    typed = {"item": [value], "answer": "keep", "said": "They read it daily."}
    page.post("/access-reviews/1/mine", typed, follow=False, status=303)
    assert page.last.headers["Location"].startswith("/sign-in/again?max_age=900&")
    assert campaigns.items(1)[0].state is ItemState.OPEN
    kept = page.get("/access-reviews/1/mine")
    assert "You have signed in again" in kept
    assert ">They read it daily.</textarea>" in kept
    assert boxes(kept) == [(value, " checked")]


def test_strangers_see_nothing_and_the_table_holds_no_formula(campaigns, cast, visit):
    campaigns.granted("hello")
    campaigns.opened()
    (item,) = campaigns.items(1)
    page = visit(cast.owner)
    page.get("/access-reviews/1/mine")
    page.post("/access-reviews/1/mine", {"item": [f"{item.id}:0"], "answer": "keep", "said": "=1+1"})
    stranger = visit(cast.outsider)
    assert "Nothing to review" in stranger.get("/access-reviews")
    stranger.get("/access-reviews/1/mine", status=404)
    stranger.post(
        "/access-reviews/1/mine", {"item": [f"{item.id}:1"], "answer": "keep", "said": "Mine"}, status=404
    )
    text = visit(cast.auditor).get("/access-reviews/1/items.csv")
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (row["Account"], row["Answer"], row["Reason"]) == ("rosa.requester", "kept", "'=1+1")


def test_compliance_closes_what_is_settled_and_a_second_person_cancels(campaigns, cast, visit):
    campaigns.granted("hello")
    campaigns.opened()
    campaigns.opened()
    with campaigns.shelves.db.transaction() as session:
        group = session.scalars(select(Group.id).where(Group.slug == "compliance")).one()
        session.add(Membership(group_id=group, person_id=cast.security))
    second = visit(cast.security)
    second.get("/access-reviews/1")
    assert "Give a reason of 10" in second.post("/access-reviews/1/cancel", {"reason": "No"}, status=422)
    shown = second.post("/access-reviews/1/cancel", {"reason": "It asks the wrong people."})
    assert "It asks the wrong people." in shown
    reviewer = visit(cast.owner)
    reviewer.get("/access-reviews/2/mine")
    (item,) = campaigns.items(2)
    reviewer.post("/access-reviews/2/mine", {"item": [f"{item.id}:0"], "answer": "keep", "said": "Used."})
    page = visit(cast.compliance)
    assert "Everything is settled" in page.get("/access-reviews/2")
    page.post("/access-reviews/2/close")
    reviewer.get("/access-reviews/2/mine?show=answered")
    late = {"item": [f"{item.id}:1"], "answer": "revoke", "said": "No."}
    assert "is over" in reviewer.post("/access-reviews/2/mine", late, status=409)
    with campaigns.shelves.db.reading() as session:
        states = session.scalars(select(AccessReview.state).order_by(AccessReview.id)).all()
    assert [state.value for state in states] == ["cancelled", "closed"]
