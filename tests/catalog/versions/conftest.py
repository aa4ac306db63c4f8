"""An offering in force with past requests, two catalogue owners, and a worker that replays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, select

from approvals.routing.book import RouteBook
from catalog.offerings.publish import publish
from catalog.offerings.reading import read_offering
from catalog.requests.model import Request
from catalog.requests.states import State
from catalog.versions import drafting, replaying
from catalog.versions.model import OfferingReplay
from catalog.versions.publishing import publish_draft
from catalog.versions.replay import replay
from catalog.versions.report import Report
from portal.audit.model import Entry
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person
from portal.jobs import Workshop, run_due
from tests.catalog.offerings.conftest import SMALL
from tests.fixtures_people import Cast, StandingClock


@dataclass
class Office:
    """The offering `small-thing`, whose version 1 the operator published. Otto is a catalogue owner too."""

    db: Database
    cast: Cast
    clock: StandingClock
    settings: Settings
    actor_of: Callable[[int], Actor]
    made: int = 0

    @property
    def author(self) -> Actor:
        return self.actor_of(self.cast.operator)

    @property
    def publisher(self) -> Actor:
        return self.actor_of(self.cast.second_owner)

    def text(self, *pairs: str) -> str:
        """The offering's text with parts replaced, in pairs of old and new."""
        text = SMALL
        for old, new in zip(pairs[::2], pairs[1::2], strict=True):
            assert old in text, old
            text = text.replace(old, new)
        return text

    def past(
        self,
        *,
        requester: int | None = None,
        beneficiary: int | None = None,
        at: datetime | None = None,
        version_id: int = 1,
        **answers: Any,
    ) -> str:
        """A request that was made; gives its reference."""
        self.made += 1
        at = at or self.clock()
        reference = f"SR-{self.made:06d}"
        with self.db.transaction() as session:
            asking = session.get_one(Person, requester or self.cast.requester)
            receiving = session.get_one(Person, beneficiary or asking.id)
            given = {
                "person": receiving.user_name,
                "colour": "red",
                "reason": "For a test.",
                "until": (at.date() + timedelta(days=30)).isoformat(),
                **answers,
            }
            session.add(
                Request(
                    number=self.made,
                    reference=reference,
                    offering_version_id=version_id,
                    requester_id=asking.id,
                    beneficiary_id=receiving.id,
                    editor_id=asking.id,
                    unit_id=receiving.unit_id,
                    title="A thing",
                    answers={name: value for name, value in given.items() if value is not None},
                    state=State.FULFILLED,
                    submitted_at=at,
                )
            )
        return reference

    def replayed(self, *pairs: str, publisher: int | None = None, **options: Any) -> Report:
        """What a draft with these parts replaced would mean for past requests."""
        return replay(
            self.db,
            read_offering(self.text(*pairs), "draft.yaml"),
            make_routes=RouteBook,
            publisher_id=publisher,
            **options,
        )

    def drafted(self, *pairs: str, text: str | None = None) -> int:
        """A draft by the author; gives its number."""
        with self.db.transaction() as session:
            source = self.text(*pairs) if text is None else text
            return drafting.draft(session, self.author, "small-thing", source).id

    def ask(self, draft_id: int, actor: Actor | None = None) -> int:
        """Ask for a replay; gives its number."""
        with self.db.transaction() as session:
            return replaying.ask(session, actor or self.publisher, draft_id).id

    def work(self) -> int:
        """Let the worker do what waits."""
        handlers = {replaying.REPLAY: partial(replaying.carry_out, make_routes=RouteBook)}
        return run_due(Workshop(self.db, self.settings, handlers))

    def replay_row(self, replay_id: int) -> OfferingReplay:
        with self.db.reading() as session:
            return session.get_one(OfferingReplay, replay_id)

    def publish(self, draft_id: int, replay_id: int, actor: Actor | None = None, digest: str = "") -> int:
        """Publish as the publisher; gives the version's number in the database."""
        with self.db.transaction() as session:
            seen = digest or session.get_one(drafting.OfferingDraft, draft_id).digest
            made = publish_draft(session, actor or self.publisher, draft_id, digest=seen, replay_id=replay_id)
            return made.id

    def entries(self, tag: str) -> list[str]:
        """The bodies of the ledger's entries of this tag, in order."""
        with self.db.reading() as session:
            rows = session.scalars(select(Entry).where(Entry.tag == tag).order_by(Entry.number))
            return [str(row.body) for row in rows]


def let_into(db: Database, person: int, slug: str) -> None:
    """Make the person a member of the group."""
    with db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == slug)).one()
        session.add(Membership(group_id=group.id, person_id=person))


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """Every statement that is sent while the block runs."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def office(
    db: Database, cast: Cast, clock: StandingClock, settings: Settings, actor_of: Callable[[int], Actor]
) -> Office:
    """Version 1 in force, and two people who may write and publish."""
    let_into(db, cast.second_owner, "catalogue-owners")
    with db.transaction() as session:
        publish(session, actor_of(cast.operator), SMALL, "small.yaml")
    return Office(db, cast, clock, settings, actor_of)
