"""A campaign from its preview to its end: who is asked, what answers do, and what silence means."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from catalog.access_reviews import tags
from catalog.access_reviews.answering import Say
from catalog.access_reviews.closing import cancel, close_now
from catalog.access_reviews.model import AtEnd, ItemReviewer, ItemState, ReviewState
from catalog.access_reviews.opening import open_review
from catalog.access_reviews.scope import Scope
from catalog.entitlements.ending import give_back
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.requests.context import close_of_day
from portal.core.errors import Conflict, FieldError, FieldErrors, Forbidden, NotFound
from portal.identity.model import Absence, Group, Membership, Person, Unit
from portal.identity.step_up import StepUpNeeded

pytestmark = pytest.mark.on_sqlite


def asked_about(campaigns, item):
    with campaigns.shelves.db.reading() as session:
        return set(
            session.scalars(
                select(ItemReviewer.person_id)
                .where(ItemReviewer.item_id == item.id)
                .order_by(ItemReviewer.person_id)
            )
        )


def entitlement(campaigns, number):
    with campaigns.shelves.db.reading() as session:
        return session.get_one(Entitlement, number)


def test_owners_are_told_once_with_their_count_and_nobody_reviews_their_own(campaigns, cast):
    campaigns.granted("hello")
    campaigns.granted("again", to=cast.owner)
    campaigns.granted("loose")
    shown = campaigns.preview()
    assert shown.total == 3
    assert list(shown.by_reviewer) == [("Otto Owner", 2), ("Milo Manager", 1), ("Olga Owner", 1)]
    review_id = campaigns.opened()
    mine, hers, loose = campaigns.items(review_id)
    assert asked_about(campaigns, mine) == {cast.owner, cast.second_owner}
    assert asked_about(campaigns, hers) == {cast.second_owner}
    assert asked_about(campaigns, loose) == {cast.manager}
    assert sorted(campaigns.mails("access_review_asked")) == sorted(
        [cast.owner, cast.second_owner, cast.manager]
    )
    assert campaigns.review(review_id).digest == shown.digest
    assert campaigns.tags(review_id) == [tags.OPENED, tags.ASKED]
    with pytest.raises(NotFound):
        campaigns.says(cast.owner, hers, Say.KEEP)
    with pytest.raises(NotFound):
        campaigns.says(cast.compliance, mine, Say.KEEP)


def test_what_is_opened_is_what_was_looked_over(campaigns, cast):
    campaigns.granted("hello")
    proposal = campaigns.proposal()
    seen = campaigns.preview(proposal).digest
    campaigns.granted("again")
    with pytest.raises(Conflict), campaigns.shelves.db.transaction() as session:
        open_review(session, campaigns.actor_of(cast.compliance), proposal, seen=seen)
    with pytest.raises(Forbidden), campaigns.shelves.db.reading() as session:
        open_review(session, campaigns.actor_of(cast.auditor), proposal, seen=seen)
    with pytest.raises(FieldErrors) as wrong:
        campaigns.preview(campaigns.proposal(name="x", reason="", last_day=None))
    assert [error.field for error in wrong.value.errors] == ["name", "reason", "last_day"]


def test_the_scope_narrows_what_is_asked(campaigns, cast, clock):
    campaigns.granted("hello")
    clock.pass_time(days=3)
    campaigns.granted("loose", to=cast.outsider)
    found = {
        "target": Scope(targets=("the rack",)),
        "offering": Scope(offerings=("words-on-shelves",)),
        "unit": Scope(units=("lisbon",)),
        "above": Scope(units=("holding",)),
        "owned": Scope(owned=("group:crm-owners",)),
        "risk": Scope(risks=("critical",)),
        "before": Scope(granted_before=clock().date()),
    }
    totals = {name: campaigns.preview(campaigns.proposal(scope=scope)).total for name, scope in found.items()}
    assert totals == {
        "target": 0,
        "offering": 1,
        "unit": 1,
        "above": 2,
        "owned": 1,
        "risk": 0,
        "before": 1,
    }
    with pytest.raises(FieldError, match="Nothing that is live"):
        campaigns.opened(scope=found["target"])
    assert Scope.from_json(found["before"].to_json()) == found["before"]


def test_an_item_without_any_reviewer_is_said_with_names_before_opening(campaigns, cast):
    with campaigns.shelves.db.transaction() as session:
        for person in session.scalars(select(Person).order_by(Person.id)):
            person.manager_id = None
        for unit in session.scalars(select(Unit).order_by(Unit.id)):
            unit.head_id = None
        group = session.scalars(select(Group.id).where(Group.slug == "crm-owners")).one()
        session.execute(delete(Membership).where(Membership.group_id == group))
    campaigns.granted("loose")
    assert list(campaigns.preview().by_reviewer) == [("Cora Compliance", 1)]
    campaigns.granted("astray", to=cast.compliance)
    (sentence,) = campaigns.preview().without
    assert "Word astray" in sentence
    with pytest.raises(FieldError, match="Cora Compliance"):
        campaigns.opened()


def test_whoever_is_away_all_the_time_is_replaced(campaigns, cast, clock):
    with campaigns.shelves.db.transaction() as session:
        for who in (cast.owner, cast.second_owner):
            last = (clock() + timedelta(days=60)).date()
            session.add(Absence(person_id=who, first_day=clock().date(), last_day=last))
    campaigns.granted("hello")
    (item,) = campaigns.items(campaigns.opened())
    assert asked_about(campaigns, item) == {cast.head}


def test_a_revocation_takes_it_away_at_once_with_the_reviewers_reason(campaigns, cast):
    number = campaigns.granted("hello")
    review_id = campaigns.opened()
    (item,) = campaigns.items(review_id)
    with pytest.raises(FieldError, match="Say why"):
        campaigns.says(cast.owner, item, Say.REVOKE, " ")
    campaigns.says(cast.owner, item, Say.REVOKE, "She has left the project.")
    campaigns.says(cast.owner, item, Say.REVOKE, "She has left the project.")  # posted twice
    assert entitlement(campaigns, number).state is EntitlementState.ENDING
    with pytest.raises(Conflict, match="taken away"):
        campaigns.says(cast.owner, campaigns.items(review_id)[0], Say.KEEP)
    campaigns.look_round()
    assert entitlement(campaigns, number).state is EntitlementState.ENDED
    assert campaigns.shelves.shelf.shelf == {}
    assert campaigns.mails("entitlement_end_ordered") == [cast.requester]
    (item,) = campaigns.items(review_id)
    assert (item.state, item.answered_by_id, item.said) == (
        ItemState.REVOKED,
        cast.owner,
        "She has left the project.",
    )
    assert campaigns.tags(review_id).count(tags.ANSWERED) == 1


def test_a_change_moves_the_end_and_may_be_taken_back(campaigns, cast, clock):
    number = campaigns.granted("hello", until="2027-03-01")
    own = entitlement(campaigns, number).ends_at
    review_id = campaigns.opened()
    (item,) = campaigns.items(review_id)
    day = (clock() + timedelta(days=5)).date()
    with pytest.raises(FieldError, match="ends before"):
        campaigns.says(cast.owner, item, Say.CHANGE, "Less.", until=clock().date() + timedelta(days=300))
    with pytest.raises(FieldError, match="not over yet"):
        campaigns.says(cast.owner, item, Say.CHANGE, "Less.", until=clock().date() - timedelta(days=1))
    campaigns.says(cast.owner, item, Say.CHANGE, "Reading is enough.", until=day)
    assert entitlement(campaigns, number).ends_at == close_of_day(day, "Europe/Berlin")
    assert campaigns.mails("access_review_changed") == [cast.requester]
    (item,) = campaigns.items(review_id)
    later = day + timedelta(days=2)
    campaigns.says(cast.second_owner, item, Say.CHANGE, "Reading is enough.", until=later)
    (item,) = campaigns.items(review_id)
    assert (item.ends_at, item.ended_before) == (close_of_day(later, "Europe/Berlin"), own)
    campaigns.says(cast.owner, item, Say.KEEP)
    assert entitlement(campaigns, number).ends_at == own
    clock.pass_time(days=10)
    campaigns.shelves.work()
    assert entitlement(campaigns, number).state is EntitlementState.LIVE


def test_an_answer_upon_an_old_look_is_refused(campaigns, cast):
    campaigns.granted("hello")
    review_id = campaigns.opened()
    (item,) = campaigns.items(review_id)
    campaigns.says(cast.owner, item, Say.KEEP)
    with pytest.raises(Conflict, match="Olga Owner answered this"):
        campaigns.says(cast.second_owner, item, Say.REVOKE)
    old = campaigns.actor_of(cast.owner, signed_in=campaigns.clock() - timedelta(minutes=16))
    with pytest.raises(StepUpNeeded):
        campaigns.says(cast.owner, campaigns.items(review_id)[0], Say.REVOKE, actor=old)
    with campaigns.shelves.db.transaction() as session:
        group = session.scalars(select(Group.id).where(Group.slug == "crm-owners")).one()
        session.delete(session.get_one(Membership, (group, cast.second_owner)))
    with pytest.raises(Conflict, match="any more"):
        campaigns.says(cast.second_owner, campaigns.items(review_id)[0], Say.REVOKE)


def test_whoever_is_silent_is_reminded_twice_and_then_it_is_taken_away(campaigns, cast, clock):
    number = campaigns.granted("hello")
    kept = campaigns.granted("again")
    review_id = campaigns.opened()
    campaigns.says(cast.owner, campaigns.items(review_id)[1], Say.KEEP)
    due = campaigns.review(review_id).due_at
    clock.pass_time(days=4)
    campaigns.look_round()
    assert campaigns.mails("access_review_reminder") == []
    clock.pass_time(days=4)
    campaigns.look_round()
    campaigns.look_round()
    assert campaigns.mails("access_review_reminder") == [cast.owner, cast.second_owner]
    clock.time = due - timedelta(hours=20)
    campaigns.look_round()
    assert len(campaigns.mails("access_review_reminder")) == 4
    assert campaigns.review(review_id).state is ReviewState.OPEN
    clock.time = due
    with pytest.raises(Conflict, match="time to answer"):
        campaigns.says(cast.owner, campaigns.items(review_id)[0], Say.KEEP)
    campaigns.look_round()
    assert entitlement(campaigns, number).state is EntitlementState.ENDED
    assert "in time" in entitlement(campaigns, number).end_reason
    assert entitlement(campaigns, kept).state is EntitlementState.LIVE
    campaigns.look_round()
    review = campaigns.review(review_id)
    assert (review.state, review.closed_at) == (ReviewState.CLOSED, clock())
    assert campaigns.tags(review_id)[-2:] == [tags.LAPSED, tags.CLOSED]
    with pytest.raises(Conflict, match="is over"):
        campaigns.says(cast.owner, campaigns.items(review_id)[1], Say.REVOKE)


def test_silence_goes_on_to_whoever_is_above_once_and_is_then_taken_away(campaigns, cast, clock):
    number = campaigns.granted("loose")
    review_id = campaigns.opened(at_end=AtEnd.ESCALATE, more_days=3)
    due = campaigns.review(review_id).due_at
    clock.time = due
    campaigns.look_round()
    (item,) = campaigns.items(review_id)
    assert asked_about(campaigns, item) == {cast.manager, cast.head}
    assert item.escalated
    # Thursday 3 December, nine in the morning in Berlin, and three working days of eight hours.
    assert item.due_at.date().isoformat() == "2026-12-07"
    assert campaigns.mails("access_review_asked") == [cast.manager, cast.head]
    campaigns.look_round()
    assert entitlement(campaigns, number).state is EntitlementState.LIVE
    clock.time = item.due_at
    campaigns.look_round()
    assert entitlement(campaigns, number).state is EntitlementState.ENDED
    assert len(campaigns.mails("access_review_asked")) == 2


def test_what_ends_meanwhile_closes_its_item(campaigns, cast):
    number = campaigns.granted("hello")
    review_id = campaigns.opened()
    with campaigns.shelves.db.transaction() as session:
        give_back(session, campaigns.actor_of(cast.requester), number)
    campaigns.look_round()
    (item,) = campaigns.items(review_id)
    assert item.state is ItemState.VOID
    with pytest.raises(Conflict, match="nothing left"):
        campaigns.says(cast.owner, item, Say.KEEP)
    with campaigns.shelves.db.transaction() as session:
        close_now(session, campaigns.actor_of(cast.compliance), review_id)
    assert campaigns.tags(review_id)[-2:] == [tags.VOIDED, tags.CLOSED]


def test_a_second_person_of_compliance_cancels_with_a_reason(campaigns, cast):
    campaigns.granted("hello")
    review_id = campaigns.opened()
    with pytest.raises(Conflict, match="not settled"), campaigns.shelves.db.transaction() as session:
        close_now(session, campaigns.actor_of(cast.compliance), review_id)
    with pytest.raises(Forbidden, match="second person"), campaigns.shelves.db.transaction() as session:
        cancel(session, campaigns.actor_of(cast.compliance), review_id, "It asks the wrong people.")
    with campaigns.shelves.db.transaction() as session:
        group = session.scalars(select(Group.id).where(Group.slug == "compliance")).one()
        session.add(Membership(group_id=group, person_id=cast.security))
    with pytest.raises(FieldError), campaigns.shelves.db.transaction() as session:
        cancel(session, campaigns.actor_of(cast.security), review_id, "")
    with campaigns.shelves.db.transaction() as session:
        cancel(session, campaigns.actor_of(cast.security), review_id, "It asks the wrong people.")
    assert campaigns.review(review_id).state is ReviewState.CANCELLED
    with pytest.raises(Conflict, match="is over"):
        campaigns.says(cast.owner, campaigns.items(review_id)[0], Say.KEEP)


def test_somebody_above_is_asked_where_all_who_were_asked_have_left(campaigns, cast):
    campaigns.granted("loose")
    review_id = campaigns.opened()
    with campaigns.shelves.db.transaction() as session:
        session.get_one(Person, cast.manager).active = False
    campaigns.look_round()
    campaigns.look_round()
    (item,) = campaigns.items(review_id)
    assert asked_about(campaigns, item) == {cast.manager, cast.head}
    assert not item.escalated
    assert campaigns.tags(review_id).count(tags.ESCALATED) == 1


def test_the_target_tells_when_it_was_last_used(campaigns, clock):
    campaigns.granted("hello")
    used = clock() - timedelta(days=40)
    campaigns.shelves.shelf.last_used = lambda keys: dict.fromkeys(keys, used)
    review_id = campaigns.opened()
    campaigns.look_round()
    assert [item.last_used_at for item in campaigns.items(review_id)] == [used]
