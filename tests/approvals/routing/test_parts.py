"""Parts of a stage: asked at the same time, each with a quorum of its own, by different people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from approvals.decisions.model import Decision, Verdict
from approvals.decisions.present import stage_of
from approvals.decisions.read import read_for_decision
from approvals.routing.model import StageState
from approvals.routing.router import Router
from catalog.requests.model import Request
from catalog.requests.presenters import stage_cards
from catalog.requests.seal import seal
from catalog.requests.states import State
from portal.audit.model import Entry
from portal.core.errors import Conflict
from portal.identity.model import Group, Membership, Person
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE

OWNER = {"slug": "owner", "name": "Owner of the application", "approvers": {"group": "crm-owners"}}
NETWORK = {"slug": "network", "name": "Network security", "approvers": {"group": "network-security"}}


def both(*parts: Any, **stage: Any) -> dict[str, Any]:
    return {"slug": "both", "name": "Owners and network", "target": "8h", "parts": list(parts), **stage}


def states(story, request_id):
    return [(stage.slug, stage.position, stage.part, stage.state.value) for stage in story.stages(request_id)]


def join(story, person, slug):
    with story.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == slug)).one()
        session.add(Membership(group_id=group.id, person_id=person))


def test_all_parts_open_together_and_the_next_stage_when_every_one_has_agreed(story, decide):
    request_id = story.planned(both(OWNER, NETWORK), MANAGER_STAGE)
    assert states(story, request_id) == [
        ("owner", 1, 0, "open"),
        ("network", 1, 1, "open"),
        ("line-manager", 2, 0, "waiting"),
    ]
    request = story.see(request_id)
    assert request.baton == (
        "1 of Olga Owner or Otto Owner, and 1 of Olga Owner, Otto Owner or Sami Security"
    )
    decide(request_id, story.cast.owner)
    assert [state for *_, state in states(story, request_id)] == ["approved", "open", "waiting"]
    assert story.see(request_id).baton == "1 of Otto Owner or Sami Security", "Olga has spoken"
    decide(request_id, story.cast.security)
    assert [state for *_, state in states(story, request_id)] == ["approved", "approved", "open"]
    decide(request_id, story.cast.manager)
    assert story.see(request_id).state is State.SCHEDULED


@pytest.mark.on_sqlite
@pytest.mark.parametrize(("quorum", "needed"), [("any", 1), (1, 1), (2, 2), ("all", 3)])
def test_each_part_has_a_quorum_of_its_own(story, decide, quorum, needed):
    request_id = story.planned(
        both(
            {**NETWORK, "quorum": quorum},
            {"slug": "head", "name": "Head", "approvers": {"group": "unit-heads"}},
        )
    )
    network, _ = story.stages(request_id)
    assert network.quorum == needed
    for person in (story.cast.owner, story.cast.second_owner, story.cast.security)[:needed]:
        assert story.stages(request_id)[0].state is StageState.OPEN
        decide(request_id, person)
    assert [stage.state for stage in story.stages(request_id)] == [StageState.APPROVED, StageState.OPEN]
    assert story.see(request_id).state is State.PENDING
    decide(request_id, story.cast.head)
    assert story.see(request_id).state is State.SCHEDULED


@pytest.mark.on_sqlite
def test_a_denial_in_any_part_rejects_the_request_and_closes_the_others(story, decide):
    request_id = story.planned(both(OWNER, NETWORK), MANAGER_STAGE)
    decide(request_id, story.cast.owner)
    decide(request_id, story.cast.security, Verdict.DENY, comment="Too wide")
    assert story.see(request_id).state is State.REJECTED
    assert [state for *_, state in states(story, request_id)] == ["closed", "rejected", "closed"]
    with story.db.reading() as session:
        told = set(session.scalars(select(Message.person_id).where(Message.event == "approval_ended")))
    assert {story.cast.owner, story.cast.second_owner} <= told


@pytest.mark.on_sqlite
def test_one_person_counts_once_over_all_parts(story, decide):
    request_id = story.planned(both(OWNER, NETWORK))
    decide(request_id, story.cast.owner)
    with pytest.raises(Conflict, match="One person counts once"):
        decide(request_id, story.cast.owner)
    assert [state for *_, state in states(story, request_id)] == ["approved", "open"]


@pytest.mark.on_sqlite
def test_an_approval_goes_to_the_part_that_can_spare_its_person_least_for_another(story, decide):
    # Sami may decide both; only Sami and Olga may decide the first, and Olga is the one the other still needs.
    join(story, story.cast.security, "erp-owners")
    erp = {"slug": "erp", "name": "ERP", "approvers": {"group": "erp-owners"}, "quorum": 2}
    request_id = story.planned(both(NETWORK, erp))
    decide(request_id, story.cast.security)
    with story.db.reading() as session:
        (decision,) = session.scalars(select(Decision)).all()
    by_id = {stage.id: stage.slug for stage in story.stages(request_id)}
    assert by_id[decision.stage_id] == "erp", "both owners of the ERP are needed there"


@pytest.mark.on_sqlite
def test_the_page_asks_for_a_signature_in_the_very_part_that_is_decided(story, decide, actor_of):
    join(story, story.cast.security, "erp-owners")
    erp = {"slug": "erp", "name": "ERP", "approvers": {"group": "erp-owners"}}
    request_id = story.planned(both(NETWORK, erp))
    with story.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "erp-owners")).one()
        session.delete(session.get_one(Membership, (group.id, story.cast.owner)))
    actor = actor_of(story.cast.security)
    with story.db.reading() as session:
        card = read_for_decision(session, actor, story.see(request_id).reference)
        shown = stage_of(card, actor, Verdict.APPROVE)
    assert shown is not None
    assert shown.slug == "erp", "nobody else is left for it"
    decide(request_id, story.cast.security)
    assert [state for *_, state in states(story, request_id)] == ["open", "approved"]


@pytest.mark.on_sqlite
def test_parts_that_only_one_person_could_fill_climb_so_that_two_decide(story):
    erp = {"slug": "erp", "name": "ERP", "approvers": {"group": "erp-owners"}}
    request_id = story.planned(
        both(erp, {"slug": "erp-again", "name": "ERP again", "approvers": {"group": "erp-owners"}})
    )
    with story.db.reading() as session:
        first, second = Router().progress(session, request_id)
    assert first.approvers == ("Olga Owner",)
    assert second.approvers == ("Hanna Head",)
    assert "Asked instead: Hanna Head, as manager of the line manager of the beneficiary." in second.because


@pytest.mark.on_sqlite
def test_a_part_that_finds_nobody_climbs_by_itself_and_says_so(story):
    nobody = {"slug": "nobody", "name": "Nobody", "approvers": {"group": "compliance"}}
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.compliance).active = False
    request_id = story.planned(both(OWNER, nobody))
    owner, climbed = story.stages(request_id)
    assert owner.because == "Asked as member of crm owners."
    assert climbed.because == (
        "Nobody can be asked as member of the group compliance. "
        "Asked instead: Hanna Head, as manager of the line manager of the beneficiary."
    )


@pytest.mark.on_sqlite
def test_a_part_with_a_condition_is_asked_only_where_it_holds(story):
    conditional = {**NETWORK, "when": 'risk.level == "high"', "when_says": "Where the risk is high"}
    low = story.planned(both(OWNER, conditional))
    assert states(story, low) == [("owner", 1, 0, "open")]
    high = story.planned(both(OWNER, conditional), risk={"level": "high", "score": 60, "reasons": []})
    assert [slug for slug, *_ in states(story, high)] == ["owner", "network"]
    assert story.stages(high)[1].because.startswith("Where the risk is high. Asked as")


@pytest.mark.on_sqlite
def test_a_stage_whose_parts_all_fall_away_is_no_stage(story):
    request_id = story.planned(both({**OWNER, "when": "false"}, {**NETWORK, "when": "false"}), MANAGER_STAGE)
    assert states(story, request_id) == [("line-manager", 1, 0, "open")]


@pytest.mark.on_sqlite
def test_the_seal_covers_which_parts_there_are_and_how_they_stand(story):
    request_id = story.planned(both(OWNER, {**NETWORK, "quorum": 2}))
    with story.db.reading() as session:
        request = session.get_one(Request, request_id)
        assert seal(request) == request.seal
        assert [
            (part["position"], part["part"], part["part_of"], part["slug"], part["quorum"])
            for part in request.route
        ] == [
            (1, 0, "Owners and network", "owner", 1),
            (1, 1, "Owners and network", "network", 2),
        ]
        for changed in ({"part": 0}, {"position": 2}, {"quorum": 1}, {"part_of": ""}):
            request.route = [request.route[0], {**request.route[1], **changed}]
            assert seal(request) != request.seal, changed
        session.rollback()


@pytest.mark.on_sqlite
def test_pages_show_each_part_under_its_stage_with_whom_it_is_asked_beside(story):
    request_id = story.planned(both(OWNER, NETWORK), MANAGER_STAGE)
    with story.db.reading() as session:
        cards = stage_cards(Router().progress(session, request_id), timezone="Europe/Berlin")
    rows = [card.row for card in cards]
    assert [row[0] for row in rows] == [
        "Owners and network: Owner of the application",
        "Network security",
        "Line manager",
    ]
    assert [row[4] for row in rows] == [False, True, False], "the second part stands beside the first"
    assert cards[1].name == "Owners and network: Network security"
    assert "at the same time as Network security" in rows[0][3]
    assert "at the same time as Owner of the application" in rows[1][3]
    assert "at the same time" not in rows[2][3]


@pytest.mark.on_sqlite
def test_each_part_may_take_its_own_time_and_the_stage_is_due_when_the_last_one_is(story):
    request_id = story.planned(both({**OWNER, "target": "2d"}, NETWORK, acr="urn:strong"), MANAGER_STAGE)
    owner, network, manager = story.stages(request_id)
    assert (owner.target_minutes, network.target_minutes) == (960, 480)
    assert (owner.acr, network.acr, manager.acr) == ("urn:strong", "urn:strong", "")
    assert network.due_at < owner.due_at < story.see(request_id).promised_by
    assert story.see(request_id).baton_due == network.due_at


@pytest.mark.on_sqlite
def test_every_part_that_opens_is_an_entry_of_its_own(story):
    story.planned(both(OWNER, NETWORK))
    with story.db.reading() as session:
        opened = session.scalars(select(Entry.body).where(Entry.tag == "stage:opened").order_by(Entry.number))
        assert [json.loads(body)["facts"]["stage"] for body in opened] == ["owner", "network"]
