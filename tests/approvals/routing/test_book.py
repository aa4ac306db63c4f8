"""Routes over one reading of the organisation are those that the database gives."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select

from approvals.routing.book import RouteBook
from approvals.routing.deadlines import promised_by
from approvals.routing.proposals import proposal_of
from approvals.routing.relations import PARTIES, SUPERIORS, people_by_rule
from approvals.routing.resolve import NobodyToAsk, resolve
from catalog.requests.model import Request
from catalog.versions.organisation import read_organisation
from catalog.versions.routes import Shortfall
from portal.identity.model import Group
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE


def test_every_rule_means_the_same_people_in_the_book_and_in_the_database(story):
    with story.db.transaction() as session:
        session.scalars(select(Group).where(Group.slug == "crm-owners")).one().owner_id = story.cast.head
    with story.db.reading() as session:
        book = RouteBook(read_organisation(session))
        slugs = [*session.scalars(select(Group.slug)), "unheard-of", ""]
        rules = {f"{relation}:{party}" for relation in SUPERIORS for party in PARTIES}
        rules |= {f"{kind}:{slug}" for kind in ("group", "group-owner") for slug in slugs}
        rules |= {f"person:{number}" for number in (*story.cast.ids.values(), 999_999)}
        found = 0
        for beneficiary, requester in itertools.product(story.cast.ids.values(), repeat=2):
            parties = {"beneficiary": beneficiary, "requester": requester}
            excluded = frozenset({requester, story.cast.owner})
            asked = people_by_rule(session, rules, parties, excluded=excluded)
            booked = book.find(rules, parties, excluded)
            assert {rule: set(people) for rule, people in booked.items()} == {
                rule: set(people) for rule, people in asked.items()
            }
            found += sum(map(len, booked.values()))
    assert found > 1000


@pytest.mark.on_sqlite
def test_what_is_no_rule_is_refused(story):
    with story.db.reading() as session:
        book = RouteBook(read_organisation(session))
    with pytest.raises(ValueError, match="not a rule"):
        book.find({"friend:of-mine"}, {"beneficiary": 1, "requester": 1}, frozenset())


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    "stages",
    [
        (MANAGER_STAGE,),
        (MANAGER_STAGE, OWNER_STAGE),
        ({**OWNER_STAGE, "quorum": 2}, MANAGER_STAGE),
        ({**OWNER_STAGE, "quorum": "all", "target": "3d"},),
        ({**OWNER_STAGE, "quorum": 9},),
        ({**OWNER_STAGE, "approvers": {"owner_of": "role"}}, {**OWNER_STAGE, "slug": "again"}),
        ({**OWNER_STAGE, "approvers": {"group_from": "answers.role"}},),
    ],
)
@pytest.mark.parametrize("part", ["requester", "manager", "outsider", "owner", "head"])
def test_a_booked_route_is_the_one_that_a_request_would_get(story, stages, part):
    request_id = story.request(story.offer(*stages), requester=story.cast.ids[part])
    with story.db.reading() as session:
        request = session.get_one(Request, request_id)
        proposal = proposal_of(session, request)
        book = RouteBook(read_organisation(session))
        worked = book.work_out(proposal, request.submitted_at)
        if isinstance(worked, Shortfall):
            with pytest.raises(NobodyToAsk) as refused:
                resolve(session, proposal)
            error = refused.value
            assert worked == Shortfall(error.stage.slug, error.stage.name, error.lack)
            return
        asked = resolve(session, proposal)
        assert [(stage.slug, stage.quorum) for stage in worked.stages] == [
            (stage.slug, stage.quorum) for stage in asked
        ]
        assert [set(stage.rules) for stage in worked.stages] == [
            {person.rule for person in stage.approvers} for stage in asked
        ]
        assert worked.due == promised_by(session, asked, request.submitted_at)
        # What was worked out once is the same when it is asked again.
        assert book.work_out(proposal, request.submitted_at) == worked
