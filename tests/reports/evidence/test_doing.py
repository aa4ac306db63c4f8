"""Evidence of what did not go straight while it was carried out: a drift, what stayed behind, what was done by hand."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.failures.acting import undo_all
from catalog.fulfilment.failures.by_hand import Claim, claim, confirm
from catalog.fulfilment.failures.situation import situation_of
from catalog.offerings.publish import publish
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.errors import PortalError
from portal.identity.model import Person
from reports.evidence.deviations import deviations_of
from tests.fixtures_requests import OFFERING
from tests.reports.conftest import ROUTE, EvidenceWorld
from tests.reports.evidence.test_escalations import gathered, wrong_in

pytestmark = pytest.mark.on_sqlite

OWNERS = {"slug": "owners", "name": "Owners", "approvers": {"group": "crm-owners"}, "target": "8h"}


@pytest.fixture
def two_stages(world: EvidenceWorld) -> EvidenceWorld:
    """The line manager first, then an owner."""
    with world.db.transaction() as session:
        route = {"stages": [ROUTE["stages"][0], OWNERS]}
        text = yaml.safe_dump({**OFFERING, "slug": "words-by-two", "route": route})
        world.shelves.version_id = publish(session, world.actor_of(world.cast.operator), text, "two.yaml").id
    return world


def agreed(world: EvidenceWorld) -> int:
    request_id = world.asked()
    world.decide(request_id, world.cast.manager)
    world.decide(request_id, world.cast.owner)
    return request_id


def drifted(world: EvidenceWorld, request_id: int) -> None:
    world.shelves.shelf.generation += 1
    world.shelves.work()
    assert world.shelves.request(request_id).state is State.PENDING


def stages_of(evidence: Any, revision: int) -> list[tuple[str, str, int]]:
    return [
        (stage.slug, stage.state, stage.quorum) for stage in evidence.stages if stage.revision == revision
    ]


def test_after_a_drift_the_last_stage_alone_is_asked_again(two_stages: EvidenceWorld) -> None:
    world, cast = two_stages, two_stages.cast
    request_id = agreed(world)
    drifted(world, request_id)

    asked = gathered(world, request_id)
    assert stages_of(asked, 2) == [("manager", "approved", 0), ("owners", "open", 1)]
    first, second = asked.sealings
    assert second.document["route"][0]["carried"] == {"seal": first.seal, "quorum": 1}
    assert world.shelves.shelf.acts == []
    with pytest.raises(PortalError):
        world.decide(request_id, cast.manager)
    world.decide(request_id, cast.owner)
    world.shelves.work()

    assert world.shelves.request(request_id).state is State.FULFILLED
    evidence = gathered(world, request_id)
    assert wrong_in(evidence) == []
    tags = [entry.body["tag"] for entry in evidence.ledger.entries]
    assert tags.count("stage:carried") == 1
    assert tags.count("approval:voided") == 2
    # What the first stage said stays on its own seal.
    assert [(one.stage, one.seal == first.seal, one.voided_at is None) for one in evidence.decisions] == [
        ("manager", True, False),
        ("owners", True, False),
        ("owners", False, True),
    ]
    # Without what it had said then, the chain does not hold.
    less = evidence.model_copy(update={"decisions": evidence.decisions[1:]})
    assert any("had not agreed on seal 1" in problem for problem in wrong_in(less))


def test_a_second_drift_rests_on_the_first_seal_still(two_stages: EvidenceWorld) -> None:
    request_id = agreed(two_stages)
    drifted(two_stages, request_id)
    two_stages.decide(request_id, two_stages.cast.owner)
    drifted(two_stages, request_id)
    evidence = gathered(two_stages, request_id)
    assert stages_of(evidence, 3) == [("manager", "approved", 0), ("owners", "open", 1)]
    assert evidence.sealings[2].document["route"][0]["carried"]["seal"] == evidence.sealings[0].seal
    assert wrong_in(evidence) == []


def test_everybody_is_asked_again_when_an_earlier_stage_has_lost_who_agreed(
    two_stages: EvidenceWorld,
) -> None:
    request_id = agreed(two_stages)
    with two_stages.db.transaction() as session:
        session.get_one(Person, two_stages.cast.requester).manager_id = two_stages.cast.head
    drifted(two_stages, request_id)
    assert stages_of(gathered(two_stages, request_id), 2) == [
        ("manager", "open", 1),
        ("owners", "waiting", 1),
    ]


def test_who_agreed_before_must_still_be_allowed_to_when_it_is_carried_out(two_stages: EvidenceWorld) -> None:
    request_id = agreed(two_stages)
    drifted(two_stages, request_id)
    two_stages.decide(request_id, two_stages.cast.owner)
    with two_stages.db.transaction() as session:
        session.get_one(Person, two_stages.cast.manager).active = False
        session.get_one(Person, two_stages.cast.requester).manager_id = two_stages.cast.head
    two_stages.shelves.work()
    assert two_stages.shelves.shelf.acts == []
    assert two_stages.shelves.request(request_id).state is State.PENDING
    assert stages_of(gathered(two_stages, request_id), 3)[0] == ("manager", "open", 1)


@pytest.fixture
def half_done(world: EvidenceWorld) -> int:
    """The second step was refused, and the first one could not be undone."""
    request_id = world.asked(second="world")
    world.decide(request_id, world.cast.manager)
    world.shelves.rack.trouble["apply"] = ConnectorError("The rack takes no words.", permanent=True)
    world.shelves.shelf.trouble["revert"] = ConnectorError("The shelf is locked.", permanent=True)
    world.shelves.work()
    return request_id


def seen(world: EvidenceWorld, request_id: int) -> str:
    with world.db.reading() as session:
        return situation_of(session, session.get_one(Request, request_id)).seen


def test_what_stayed_behind_and_was_undone_later_verifies(world: EvidenceWorld, half_done: int) -> None:
    evidence = gathered(world, half_done)
    assert [step.state for step in evidence.steps] == ["not-reverted", "failed"]
    assert any("could not be undone: The shelf is locked." in text for text in deviations_of(evidence))
    assert wrong_in(evidence) == []
    with world.db.transaction() as session:
        operator = world.actor_of(world.cast.operator)
        settings = world.shelves.settings
        undo_all(session, operator, evidence.reference, seen(world, half_done), settings=settings)
    world.shelves.work()
    evidence = gathered(world, half_done)
    assert [step.state for step in evidence.steps] == ["reverted", "failed"]
    assert wrong_in(evidence) == []


def test_what_was_done_by_hand_names_both_and_verifies(world: EvidenceWorld, half_done: int) -> None:
    settings, shelves = world.shelves.settings, world.shelves
    first, second = world.actor_of(world.cast.operator), world.actor_of(world.cast.security)
    reference = world.reference(half_done)
    step = shelves.steps(half_done)[1]
    with world.db.transaction() as session:
        words = "Put on the rack by hand; see the log."
        claim(session, first, reference, Claim(step.id, seen(world, half_done), words), settings=settings)
    shelves.work()
    with world.db.transaction() as session:
        confirm(session, second, reference, seen(world, half_done), settings=settings)
    shelves.work()
    evidence = gathered(world, half_done)
    assert evidence.request.state == "fulfilled"
    by_hand = evidence.steps[-1].outcome["by_hand"]
    assert evidence.person(by_hand["confirmed_by"]) == "Sami Security"
    assert by_hand["target"] == "absent"
    assert any("confirmed what was done by hand" in text for text in deviations_of(evidence))
    assert wrong_in(evidence) == []
