"""Whatever people do in whatever order: what holds after every step.

HYPOTHESIS_PROFILE=explore walks ten thousand lives; without it a few, the same each time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select, update

from approvals.decisions.model import Decision, Verdict
from approvals.delegation.give import Wish, give
from approvals.delegation.model import Delegation
from approvals.routing.model import Stage, StageApprover, StageState
from approvals.routing.watching import look_again
from approvals.timing.close import expire
from catalog.requests.events import FulfilmentStarting, RequestPlanned
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, move
from catalog.requests.replan import replan
from catalog.requests.seal import seal
from catalog.requests.states import Move, State
from catalog.requests.withdraw import withdraw
from portal.audit.model import Entry
from portal.core.errors import PortalError
from portal.core.events import publish
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person
from tests.approvals.conftest import MANAGER_STAGE, Story

PEOPLE = ("manager", "head", "owner", "second_owner", "security", "outsider", "requester", "operator")
MEMBERS = ("owner", "second_owner", "security")
WHO = st.sampled_from(PEOPLE)
LONG = settings.get_current_profile_name() == "explore"
ROUTE: tuple[dict[str, Any], ...] = (
    MANAGER_STAGE,
    {
        "slug": "both",
        "name": "Owners and security",
        "target": "8h",
        "parts": [
            {"slug": "owners", "name": "Owners", "approvers": {"group": "crm-owners"}},
            {"slug": "security", "name": "Security", "approvers": {"group": "network-security"}},
        ],
    },
)


class Life(RuleBasedStateMachine):
    """One request, and everything that people and the portal can do to it."""

    def __init__(self, story: Story, actor_of: Callable[..., Actor], version: int) -> None:
        super().__init__()
        self.story, self.actor_of, self.version = story, actor_of, version
        self.ids = story.cast.ids
        self.expired = False

    @initialize()
    def begin(self) -> None:
        """The organisation is as it was before any life, and a request's first stage is open."""
        with self.story.db.transaction() as session:
            group = self._group(session)
            session.execute(delete(Membership).where(Membership.group_id == group))
            session.add_all(Membership(group_id=group, person_id=self.ids[name]) for name in MEMBERS)
            session.execute(delete(Delegation))
            session.execute(update(Person).where(Person.id != self.ids["leaver"]).values(active=True))
        self.request_id = self.story.request(self.version)
        self.story.plan(self.request_id)

    def do(self, act: Callable[[Any], object]) -> bool:
        """In a transaction of its own. A refusal is an answer; anything else is not."""
        try:
            with self.story.db.transaction() as session:
                act(session)
        except PortalError:
            return False
        return True

    @rule(choice=st.integers(0, 5))
    def agree(self, choice: int) -> None:
        """Somebody who was asked just now agrees."""
        self._agree(choice)

    @rule(choice=st.integers(0, 5))
    def agree_one_after_another(self, choice: int) -> None:
        """The same three times, so that lives get somewhere."""
        for _ in range(3):
            self._agree(choice)

    @rule(choice=st.integers(0, 5), sure=st.sampled_from((False, False, True)))
    def refuse(self, choice: int, sure: bool) -> None:
        """Somebody who was asked says no; seldom, for nothing follows."""
        if sure:
            self._agree(choice, Verdict.DENY)

    def _agree(self, choice: int, verdict: Verdict = Verdict.APPROVE) -> None:
        with self.story.db.reading() as session:
            asked = set(
                session.scalars(
                    select(StageApprover.person_id)
                    .join(Stage, Stage.id == StageApprover.stage_id)
                    .where(Stage.request_id == self.request_id, Stage.state == StageState.OPEN)
                )
            )
        names = [name for name in PEOPLE if self.ids[name] in asked]
        if names:
            self._decide(names[choice % len(names)], verdict)

    @rule(person=WHO, verdict=st.sampled_from(Verdict))
    def decide(self, person: str, verdict: Verdict) -> None:
        """Anybody says anything."""
        self._decide(person, verdict)

    def _decide(self, name: str, verdict: Verdict) -> None:
        person, never = self.ids[name], {self.ids["requester"], self.ids["operator"]}
        with self.story.db.reading() as session:
            before = {
                stage.id: stage.state
                for stage in session.scalars(select(Stage).where(Stage.request_id == self.request_id))
            }
            barred = never | set(
                session.scalars(select(Delegation.substitute_id).where(Delegation.delegator_id.in_(never)))
            )
        actor = self.actor_of(person)
        if self.do(lambda session: self.story.decide_in(session, actor, self.request_id, verdict, "Because")):
            with self.story.db.reading() as session:
                last = session.scalars(select(Decision).order_by(Decision.id.desc()).limit(1)).one()
            assert last.person_id == person
            assert person not in barred, "nobody decides their own request, nor whoever they delegated to"
            decidable = {StageState.OPEN} | ({StageState.APPROVED} if verdict is Verdict.DENY else set())
            assert before[last.stage_id] in decidable, "no decision on a closed stage"

    @rule(person=WHO, substitute=WHO)
    def delegate(self, person: str, substitute: str) -> None:
        """Somebody has another decide for them from today on."""
        with self.story.db.reading() as session:
            user_name = session.get_one(Person, self.ids[substitute]).user_name
        wish = Wish(user_name, date(2026, 11, 18), date(2026, 11, 20), every=True, offerings=())
        actor = self.actor_of(self.ids[person])
        self.do(lambda session: give(session, actor, wish, settings=self.story.settings))

    @rule(person=WHO)
    def leave(self, person: str) -> None:
        """Somebody leaves the group that one part asks."""
        self.do(
            lambda session: session.execute(
                delete(Membership).where(
                    Membership.group_id == self._group(session), Membership.person_id == self.ids[person]
                )
            )
        )

    @rule(person=WHO)
    def join(self, person: str) -> None:
        """Somebody joins it."""
        self.do(
            lambda session: session.merge(
                Membership(group_id=self._group(session), person_id=self.ids[person])
            )
        )

    @rule(person=WHO, active=st.booleans())
    def account(self, person: str, active: bool) -> None:
        """An account is closed or opened."""
        self.do(
            lambda session: session.execute(
                update(Person).where(Person.id == self.ids[person]).values(active=active)
            )
        )

    @rule()
    def watch(self) -> None:
        """The portal looks whether the open stages still have their people."""
        self.do(lambda session: look_again(session, get_locked(session, self.request_id)))

    @rule()
    def edit(self) -> None:
        """An answer is changed."""
        self.do(
            lambda session: replan(session, get_locked(session, self.request_id), "An answer was edited.")
        )

    @rule()
    def prepare(self) -> None:
        """The worker prepares it again."""

        def again(session: Any) -> None:
            request = get_locked(session, self.request_id)
            move(session, request, Move.PREPARE)
            request.revision += 1
            session.flush()
            publish(session, RequestPlanned(request.id))

        self.do(again)

    @rule(sure=st.sampled_from((False, False, False, True)))
    def end(self, sure: bool) -> None:
        """The time of an open stage is over; seldom, for nothing follows."""

        def over(session: Any) -> None:
            request = get_locked(session, self.request_id)
            stage = session.scalars(
                select(Stage).where(Stage.request_id == request.id, Stage.state == StageState.OPEN)
            ).first()
            if stage is not None:
                expire(session, request, stage)
                self.expired = True

        if sure:
            self.do(over)

    @rule(sure=st.sampled_from((False, False, False, True)))
    def withdraw(self, sure: bool) -> None:
        """The requester takes it back; seldom."""
        if sure:
            actor = self.actor_of(self.ids["requester"])
            self.do(lambda session: withdraw(session, actor, self.request_id))

    @rule()
    def start(self) -> None:
        """The worker begins to carry it out."""

        def begin(session: Any) -> None:
            publish(session, FulfilmentStarting(self.request_id))
            move(session, get_locked(session, self.request_id), Move.START)

        self.do(begin)

    @invariant()
    def promises_hold(self) -> None:
        """What security.md promises of every request at every moment."""
        with self.story.db.reading() as session:
            request = session.get_one(Request, self.request_id)
            stages = session.scalars(select(Stage).where(Stage.request_id == request.id)).all()
            decisions = session.scalars(select(Decision).where(Decision.request_id == request.id)).all()
            tags = session.scalars(
                select(Entry.tag).where(Entry.subject == f"request:{request.reference}")
            ).all()
            if request.seal:
                assert seal(request) == request.seal, "what is stored is what was sealed"
        never = {self.ids["requester"], self.ids["operator"]}
        now = [stage for stage in stages if stage.revision == request.revision]
        counting = [decision for decision in decisions if decision.voided_at is None]
        people = [one for d in counting for one in (d.person_id, d.on_behalf_of_id) if one is not None]
        assert not never & {one for d in decisions for one in (d.person_id, d.on_behalf_of_id)}
        assert len(set(people)) == len(people), (
            "one person counts once, and a substitute with whom they are for"
        )
        assert all(decision.seal == request.seal for decision in counting), "a new seal voids what was said"
        open_ones = [stage for stage in stages if stage.state is StageState.OPEN]
        assert bool(open_ones) == (request.state is State.PENDING), "what waits, waits for somebody"
        assert len({stage.position for stage in open_ones}) <= 1, "one stage after another"
        assert all(
            stage.state not in {StageState.OPEN, StageState.WAITING} for stage in stages if stage not in now
        )
        denied = any(decision.verdict is Verdict.DENY for decision in counting)
        assert (denied or self.expired) == (request.state is State.REJECTED), "a denial wins"
        if request.state in {State.SCHEDULED, State.FULFILLING}:
            assert all(stage.state is StageState.APPROVED for stage in now)
            for stage in now:
                agreed = [d for d in counting if d.stage_id == stage.id and d.verdict is Verdict.APPROVE]
                assert len(agreed) >= stage.quorum
        assert tags.count("approval:approved") + tags.count("approval:denied") == len(decisions)
        assert tags.count("approval:voided") == len(decisions) - len(counting)
        assert tags.count("stage:opened") == sum(stage.opened_at is not None for stage in stages)

    @staticmethod
    def _group(session: Any) -> int:
        return int(session.scalars(select(Group.id).where(Group.slug == "network-security")).one())


def test_the_promises_hold_after_every_step_of_every_life(
    story: Story, actor_of: Callable[..., Actor]
) -> None:
    version = story.offer(*ROUTE)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Life(story, actor_of, version),
        settings=settings(
            max_examples=10_000 if LONG else 10,
            stateful_step_count=25 if LONG else 12,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with story.db.reading() as session:
        reached = set(session.scalars(select(Request.state)))
        said = session.scalars(select(Decision.verdict)).all()
    assert {State.PENDING, State.PREPARING, State.SCHEDULED, State.REJECTED} <= reached, "lives got somewhere"
    assert set(said) == set(Verdict)
