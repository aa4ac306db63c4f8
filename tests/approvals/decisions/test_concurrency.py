"""Fifty at once: one outcome, and everybody else is told of a conflict.

ROUNDS=20 repeats the mixed round so often; once is enough for each change.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from approvals.decisions.model import Decision, Verdict
from approvals.routing.model import StageState
from catalog.requests.states import State
from portal.audit.model import Entry
from portal.core.errors import Conflict
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person
from tests.approvals.conftest import OWNER_STAGE, Story
from tests.fixtures_people import ISSUER

AT_ONCE = 50
ROUNDS = int(os.environ.get("ROUNDS", "1"))


@pytest.fixture
def crowd(story: Story, actor_of: Callable[..., Actor]) -> list[Actor]:
    """Fifty owners of the customer system, as actors who signed in just now."""
    with story.db.transaction() as session:
        unit = session.get_one(Person, story.cast.owner).unit_id
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        people = [
            Person(
                issuer=ISSUER,
                subject=f"s-crowd-{number}",
                user_name=f"crowd.{number}",
                name=f"Crowd {number}",
                email=f"crowd.{number}@meridian.example",
                unit_id=unit,
                timezone="Europe/Berlin",
                active=True,
            )
            for number in range(AT_ONCE)
        ]
        session.add_all(people)
        session.flush()
        session.add_all(Membership(group_id=group.id, person_id=person.id) for person in people)
        ids = [person.id for person in people]
    return [actor_of(number) for number in ids]


def all_at_once(story: Story, request_id: int, tries: list[tuple[Actor, Verdict]]) -> Counter[str]:
    """What became of each try; a name of anything but a decision or a conflict fails the caller."""
    together = Barrier(len(tries))

    def attempt(number: int) -> str:
        actor, verdict = tries[number]
        together.wait()
        try:
            with story.db.transaction() as session:
                story.decide_in(session, actor, request_id, verdict, "Because")
        except Conflict:
            return "conflict"
        except Exception as error:  # noqa: BLE001  (whatever it is, the test names it)
            return f"{type(error).__name__}: {error}"
        return verdict.value

    with ThreadPoolExecutor(len(tries)) as threads:
        return Counter(threads.map(attempt, range(len(tries))))


def outcome(story: Story, request_id: int) -> tuple[State, list[Verdict], Counter[str]]:
    with story.db.reading() as session:
        verdicts = list(session.scalars(select(Decision.verdict).order_by(Decision.id)))
        tags = Counter(session.scalars(select(Entry.tag)))
    return story.see(request_id).state, verdicts, tags


@pytest.mark.parametrize("quorum", [1, 3])
def test_fifty_approvals_at_once_give_one_outcome(story: Story, crowd: list[Actor], quorum: int) -> None:
    request_id = story.planned({**OWNER_STAGE, "quorum": quorum})
    told = all_at_once(story, request_id, [(actor, Verdict.APPROVE) for actor in crowd])
    assert told == Counter({"approve": quorum, "conflict": AT_ONCE - quorum})
    state, verdicts, tags = outcome(story, request_id)
    assert state is State.SCHEDULED
    assert verdicts == [Verdict.APPROVE] * quorum
    assert tags["approval:approved"] == quorum
    assert tags["stage:approved"] == 1


def test_fifty_denials_at_once_give_one_outcome(story: Story, crowd: list[Actor]) -> None:
    request_id = story.planned(OWNER_STAGE)
    told = all_at_once(story, request_id, [(actor, Verdict.DENY) for actor in crowd])
    assert told == Counter({"deny": 1, "conflict": AT_ONCE - 1})
    assert outcome(story, request_id)[0] is State.REJECTED


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_fifty_approvals_and_denials_at_once_give_one_outcome_and_a_denial_wins(
    story: Story, crowd: list[Actor], turn: int
) -> None:
    request_id = story.planned(OWNER_STAGE)
    tries = [(actor, list(Verdict)[(number + turn) % 2]) for number, actor in enumerate(crowd)]
    told = all_at_once(story, request_id, tries)
    assert set(told) <= {"approve", "deny", "conflict"}, told
    assert told["deny"] == 1
    assert told["approve"] <= 1, "the quorum is one, and nothing is approved after a denial"
    assert sum(told.values()) == AT_ONCE
    state, verdicts, tags = outcome(story, request_id)
    assert state is State.REJECTED
    assert verdicts[-1] is Verdict.DENY
    assert tags["stage:rejected"] == 1
    assert [stage.state for stage in story.stages(request_id)] == [StageState.REJECTED]


def test_one_person_pressing_fifty_times_decides_once(story: Story, crowd: list[Actor]) -> None:
    request_id = story.planned({**OWNER_STAGE, "quorum": 5})
    told = all_at_once(story, request_id, [(crowd[0], Verdict.APPROVE)] * AT_ONCE)
    assert told == Counter({"approve": 1, "conflict": AT_ONCE - 1})
    assert outcome(story, request_id)[0] is State.PENDING
