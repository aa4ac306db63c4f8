"""Publishing a draft: a second person, the same text, a replay of their own, and two entries in the ledger."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from catalog.offerings.model import OfferingVersion
from catalog.offerings.publish import publish
from catalog.offerings.queries import find_current_version
from catalog.versions.drafting import rewrite
from catalog.versions.model import DraftState, OfferingDraft, PublishedReplay, ReplayState
from catalog.versions.report import Report
from portal.core.canonical import digest
from portal.core.errors import Conflict, Forbidden

CHANGE = ("longest_days: 60", "longest_days: 50")


@pytest.fixture
def replayed(office):
    """A draft and the publisher's own replay of it."""
    office.past()
    draft_id = office.drafted(*CHANGE)
    replay_id = office.ask(draft_id)
    assert office.work() == 1
    assert office.replay_row(replay_id).state is ReplayState.DONE
    return draft_id, replay_id


def test_another_person_publishes_and_the_replay_stays_with_the_version(office, replayed):
    draft_id, replay_id = replayed
    version_id = office.publish(draft_id, replay_id)
    with office.db.reading() as session:
        version = session.get_one(OfferingVersion, version_id)
        assert (version.number, version.author_id, version.publisher_id) == (
            2,
            office.cast.operator,
            office.cast.second_owner,
        )
        kept = session.get_one(PublishedReplay, version_id)
        assert kept.digest == digest(kept.result)
        assert Report.from_json(kept.result).requests == 1
        assert session.get_one(OfferingDraft, draft_id).state is DraftState.PUBLISHED
        assert find_current_version(session, "small-thing").id == version_id
    entry = office.entries("offering:published")[-1]
    for part in (
        version.digest,
        kept.digest,
        f"person:{office.cast.operator}",
        f"person:{office.cast.second_owner}",
    ):
        assert part in entry
    with office.db.reading() as session:
        first = session.scalar(select(OfferingVersion).where(OfferingVersion.number == 1))
        assert first.digest in entry  # the version before it
    assert kept.digest in office.entries("offering:replayed")[-1]


@pytest.mark.on_sqlite
def test_the_author_cannot_publish_their_own_draft(office, replayed):
    draft_id, _ = replayed
    own = office.ask(draft_id, office.author)
    office.work()
    with pytest.raises(Forbidden, match="You wrote this draft"):
        office.publish(draft_id, own, office.author)


@pytest.mark.on_sqlite
def test_whoever_may_not_publish_is_refused(office, replayed):
    with pytest.raises(Forbidden, match="Only catalogue owners"):
        office.publish(*replayed, office.actor_of(office.cast.security))


@pytest.mark.on_sqlite
def test_a_draft_without_a_replay_is_not_published(office):
    draft_id = office.drafted(*CHANGE)
    with pytest.raises(Conflict, match="Replay the draft first"):
        office.publish(draft_id, 1)


@pytest.mark.on_sqlite
def test_a_replay_that_is_not_finished_is_none(office):
    draft_id = office.drafted(*CHANGE)
    replay_id = office.ask(draft_id)
    with pytest.raises(Conflict, match="Replay the draft first"):
        office.publish(draft_id, replay_id)


@pytest.mark.on_sqlite
def test_a_draft_that_was_changed_after_its_replay_is_replayed_again(office, replayed):
    draft_id, replay_id = replayed
    with office.db.transaction() as session:
        seen = session.get_one(OfferingDraft, draft_id).digest
        rewrite(session, office.author, draft_id, office.text("longest_days: 60", "longest_days: 40"))
    with pytest.raises(Conflict, match="changed this draft while you read it"):
        office.publish(draft_id, replay_id, digest=seen)
    with pytest.raises(Conflict, match="changed since"):
        office.publish(draft_id, replay_id)
    again = office.ask(draft_id)
    office.work()
    assert office.publish(draft_id, again)


@pytest.mark.on_sqlite
def test_a_replay_for_another_publisher_does_not_count(office, replayed):
    draft_id, _ = replayed
    authors = office.ask(draft_id, office.author)
    office.work()
    with pytest.raises(Conflict, match="made for another publisher"):
        office.publish(draft_id, authors)


def test_a_version_published_meanwhile_asks_for_another_replay(office, replayed):
    with office.db.transaction() as session:
        publish(session, office.author, office.text("target: 2d", "target: 3d"), "small.yaml")
    with pytest.raises(Conflict, match="Another version was put in force"):
        office.publish(*replayed)


@pytest.mark.on_sqlite
def test_an_old_replay_does_not_count(office, replayed):
    office.clock.pass_time(days=8)
    with pytest.raises(Conflict, match="older than 7 days"):
        office.publish(*replayed)


@pytest.mark.on_sqlite
def test_a_draft_that_means_the_same_is_not_published(office):
    draft_id = office.drafted(text=f"# a comment\n{office.text()}")
    replay_id = office.ask(draft_id)
    office.work()
    with pytest.raises(Conflict, match="means the same"):
        office.publish(draft_id, replay_id)


def test_a_draft_is_published_once(office, replayed):
    office.publish(*replayed)
    with pytest.raises(Conflict, match="was published"):
        office.publish(*replayed)


@pytest.mark.on_sqlite
def test_a_draft_with_problems_is_neither_replayed_nor_published(office):
    draft_id = office.drafted(text="slug: small-thing")
    with pytest.raises(Conflict, match="has problems"):
        office.ask(draft_id)
    with pytest.raises(Conflict, match="has problems"):
        office.publish(draft_id, 1)


def test_a_replay_asked_for_twice_is_one_and_runs_again_without_harm(office, replayed):
    draft_id, done = replayed
    first = office.ask(draft_id)
    assert office.ask(draft_id) == first != done
    assert office.work() == 1
    assert office.replay_row(first).done == office.replay_row(first).total == 1


def test_a_replay_of_a_text_that_changed_before_it_began_says_so(office):
    draft_id = office.drafted(*CHANGE)
    replay_id = office.ask(draft_id)
    with office.db.transaction() as session:
        rewrite(session, office.author, draft_id, office.text("longest_days: 60", "longest_days: 40"))
    office.work()
    row = office.replay_row(replay_id)
    assert row.state is ReplayState.FAILED
    assert "changed before its replay began" in row.why


@pytest.mark.on_sqlite
def test_the_command_still_publishes_with_one_person_and_says_so(office):
    with office.db.transaction() as session:
        made = publish(session, office.author, office.text("target: 2d", "target: 3d"), "small.yaml")
        assert made.number == 2
    entry = office.entries("offering:published")[-1]
    assert entry.count(f"person:{office.cast.operator}") >= 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE offering_version SET source = 'x'",
        "DELETE FROM offering_version",
        "UPDATE published_replay SET digest = 'x'",
        "DELETE FROM published_replay",
    ],
)
def test_the_database_refuses_to_change_what_was_published(office, replayed, statement):
    office.publish(*replayed)
    with pytest.raises(DBAPIError, match="append-only"), office.db.transaction() as session:
        session.execute(text(statement))
    with office.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(OfferingVersion)) == 2
