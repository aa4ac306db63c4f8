"""Submitting: one draft, one request, one number without a gap."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from catalog.offerings.model import OfferingVersion
from catalog.requests import events, tags
from catalog.requests.drafts import keep
from catalog.requests.model import Draft, Request
from catalog.requests.states import State
from catalog.requests.submit import submit
from portal.audit.model import Entry, PersonalValue
from portal.core.errors import Conflict, FieldErrors, NotFound
from portal.jobs.model import Task
from tests.fixtures_requests import KEY, OFFERING, add_offering


def test_a_draft_becomes_a_request_with_its_entry_and_its_task(shelves, cast, actor_of):
    request_id = shelves.submitted(actor_of(cast.requester), until="2027-01-15")

    request = shelves.request(request_id)
    assert (request.reference, request.state, request.title) == ("SR-000001", State.PREPARING, "Word hello")
    assert request.reason == "To be read."
    assert request.requester_id == request.beneficiary_id == request.editor_id == cast.requester
    # The close of the day in Berlin.
    assert request.ends_at == datetime(2027, 1, 15, 23, 0, tzinfo=UTC)
    assert request.baton == "Countersign"
    assert shelves.told == [events.RequestSubmitted(request_id)]
    with shelves.db.reading() as session:
        task = session.scalars(select(Task).where(Task.kind == "prepare")).one()
        assert (task.subject, task.payload) == (
            f"request:{request_id}",
            {"request_id": request_id, "revision": 0},
        )
    assert shelves.tags(request_id) == [tags.SUBMITTED]


@pytest.mark.on_sqlite
def test_nothing_personal_stands_in_the_ledger(shelves, cast, actor_of):
    shelves.fulfilled(actor_of(cast.requester), word="wordsecret", reason="Because of my illness.")
    with shelves.db.reading() as session:
        bodies = " ".join(session.scalars(select(Entry.body)))
        personal = " ".join(session.scalars(select(PersonalValue.value)))
    for text in ("illness", "wordsecret", "Rosa", "rosa.requester"):
        assert text not in bodies
    assert "illness" in personal


@pytest.mark.on_sqlite
def test_somebody_else_may_receive_it(shelves, cast, actor_of):
    request_id = shelves.submitted(actor_of(cast.requester), person="Ola Outsider (ola.outsider)")
    request = shelves.request(request_id)
    assert request.beneficiary_id == cast.outsider
    assert request.requester_id == cast.requester


def test_the_same_draft_submitted_twice_is_one_request(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    checked = shelves.checked(actor)
    made = []
    for _ in range(2):
        with shelves.db.transaction() as session:
            made.append(submit(session, actor, checked).id)
    assert made[0] == made[1]
    assert shelves.tags(made[0]) == [tags.SUBMITTED]


def test_two_posts_at_once_are_one_request(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    checked = shelves.checked(actor)
    made = []
    start = threading.Barrier(8)

    def post():
        start.wait()
        with shelves.db.transaction() as session:
            made.append(submit(session, actor, checked).reference)

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["SR-000001"] * 8


def test_numbers_have_no_gap_even_when_a_submit_fails_or_many_come_at_once(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    drafts = [shelves.checked(actor, word=f"word{number}") for number in range(9)]

    class Broken(Exception):
        pass

    def post(checked, *, broken):
        with shelves.db.transaction() as session:
            submit(session, actor, checked)
            if broken:
                raise Broken

    def try_post(checked, broken):
        with contextlib.suppress(Broken):
            post(checked, broken=broken)

    threads = [threading.Thread(target=try_post, args=(d, i % 3 == 0)) for i, d in enumerate(drafts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with shelves.db.reading() as session:
        assert sorted(session.scalars(select(Request.number))) == [1, 2, 3, 4, 5, 6]


@pytest.mark.on_sqlite
def test_another_persons_draft_is_not_there(shelves, cast, actor_of):
    checked = shelves.checked(actor_of(cast.requester))
    with pytest.raises(NotFound), shelves.db.transaction() as session:
        submit(session, actor_of(cast.outsider), checked)


@pytest.mark.on_sqlite
def test_answers_that_changed_after_the_check_are_not_submitted(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    checked = shelves.checked(actor)
    with shelves.db.transaction() as session:
        version = session.get_one(OfferingVersion, shelves.version_id)
        keep(session, checked.token, version, {"word": "root", "reason": "Another."}, key=KEY)
    with pytest.raises(Conflict), shelves.db.transaction() as session:
        submit(session, actor, checked)
    with shelves.db.reading() as session:
        assert session.scalars(select(Request)).all() == []


@pytest.mark.on_sqlite
def test_a_service_that_was_published_anew_is_looked_over_again(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    checked = shelves.checked(actor)
    with shelves.db.transaction() as session:
        add_offering(session, {**OFFERING, "summary": "Another summary."})
    with pytest.raises(Conflict), shelves.db.transaction() as session:
        submit(session, actor, checked)


@pytest.mark.on_sqlite
def test_answers_are_checked_on_the_server(shelves, cast, actor_of):
    with pytest.raises(FieldErrors) as refusal:
        shelves.checked(actor_of(cast.requester), word="", until="2020-01-01", sly="1")
    fields = {error.field for error in refusal.value.errors}
    assert fields == {"word", "until", ""}


@pytest.mark.on_sqlite
def test_a_submitted_draft_takes_no_more_answers(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    checked = shelves.checked(actor)
    with shelves.db.transaction() as session:
        submit(session, actor, checked)
    with pytest.raises(Conflict), shelves.db.transaction() as session:
        keep(session, checked.token, session.get_one(OfferingVersion, shelves.version_id), {}, key=KEY)
    with shelves.db.reading() as session:
        assert session.scalars(select(Draft)).one().answers == checked.raw


@pytest.mark.on_sqlite
def test_a_check_for_another_draft_does_not_pass(shelves, cast, actor_of):
    actor = actor_of(cast.requester)
    checked = shelves.checked(actor)
    with pytest.raises(NotFound), shelves.db.transaction() as session:
        submit(session, actor, replace(checked, token="nothing"))
