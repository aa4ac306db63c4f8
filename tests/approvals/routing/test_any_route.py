"""Whatever the organisation and the offering look like: what holds of every route that resolves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from approvals.routing.matching import Demand, first_unmet, without
from approvals.routing.proposals import proposal_of
from approvals.routing.resolve import NobodyToAsk, resolve
from catalog.requests.model import Request
from portal.identity.model import Group, Membership, Person
from tests.approvals.conftest import Story

PARTS = (
    "head",
    "manager",
    "requester",
    "owner",
    "second_owner",
    "security",
    "operator",
    "outsider",
    "leaver",
)
SLUGS = ("crm-owners", "erp-owners", "catalogue-owners")
APPROVERS = st.one_of(
    st.builds(
        lambda relation, of: {"relation": relation, "of": of},
        st.sampled_from(("line-manager", "manager-of-manager", "unit-head")),
        st.sampled_from(("beneficiary", "requester")),
    ),
    st.builds(lambda slug: {"group": slug}, st.sampled_from(SLUGS)),
    st.builds(lambda slug: {"owner_of_group": slug}, st.sampled_from(SLUGS)),
)
STAGES = st.lists(st.tuples(APPROVERS, st.one_of(st.integers(1, 3), st.just("all"))), min_size=1, max_size=4)
ORGANISATION = st.fixed_dictionaries(
    {
        "members": st.fixed_dictionaries(
            {slug: st.sets(st.sampled_from(PARTS), min_size=2) for slug in SLUGS}
        ),
        "owners": st.fixed_dictionaries({slug: st.none() | st.sampled_from(PARTS) for slug in SLUGS}),
        "managers": st.fixed_dictionaries({part: st.sampled_from((*PARTS, None)) for part in PARTS}),
        "inactive": st.sets(st.sampled_from(PARTS), max_size=2),
    }
)


def arrange(story: Story, session: Any, organisation: Mapping[str, Any]) -> None:
    groups = {group.slug: group for group in session.scalars(select(Group).where(Group.slug.in_(SLUGS)))}
    session.execute(
        delete(Membership).where(Membership.group_id.in_([group.id for group in groups.values()]))
    )
    for slug, group in groups.items():
        owner = organisation["owners"][slug]
        group.owner_id = story.cast.ids[owner] if owner else None
        session.add_all(
            Membership(group_id=group.id, person_id=story.cast.ids[part])
            for part in organisation["members"][slug]
        )
    for part in PARTS:
        person = session.get_one(Person, story.cast.ids[part])
        manager = organisation["managers"][part]
        person.manager_id = story.cast.ids[manager] if manager else None
        person.active = part not in organisation["inactive"]
    session.flush()


@given(
    stages=STAGES,
    organisation=ORGANISATION,
    beneficiary=st.sampled_from(PARTS),
    editor=st.sampled_from(PARTS),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_route_that_resolves_can_be_walked_by_distinct_active_people_without_an_interest(
    story: Story,
    stages: list[tuple[dict[str, Any], int | str]],
    organisation: dict[str, Any],
    beneficiary: str,
    editor: str,
) -> None:
    version = story.offer(
        *(
            {
                "slug": f"stage-{number}",
                "name": f"Stage {number}",
                "approvers": who,
                "quorum": quorum,
                "target": "8h",
            }
            for number, (who, quorum) in enumerate(stages)
        )
    )
    request_id = story.request(
        version, beneficiary=story.cast.ids[beneficiary], editor=story.cast.ids[editor]
    )
    with story.db.transaction() as session:
        arrange(story, session, organisation)
        session.expire_all()
        try:
            route = resolve(session, proposal_of(session, session.get_one(Request, request_id)))
        except NobodyToAsk:
            return
    ids = story.cast.ids
    never = {ids["requester"], ids[beneficiary], ids[editor], story.cast.operator}
    demands = [Demand(stage.quorum, frozenset(p.person_id for p in stage.approvers)) for stage in route]
    assert len(route) == len(stages)
    assert first_unmet(demands) is None
    for position, stage in enumerate(route):
        people = {person.person_id for person in stage.approvers}
        assert len(people) == len(stage.approvers)
        assert 1 <= stage.quorum <= len(people)
        assert not people & never
        assert not people & {ids[part] for part in organisation["inactive"]}
        for person in people:
            assert first_unmet(without(demands, position, person)) is None, (
                "nobody is asked who may not say yes"
            )
