"""Whatever people do in whatever order: what holds after every step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from approvals.decisions.model import Decision, Verdict
from approvals.routing.model import Stage, StageApprover, StageState
from catalog.requests.events import FulfilmentStarting, RequestPlanned
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, move
from catalog.requests.replan import replan
from catalog.requests.states import Move, State
from catalog.requests.withdraw import withdraw
from portal.audit.model import Entry
from portal.core.errors import PortalError
from portal.core.events import publish
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story

PEOPLE = ("requester", "manager", "head", "owner", "second_owner", "security", "outsider")
#: What may happen, the likelier the more often it stands here; most people who are asked agree.
KINDS = (
    ("yes",) * 8
    + ("decide",) * 4
    + ("start",) * 2
    + ("leave", "join", "edit", "prepare", "prepare", "withdraw")
)
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(PEOPLE), st.sampled_from(list(Verdict))),
    min_size=3,
    max_size=14,
)


class Life:
    """One request, and everything that people and the portal can do to it."""

    def __init__(self, story: Story, actor_of: Callable[..., Actor]) -> None:
        self.story, self.actor_of = story, actor_of
        both = {
            **OWNER_STAGE,
            "slug": "security",
            "name": "Security",
            "approvers": {"group": "network-security"},
        }
        self.request_id = story.planned(MANAGER_STAGE, {**OWNER_STAGE, "quorum": 1}, both)

    def yes(self, person: str, verdict: Verdict) -> None:
        """Whoever the baton names agrees; `person` chooses among them."""
        with self.story.db.reading() as session:
            open_ones = select(Stage.id).where(
                Stage.request_id == self.request_id, Stage.state == StageState.OPEN
            )
            ids = set(
                session.scalars(select(StageApprover.person_id).where(StageApprover.stage_id.in_(open_ones)))
            )
        asked = [name for name in PEOPLE if self.story.cast.ids[name] in ids]
        if asked:
            self.decide(asked[PEOPLE.index(person) % len(asked)], Verdict.APPROVE)

    def decide(self, person: str, verdict: Verdict) -> None:
        actor = self.actor_of(self.story.cast.ids[person])
        with self.story.db.transaction() as session:
            self.story.decide_in(session, actor, self.request_id, verdict, "Because")

    def leave(self, person: str, _verdict: Verdict) -> None:
        with self.story.db.transaction() as session:
            place = session.get(Membership, (self._group(session), self.story.cast.ids[person]))
            if place:
                session.delete(place)

    def join(self, person: str, _verdict: Verdict) -> None:
        with self.story.db.transaction() as session:
            session.merge(Membership(group_id=self._group(session), person_id=self.story.cast.ids[person]))

    def edit(self, *_: Any) -> None:
        with self.story.db.transaction() as session:
            replan(session, get_locked(session, self.request_id), "An answer was edited.")

    def prepare(self, *_: Any) -> None:
        with self.story.db.transaction() as session:
            request = get_locked(session, self.request_id)
            move(session, request, Move.PREPARE)
            request.revision += 1
            session.flush()
            publish(session, RequestPlanned(request.id))

    def withdraw(self, *_: Any) -> None:
        with self.story.db.transaction() as session:
            withdraw(session, self.actor_of(self.story.cast.requester), self.request_id)

    def start(self, *_: Any) -> None:
        with self.story.db.transaction() as session:
            publish(session, FulfilmentStarting(self.request_id))
            move(session, get_locked(session, self.request_id), Move.START)

    def check(self) -> None:
        ids = self.story.cast.ids
        with self.story.db.reading() as session:
            request = session.get_one(Request, self.request_id)
            stages = list(
                session.scalars(select(Stage).where(Stage.request_id == request.id).order_by(Stage.id))
            )
            decisions = list(session.scalars(select(Decision).where(Decision.request_id == request.id)))
            tags = list(
                session.scalars(select(Entry.tag).where(Entry.subject == f"request:{request.reference}"))
            )
        now = [stage for stage in stages if stage.revision == request.revision]
        counting = [decision for decision in decisions if decision.voided_at is None]
        assert all(decision.person_id not in {ids["requester"], ids["operator"]} for decision in decisions)
        assert len({decision.person_id for decision in counting}) == len(counting), "one person counts once"
        assert all(decision.seal == request.seal for decision in counting), (
            "a seal that changed voids what was said"
        )
        assert sum(stage.state is StageState.OPEN for stage in stages) == (request.state is State.PENDING)
        assert all(
            stage.state not in {StageState.OPEN, StageState.WAITING} for stage in stages if stage not in now
        )
        denied = any(decision.verdict is Verdict.DENY for decision in counting)
        assert denied == (request.state is State.REJECTED), "a denial wins"
        if request.state in {State.SCHEDULED, State.FULFILLING}:
            assert all(stage.state is StageState.APPROVED for stage in now)
            for stage in now:
                agreed = [d for d in counting if d.stage_id == stage.id and d.verdict is Verdict.APPROVE]
                assert len(agreed) >= stage.quorum
        assert tags.count("approval:approved") + tags.count("approval:denied") == len(decisions)
        assert tags.count("approval:voided") == len(decisions) - len(counting)

    @staticmethod
    def _group(session: Any) -> int:
        return int(session.scalars(select(Group.id).where(Group.slug == "network-security")).one())


@given(steps=STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_promises_hold_after_every_step_of_every_life(
    story: Story, actor_of: Callable[..., Actor], steps: list[tuple[str, str, Verdict]]
) -> None:
    with story.db.transaction() as session:
        group = session.scalars(select(Group.id).where(Group.slug == "network-security")).one()
        for person in ("owner", "second_owner", "security"):
            session.merge(Membership(group_id=group, person_id=story.cast.ids[person]))
        left = session.get(Membership, (group, story.cast.outsider))
        if left:
            session.delete(left)
    life = Life(story, actor_of)
    life.check()
    for name, person, verdict in steps:
        with contextlib.suppress(PortalError):  # a refusal is an answer; anything else is not
            getattr(life, name)(person, verdict)
        life.check()
