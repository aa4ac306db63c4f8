"""Drafts: kept for their owner under a token that only the portal can make."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from catalog.offerings.model import OfferingVersion
from catalog.requests.drafts import discard, find_draft, keep, new_token, open_drafts, owner_of
from catalog.requests.model import Draft
from portal.core.errors import NotFound, TooLarge
from tests.fixtures_requests import KEY


def keep_words(shelves, token, **answers):
    with shelves.db.transaction() as session:
        keep(session, token, session.get_one(OfferingVersion, shelves.version_id), answers, key=KEY)


def test_what_was_typed_last_is_kept(shelves, cast, actor_of, clock):
    token = new_token(cast.requester, KEY)
    keep_words(shelves, token, word="he")
    clock.pass_time(minutes=1)
    keep_words(shelves, token, word="hello")
    with shelves.db.reading() as session:
        draft = find_draft(session, actor_of(cast.requester), token)
        assert draft.answers == {"word": "hello"}
        assert draft.updated_at == clock()
        ((listed, version),) = open_drafts(session, actor_of(cast.requester))
        assert (listed.id, version.id) == (draft.id, shelves.version_id)


@pytest.mark.on_sqlite
def test_nobody_else_reads_it(shelves, cast, actor_of):
    token = new_token(cast.requester, KEY)
    keep_words(shelves, token, word="hello")
    with shelves.db.reading() as session:
        assert find_draft(session, actor_of(cast.operator), token) is None
        assert open_drafts(session, actor_of(cast.operator)) == []


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    "forge",
    [
        lambda token: "",
        lambda token: "x" * 40,
        lambda token: token[:-1],
        lambda token: token.replace(".", ".1", 1),
        lambda token: ".".join([token.split(".")[0], "é", token.split(".")[2]]),
        lambda token: "other." + token.partition(".")[2],
        lambda token: new_token(1, "another key"),
        lambda token: ".".join(["n", "9" * 30, "p"]),
    ],
)
def test_a_token_that_the_portal_did_not_make_is_refused(shelves, cast, forge):
    token = new_token(cast.requester, KEY)
    assert owner_of(token, KEY) == cast.requester
    assert len(token) <= 64
    with pytest.raises(NotFound):
        owner_of(forge(token), KEY)
    with pytest.raises(NotFound):
        keep_words(shelves, forge(token), word="x")


def test_two_first_saves_at_once_are_one_draft(shelves, cast):
    token = new_token(cast.requester, KEY)
    threads = [
        threading.Thread(target=keep_words, args=(shelves, token), kwargs={"word": str(number)})
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with shelves.db.reading() as session:
        assert session.scalars(select(Draft)).one().answers["word"] in {"0", "1", "2", "3", "4", "5"}


@pytest.mark.on_sqlite
def test_more_than_a_form_takes_is_refused(shelves, cast):
    with pytest.raises(TooLarge):
        keep_words(shelves, new_token(cast.requester, KEY), word="x" * 200_001)
    with pytest.raises(TooLarge):
        keep_words(shelves, new_token(cast.requester, KEY), **{f"field{n}": "" for n in range(501)})


def test_a_draft_can_be_thrown_away_by_its_owner_only(shelves, cast, actor_of):
    token = new_token(cast.requester, KEY)
    keep_words(shelves, token, word="hello")
    with pytest.raises(NotFound), shelves.db.transaction() as session:
        discard(session, actor_of(cast.operator), token)
    with shelves.db.transaction() as session:
        discard(session, actor_of(cast.requester), token)
    with shelves.db.reading() as session:
        assert session.scalars(select(Draft)).all() == []
