"""Is it still needed? One question to holder and owner; what they say, and what silence means."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from catalog.entitlements.ending import give_back
from catalog.entitlements.model import EntitlementState
from catalog.entitlements.recertifying.answering import answer
from catalog.entitlements.recertifying.jobs import recertify
from catalog.entitlements.recertifying.model import Answer, Recertification, RecertificationState, Voice
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.requests import tags
from portal.audit.model import Entry
from portal.core.errors import Conflict, NotFound
from portal.identity.model import Person
from portal.jobs import enqueue
from tests.fixtures_requests import OFFERING, add_offering

pytestmark = pytest.mark.parametrize("database_url", ["sqlite://"])
KEEP, NOT_NEEDED = Answer.KEEP, Answer.NOT_NEEDED
OWNED = {**OFFERING, "resources": {"word": [{"name": "Words", "values": ["hello"], "owner": "crm-owners"}]}}


@pytest.fixture
def owned(shelves):
    """The word belongs to a group: Olga and Otto answer for it."""
    with shelves.db.transaction() as session:
        shelves.version_id = add_offering(session, OWNED)
    return shelves


def look_round(shelves):
    with shelves.db.transaction() as session:
        enqueue(session, "recertify", {})
    shelves.work(recertify=partial(recertify, connectors=shelves.connectors))


def open_question(shelves, clock, actor, **answers):
    """A word that stands for ninety days and more, and the question about it."""
    request_id = shelves.fulfilled(actor, **answers)
    clock.pass_time(days=365)
    look_round(shelves)
    return request_id, questions(shelves)[-1].id


def questions(shelves):
    with shelves.db.reading() as session:
        return session.scalars(select(Recertification).order_by(Recertification.id)).all()


def says(shelves, actor, question_id, given, said=""):
    with shelves.db.transaction() as session:
        answer(session, actor, question_id, given, said)


def test_holder_and_owners_are_asked_once_with_the_first_reason(owned, cast, actor_of, clock):
    request_id = owned.fulfilled(actor_of(cast.requester))
    clock.pass_time(days=364)
    look_round(owned)
    assert questions(owned) == []
    clock.pass_time(days=1)
    look_round(owned)
    look_round(owned)

    (question,) = questions(owned)
    assert question.last_used_at is None
    assert owned.mails()[1:] == [
        ("recertification_asked", cast.requester),
        ("recertification_asked", cast.owner),
        ("recertification_asked", cast.second_owner),
    ]
    # Thursday 18 November 2027, ten in the morning in Berlin; ten working days with nothing between.
    assert question.due_at.date().isoformat() == "2027-12-02"
    assert owned.tags(request_id)[-1] == tags.RECERTIFICATION_ASKED
    with owned.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == tags.RECERTIFICATION_ASKED)).one()
    facts = json.loads(entry.body)["facts"]
    assert [owner["rule"] for owner in facts["owners"]] == ["group:crm-owners", "group:crm-owners"]


def test_it_stays_when_both_keep_it_and_is_asked_again_later(owned, cast, actor_of, clock):
    request_id, question_id = open_question(owned, clock, actor_of(cast.requester))
    says(owned, actor_of(cast.requester), question_id, KEEP)
    assert questions(owned)[0].state is RecertificationState.OPEN
    says(owned, actor_of(cast.second_owner), question_id, KEEP, "They read it daily.")
    assert questions(owned)[0].state is RecertificationState.KEPT
    assert owned.tags(request_id)[-3:] == [
        tags.RECERTIFICATION_ANSWERED,
        tags.RECERTIFICATION_ANSWERED,
        tags.RECERTIFICATION_KEPT,
    ]
    clock.pass_time(days=365)
    look_round(owned)
    assert [question.state for question in questions(owned)] == [
        RecertificationState.KEPT,
        RecertificationState.OPEN,
    ]


@pytest.mark.parametrize("who", ["requester", "owner"])
def test_one_no_ends_it_at_once(owned, cast, actor_of, clock, who):
    request_id, question_id = open_question(owned, clock, actor_of(cast.requester))
    says(owned, actor_of(cast.owner if who == "requester" else cast.requester), question_id, KEEP)
    says(owned, actor_of(getattr(cast, who)), question_id, NOT_NEEDED)
    owned.work()
    (entitlement,) = owned.entitlements(request_id)
    assert entitlement.state is EntitlementState.ENDED
    assert "not needed any more" in entitlement.end_reason
    assert owned.shelf.shelf == {}
    assert owned.mails()[-1] == ("entitlement_ended", cast.requester)
    assert tags.RECERTIFICATION_REVOKED in owned.tags(request_id)
    with pytest.raises(Conflict):
        says(owned, actor_of(cast.second_owner), question_id, KEEP)


@pytest.mark.parametrize(
    ("speakers", "stays"),
    [((), False), (("requester",), False), (("owner",), True)],
    ids=["nobody", "holder-alone", "owner-alone"],
)
def test_what_silence_means(owned, cast, actor_of, clock, speakers, stays):
    request_id, question_id = open_question(owned, clock, actor_of(cast.requester))
    for speaker in speakers:
        says(owned, actor_of(getattr(cast, speaker)), question_id, KEEP)
    before = len(owned.mails())
    clock.time = questions(owned)[0].remind_at
    look_round(owned)
    look_round(owned)
    silent = {"requester", "owner", "second_owner"} - set(speakers)
    if "owner" in speakers:
        silent -= {"second_owner"}
    assert sorted(owned.mails()[before:]) == sorted(
        ("recertification_reminder", getattr(cast, part)) for part in silent
    )
    clock.time = questions(owned)[0].due_at
    look_round(owned)
    owned.work()
    (entitlement,) = owned.entitlements(request_id)
    assert (entitlement.state is EntitlementState.LIVE) is stays
    told = {mail for mail in owned.mails()[before:] if mail[0] != "recertification_reminder"}
    assert told == (
        set()
        if stays
        else {
            ("entitlement_ended", cast.requester),
            ("recertification_lapsed", cast.owner),
            ("recertification_lapsed", cast.second_owner),
        }
    )


def test_without_an_owner_the_superior_vouches_and_nobody_vouches_for_themselves(
    shelves, owned, cast, actor_of, clock
):
    _request_id, question_id = open_question(owned, clock, actor_of(cast.owner))
    with owned.db.reading() as session:
        voices = session.scalars(
            select(Voice.person_id).where(Voice.recertification_id == question_id).order_by(Voice.person_id)
        ).all()
    assert set(voices) == {cast.owner, cast.second_owner}
    says(owned, actor_of(cast.owner), question_id, KEEP)
    assert questions(owned)[-1].state is RecertificationState.OPEN
    with pytest.raises(NotFound):
        says(owned, actor_of(cast.manager), question_id, KEEP)

    with shelves.db.transaction() as session:
        shelves.version_id = add_offering(session, OFFERING)
    _request_id, question_id = open_question(shelves, clock, actor_of(cast.requester))
    says(shelves, actor_of(cast.manager), question_id, KEEP)
    with pytest.raises(NotFound):
        says(shelves, actor_of(cast.owner), question_id, KEEP)


def test_what_is_given_back_is_asked_about_no_more(owned, cast, actor_of, clock):
    request_id, question_id = open_question(owned, clock, actor_of(cast.requester))
    with owned.db.transaction() as session:
        give_back(session, actor_of(cast.requester), owned.entitlements(request_id)[0].id)
    assert questions(owned)[0].state is RecertificationState.VOID
    with pytest.raises(Conflict):
        says(owned, actor_of(cast.requester), question_id, KEEP)
    clock.pass_time(days=60)
    look_round(owned)
    assert owned.tags(request_id).count(tags.RECERTIFICATION_VOIDED) == 1


def test_a_holder_who_has_left_holds_nothing_up(owned, cast, actor_of, clock):
    open_question(owned, clock, actor_of(cast.requester))
    with owned.db.transaction() as session:
        session.get_one(Person, cast.requester).active = False
    clock.time = questions(owned)[0].due_at
    look_round(owned)
    assert questions(owned)[0].state is RecertificationState.REVOKED


@pytest.mark.parametrize(
    ("written", "days"), [("30d", 30), ("never", None), (None, 90)], ids=["30d", "never", "by-risk"]
)
def test_the_offering_says_how_often_and_else_the_risk_does(shelves, cast, actor_of, written, days):
    content = {**OFFERING, "risk": {"reasons": [{"when": "true", "points": 60, "because": "It is mighty."}]}}
    with shelves.db.transaction() as session:
        shelves.version_id = add_offering(session, {**content, "recertify": written} if written else content)
    (entitlement,) = shelves.entitlements(shelves.fulfilled(actor_of(cast.requester)))
    wanted = entitlement.granted_at + timedelta(days=days) if days else None
    assert entitlement.review_at == wanted


def test_what_ends_soon_is_not_asked_about(shelves, cast, actor_of):
    (entitlement,) = shelves.entitlements(shelves.fulfilled(actor_of(cast.requester), until="2027-12-01"))
    assert entitlement.review_at is None


@pytest.mark.parametrize("away", [False, True])
def test_the_target_tells_when_it_was_last_used_if_it_knows(owned, cast, actor_of, clock, away):
    used = clock() + timedelta(days=300)

    def last_used(keys):
        if away:
            raise ConnectorError("The shelf does not answer.")
        return dict.fromkeys(keys, used)

    owned.shelf.last_used = last_used
    open_question(owned, clock, actor_of(cast.requester))
    assert questions(owned)[0].last_used_at == (None if away else used)
