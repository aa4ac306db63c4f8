"""From an offering's route to people: relations, exclusions, climbing, distinct people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import event, select

from approvals.routing.proposals import proposal_of
from approvals.routing.resolve import NobodyToAsk, resolve
from catalog.requests.model import Request
from catalog.requests.route import RouteStage
from portal.identity.model import Group, Membership, Person
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story


@pytest.fixture
def route_of(story: Story) -> Callable[..., tuple[RouteStage, ...]]:
    """Resolves the route of a request of an offering with these stages."""

    def resolved(
        *stages: Mapping[str, Any], publisher: int | None = None, **request: Any
    ) -> tuple[RouteStage, ...]:
        request_id = story.request(story.offer(*stages, publisher=publisher), **request)
        with story.db.transaction() as session:
            return resolve(session, proposal_of(session, session.get_one(Request, request_id)))

    return resolved


def people(stage: RouteStage) -> set[int]:
    return {person.person_id for person in stage.approvers}


def group_stage(group: str, quorum: int | str = 1, slug: str = "group") -> dict[str, Any]:
    return {"slug": slug, "name": "Group", "approvers": {"group": group}, "quorum": quorum, "target": "8h"}


def join(story: Story, person: int, slug: str) -> None:
    with story.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == slug)).one()
        session.add(Membership(group_id=group.id, person_id=person))


def change(story: Story, person: int, **values: Any) -> None:
    with story.db.transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(Person, person), name, value)


@pytest.mark.on_sqlite
def test_the_line_manager_decides_and_then_the_owners(story: Story, route_of: Callable[..., Any]) -> None:
    manager, owners = route_of(MANAGER_STAGE, OWNER_STAGE)
    assert people(manager) == {story.cast.manager}
    assert people(owners) == {story.cast.owner, story.cast.second_owner}
    assert manager.approvers[0].rule == "line-manager:beneficiary"
    assert "line manager of the beneficiary" in manager.because


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("approvers", "expected"),
    [
        ({"relation": "line-manager"}, {"manager"}),
        ({"relation": "line-manager", "of": "requester"}, {"manager"}),
        ({"relation": "manager-of-manager"}, {"head"}),
        ({"relation": "unit-head"}, {"head"}),
        ({"group": "crm-owners"}, {"owner", "second_owner"}),
        ({"group_from": "'erp-' + 'owners'"}, {"owner"}),
        ({"owner_of": "role"}, {"owner", "second_owner"}),
        ({"owner_of_group": "crm-owners"}, {"security"}),
    ],
)
def test_every_way_of_naming_approvers_finds_its_people(
    story: Story, route_of: Callable[..., Any], approvers: Mapping[str, Any], expected: set[str]
) -> None:
    with story.db.transaction() as session:
        session.scalars(select(Group).where(Group.slug == "crm-owners")).one().owner_id = story.cast.security
    (stage,) = route_of({**MANAGER_STAGE, "approvers": approvers})
    assert people(stage) == {story.cast.ids[name] for name in expected}


@pytest.mark.on_sqlite
def test_the_beneficiarys_manager_decides_when_somebody_asks_for_another(
    story: Story, route_of: Callable[..., Any]
) -> None:
    change(story, story.cast.outsider, manager_id=story.cast.security)
    (stage,) = route_of(MANAGER_STAGE, beneficiary=story.cast.outsider)
    assert people(stage) == {story.cast.security}
    (stage,) = route_of(
        {**MANAGER_STAGE, "approvers": {"relation": "line-manager", "of": "requester"}},
        beneficiary=story.cast.outsider,
    )
    assert people(stage) == {story.cast.manager}


@pytest.mark.on_sqlite
def test_a_stage_whose_condition_does_not_hold_is_left_out(route_of: Callable[..., Any]) -> None:
    owners = {**OWNER_STAGE, "when": "risk.level != 'low'"}
    assert [stage.slug for stage in route_of(MANAGER_STAGE, owners)] == ["line-manager"]
    risk = {"level": "high", "score": 60, "reasons": []}
    assert [stage.slug for stage in route_of(MANAGER_STAGE, owners, risk=risk)] == [
        "line-manager",
        "resource-owner",
    ]


@pytest.mark.on_sqlite
def test_a_conditional_stage_says_when_it_applies(route_of: Callable[..., Any]) -> None:
    owners = {**OWNER_STAGE, "when": "risk.level == 'low'", "when_says": "Where the risk is low"}
    (stage,) = route_of(owners)
    assert stage.because == "Where the risk is low. Asked as member of crm owners."


@pytest.mark.on_sqlite
def test_a_route_whose_stages_all_do_not_apply_is_empty(route_of: Callable[..., Any]) -> None:
    assert route_of({**OWNER_STAGE, "when": "risk.level != 'low'"}) == ()


@pytest.mark.on_sqlite
@pytest.mark.parametrize("part", ["requester", "beneficiary", "editor", "publisher"])
def test_requester_beneficiary_last_editor_and_publisher_are_never_asked(
    story: Story, route_of: Callable[..., Any], part: str
) -> None:
    (stage,) = route_of(OWNER_STAGE, **{part: story.cast.owner})
    assert people(stage) == {story.cast.second_owner}


@pytest.mark.on_sqlite
def test_people_with_a_closed_account_are_never_asked(story: Story, route_of: Callable[..., Any]) -> None:
    (stage,) = route_of(OWNER_STAGE)
    assert story.cast.leaver not in people(stage)


@pytest.mark.on_sqlite
def test_a_manager_who_asks_for_a_report_climbs_to_their_own_manager(
    story: Story, route_of: Callable[..., Any]
) -> None:
    (stage,) = route_of(MANAGER_STAGE, requester=story.cast.manager, beneficiary=story.cast.requester)
    assert people(stage) == {story.cast.head}
    assert "Nobody can be asked as line manager of the beneficiary." in stage.because
    assert "Hanna Head" in stage.because
    assert stage.approvers[0].rule == "manager-of-manager:beneficiary"


@pytest.mark.on_sqlite
def test_an_inactive_manager_climbs(story: Story, route_of: Callable[..., Any]) -> None:
    change(story, story.cast.manager, active=False)
    (stage,) = route_of(MANAGER_STAGE)
    assert people(stage) == {story.cast.head}


@pytest.mark.on_sqlite
def test_without_any_manager_the_offerings_owners_are_asked(
    story: Story, route_of: Callable[..., Any]
) -> None:
    join(story, story.cast.auditor, "catalogue-owners")
    (stage,) = route_of(MANAGER_STAGE, requester=story.cast.head)
    assert people(stage) == {story.cast.auditor}, "the publisher is an owner too and is left out"
    assert "member of catalogue owners" in stage.because


@pytest.mark.on_sqlite
def test_a_group_without_active_members_climbs(story: Story, route_of: Callable[..., Any]) -> None:
    (stage,) = route_of(group_stage("no-such-group"))
    assert people(stage) == {story.cast.head}
    assert "member of the group no-such-group" in stage.because


@pytest.mark.on_sqlite
def test_a_route_that_resolves_to_nobody_is_an_error_now(story: Story, route_of: Callable[..., Any]) -> None:
    with pytest.raises(NobodyToAsk) as caught:
        route_of(MANAGER_STAGE, requester=story.cast.head)
    assert "Line manager" in caught.value.sentence
    assert "member of the group catalogue-owners" in caught.value.sentence


@pytest.mark.on_sqlite
def test_a_quorum_larger_than_the_people_is_an_error(route_of: Callable[..., Any]) -> None:
    with pytest.raises(NobodyToAsk, match="needs 3 people to agree, and only 2"):
        route_of(group_stage("crm-owners", 3))


@pytest.mark.on_sqlite
def test_all_means_everybody_who_can_be_asked(story: Story, route_of: Callable[..., Any]) -> None:
    (stage,) = route_of(group_stage("network-security", "all"))
    assert stage.quorum == len(stage.approvers) == 3


@pytest.mark.on_sqlite
def test_a_manager_who_also_owns_the_resource_leaves_it_to_another_owner(
    story: Story, route_of: Callable[..., Any]
) -> None:
    join(story, story.cast.manager, "crm-owners")
    manager, owners = route_of(MANAGER_STAGE, OWNER_STAGE)
    assert people(manager) == {story.cast.manager}
    assert people(owners) == {story.cast.owner, story.cast.second_owner}
    assert "Milo Manager must decide another stage instead" in owners.because


def test_one_person_for_two_stages_climbs_so_that_two_people_decide(
    story: Story, route_of: Callable[..., Any]
) -> None:
    change(story, story.cast.requester, manager_id=story.cast.owner)
    manager, owners = route_of(MANAGER_STAGE, group_stage("erp-owners"))
    assert people(manager) == {story.cast.owner}
    assert people(owners) == {story.cast.head}, "the only owner is the manager too"


@pytest.mark.on_sqlite
def test_one_person_for_two_stages_without_anybody_to_climb_to_is_an_error(
    story: Story, route_of: Callable[..., Any]
) -> None:
    change(story, story.cast.requester, manager_id=story.cast.owner)
    change(story, story.cast.owner, manager_id=None)
    with pytest.raises(NobodyToAsk, match="decide twice"):
        route_of(MANAGER_STAGE, group_stage("erp-owners"))


def test_people_are_matched_on_issuer_and_subject_and_never_on_mail(
    story: Story, route_of: Callable[..., Any]
) -> None:
    with story.db.reading() as session:
        mail = session.get_one(Person, story.cast.requester).email
    change(story, story.cast.owner, email=mail, name="Rosa Requester")
    (stage,) = route_of(OWNER_STAGE)
    assert story.cast.owner in people(stage), "the same mail address does not make them the requester"
    assert {(person.issuer, person.subject) for person in stage.approvers} == {
        ("https://sso.test", "s-owner"),
        ("https://sso.test", "s-second_owner"),
    }


@pytest.mark.on_sqlite
def test_the_sealed_route_names_people_by_immutable_identity_and_rule(route_of: Callable[..., Any]) -> None:
    (stage,) = route_of(MANAGER_STAGE)
    assert stage.sealed()["approvers"] == [
        {"issuer": "https://sso.test", "subject": "s-manager", "rule": "line-manager:beneficiary"}
    ]


@pytest.mark.on_sqlite
def test_resolving_takes_the_same_few_statements_however_many_people_there_are(
    story: Story, route_of: Callable[..., Any]
) -> None:
    request_id = story.request(story.offer(MANAGER_STAGE, OWNER_STAGE))
    counts = []
    for _ in range(2):
        with story.db.transaction() as session:
            proposal = proposal_of(session, session.get_one(Request, request_id))
            statements: list[str] = []
            listener = lambda *args, found=statements: found.append(args[2])  # noqa: E731
            event.listen(story.db.engine, "before_cursor_execute", listener)
            resolve(session, proposal)
            event.remove(story.db.engine, "before_cursor_execute", listener)
            counts.append(len(statements))
        for part in ("auditor", "compliance", "outsider"):
            if len(counts) == 1:
                join(story, story.cast.ids[part], "crm-owners")
    assert counts[0] == counts[1] <= 4
