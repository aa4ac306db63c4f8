"""Every way in which an offering names approvers that is read from outside the organisation chart, and climbing."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from approvals.routing import holding, watching
from approvals.routing.model import StageApprover, StageState
from approvals.routing.proposals import proposal_of
from approvals.routing.resolve import resolve
from catalog.assets.model import Asset
from catalog.requests.events import FulfilmentStarting
from catalog.requests.model import Request
from catalog.requests.moves import get_locked
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.errors import Conflict
from portal.identity.actor import PORTAL
from portal.identity.events import PeopleImported, RotaImported
from portal.identity.model import Group, Membership, Person
from portal.identity.rotas.model import Rota, RotaShift
from portal.jobs import Workshop, run_due
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE

ROTA = "network-on-call"


def stage(slug: str = "stage", **approvers: Any) -> dict[str, Any]:
    return {"slug": slug, "name": "Stage", "approvers": approvers, "target": "8h"}


def route(story, *stages, offering=None, **request):
    request_id = story.request(story.offer(*stages, **(offering or {})), **request)
    with story.db.reading() as session:
        return resolve(session, proposal_of(session, session.get_one(Request, request_id)))


def people(stage):
    return {person.person_id for person in stage.approvers}


def add_asset(story, **owner):
    with story.db.transaction() as session:
        if "owner_group" in owner:
            slug = owner.pop("owner_group")
            owner["owner_group_id"] = session.scalars(select(Group.id).where(Group.slug == slug)).one()
        session.add(
            Asset(
                asset_id="APP-1", name="Payroll", kind="application", criticality="high", zone="dmz", **owner
            )
        )
    return {
        "system": {
            "id": "APP-1",
            "name": "Payroll",
            "kind": "application",
            "criticality": "high",
            "zone": "dmz",
        }
    }


def put_on_duty(story, *shifts):
    """Each shift: the person, and from when until when, in hours from now."""
    with story.db.transaction() as session:
        at = now(session)
        rota = session.scalars(select(Rota).where(Rota.slug == ROTA)).one_or_none()
        if rota is None:
            rota = Rota(slug=ROTA, name="Network on call", digest="sha256:0", imported_at=at)
            session.add(rota)
            session.flush()
        session.add_all(
            RotaShift(
                rota_id=rota.id,
                person_id=person,
                starts_at=at + timedelta(hours=first),
                ends_at=at + timedelta(hours=last),
            )
            for person, first, last in shifts
        )


def work(story, event):
    """What follows an import, as the worker does it."""
    with story.db.transaction() as session:
        watching.on_directory_changed(session, event)
    handlers = {
        watching.WATCH: watching.watch_stages,
        watching.CHANGE_DUTY: partial(watching.change_duty, settings=story.settings),
    }
    run_due(
        Workshop(
            story.db, story.settings, {**handlers, "prepare": lambda job: None, "send_mail": lambda job: None}
        )
    )


def change_duty(story):
    work(story, RotaImported(PORTAL, rota=ROTA, name="On call", people=1, shifts=1, digest="sha256:0"))


def called(story, request_id):
    with story.db.reading() as session:
        return set(
            session.scalars(
                select(StageApprover.person_id).where(
                    StageApprover.stage_id == story.stages(request_id)[-1].id, StageApprover.called
                )
            )
        )


def test_the_person_whom_an_answer_names_decides(story):
    (named,) = route(story, stage(person_in="sponsor"), answers={"sponsor": "sami.security"})
    assert people(named) == {story.cast.security}
    assert named.approvers[0].rule == "named:sami.security"
    assert named.because == "Asked as named in the request."


@pytest.mark.on_sqlite
@pytest.mark.parametrize("sponsor", ["", "rosa.requester", "lena.leaver"])
def test_a_field_that_names_nobody_or_the_requester_or_somebody_who_left_climbs(story, sponsor):
    (climbed,) = route(story, stage(person_in="sponsor"), answers={"sponsor": sponsor})
    assert people(climbed) == {story.cast.head}
    assert (
        "Nobody can be asked as the person named in the request. Asked instead: Hanna Head" in climbed.because
    )


@pytest.mark.on_sqlite
def test_the_owning_group_of_an_asset_decides(story):
    answers = add_asset(story, owner_group="crm-owners")
    (owned,) = route(story, stage(owner_of="system"), answers=answers)
    assert people(owned) == {story.cast.owner, story.cast.second_owner}
    assert owned.because == "Asked as owner of Payroll, as member of crm owners."


def test_the_person_who_owns_an_asset_decides_and_its_next_owner_after_them(story, decide):
    request_id = story.planned(
        stage(owner_of="system"), answers=add_asset(story, owner_id=story.cast.security)
    )
    with story.db.transaction() as session:
        session.scalars(select(Asset)).one().owner_id = story.cast.owner
    with pytest.raises(Exception, match="no longer, one of the people who decide"):
        decide(request_id, story.cast.security)
    with story.db.transaction() as session:
        assert watching.look_again(session, get_locked(session, request_id)), "planned again at once"


@pytest.mark.on_sqlite
def test_an_asset_that_nobody_named_or_that_is_unknown_climbs(story):
    for answers in ({}, {"system": {"id": "APP-404", "name": "Gone"}}):
        (climbed,) = route(story, stage(owner_of="system"), answers=answers)
        assert people(climbed) == {story.cast.head}


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("when", "asked"),
    [
        ('asset.criticality == "high" && asset.zone == "dmz"', True),
        ('asset.criticality == "low"', False),
        ('unit.slug == "holding" && unit.country == "DE"', True),
        ('unit.slug == "lisbon"', False),
        ('answers.role == "sales" && risk.level == "low"', True),
    ],
)
def test_conditions_read_answers_risk_unit_and_asset(story, when, asked):
    answers = add_asset(story, owner_group="crm-owners")
    stages = route(story, MANAGER_STAGE, {**stage(group="crm-owners"), "when": when}, answers=answers)
    assert (len(stages) == 2) is asked


@pytest.mark.on_sqlite
def test_a_route_climbs_last_to_the_group_that_it_falls_back_on(story):
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.manager).manager_id = None
    (climbed,) = route(story, stage(group="no-such-group"), offering={"fallback": "compliance"})
    assert people(climbed) == {story.cast.compliance}
    assert "Nobody else can be asked as manager of the line manager of the beneficiary." in climbed.because
    assert "Asked instead: Cora Compliance, as member of compliance." in climbed.because


@pytest.mark.on_sqlite
def test_whoever_is_on_duty_decides_and_all_of_the_rota_are_under_the_seal(story, decide):
    put_on_duty(
        story, (story.cast.security, -2, 6), (story.cast.owner, 6, 14), (story.cast.outsider, -20, -10)
    )
    request_id = story.planned(stage(rota=ROTA))
    request = story.see(request_id)
    assert request.baton == "Sami Security"
    assert {one["subject"] for one in request.route[0]["approvers"]} == {"s-security", "s-owner"}
    assert story.stages(request_id)[0].because == (
        "Asked as on duty in Network on call. After them: Olga Owner, when it is their turn."
    )
    assert called(story, request_id) == {story.cast.security}
    with pytest.raises(Exception, match="no longer, one of the people who decide"):
        decide(request_id, story.cast.owner)
    decide(request_id, story.cast.security)
    assert story.see(request_id).state is State.SCHEDULED


def test_duty_counts_by_the_clock_and_not_by_office_hours(story, clock):
    put_on_duty(story, (story.cast.security, -2, 48))
    request_id = story.planned({**stage(rota=ROTA), "target": "10h"})
    (open_stage,) = story.stages(request_id)
    assert open_stage.due_at == clock() + timedelta(hours=10)


def test_when_duty_changes_hands_whoever_comes_is_asked_and_what_was_decided_stays(story, decide, clock):
    put_on_duty(story, (story.cast.security, -2, 6), (story.cast.owner, 6, 14))
    request_id = story.planned({**stage("first", group="unit-heads")}, {**stage(rota=ROTA)})
    decide(request_id, story.cast.head)
    clock.pass_time(hours=7)
    change_duty(story)
    assert called(story, request_id) == {story.cast.owner}
    request = story.see(request_id)
    assert (request.baton, request.revision) == ("Olga Owner", 1), "nothing is void"
    with story.db.reading() as session:
        asked = session.scalars(
            select(Message.person_id).where(Message.event == "approval_requested").order_by(Message.id)
        ).all()
    assert asked == [story.cast.head, story.cast.security, story.cast.owner]
    change_duty(story)
    with story.db.reading() as session:
        assert (
            len(session.scalars(select(Message.id).where(Message.event == "approval_requested")).all()) == 3
        )
    with pytest.raises(Exception, match="no longer, one of the people who decide"):
        decide(request_id, story.cast.security)
    decide(request_id, story.cast.owner)
    assert story.see(request_id).state is State.SCHEDULED


@pytest.mark.on_sqlite
def test_an_approval_on_duty_still_holds_when_the_request_is_carried_out_off_duty(story, decide, clock):
    put_on_duty(story, (story.cast.security, -2, 6), (story.cast.owner, 6, 14))
    request_id = story.planned(stage(rota=ROTA))
    decide(request_id, story.cast.security)
    clock.pass_time(days=3)
    with story.db.transaction() as session:
        holding.on_fulfilment_starting(session, FulfilmentStarting(request_id))
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.security).active = False
    with story.db.transaction() as session, pytest.raises(Conflict, match="no longer holds"):
        holding.on_fulfilment_starting(session, FulfilmentStarting(request_id))


@pytest.mark.on_sqlite
def test_where_nobody_is_on_duty_the_stage_climbs_now_and_when_it_opens(story, decide, clock):
    put_on_duty(story, (story.cast.security, 5, 6))
    request_id = story.planned(stage(rota=ROTA))
    assert story.see(request_id).baton == "Hanna Head"
    assert "Nobody can be asked as on duty in network-on-call." in story.stages(request_id)[0].because
    clock.pass_time(hours=5)
    later = story.planned({**stage("first", group="unit-heads")}, {**stage(rota=ROTA)})
    clock.pass_time(hours=4)
    decide(later, story.cast.head)
    assert story.see(later).state is State.PREPARING, "nobody is on duty any more, so the route is made again"


@pytest.mark.on_sqlite
def test_when_the_last_duty_ends_the_request_is_planned_again(story, clock):
    put_on_duty(story, (story.cast.security, -2, 6))
    request_id = story.planned(stage(rota=ROTA))
    clock.pass_time(hours=7)
    change_duty(story)
    assert story.see(request_id).state is State.PREPARING


@pytest.mark.on_sqlite
def test_open_stages_that_lost_their_people_are_found_and_planned_again(story):
    kept = story.planned(stage(group="crm-owners"))
    lost = story.planned(stage(group="crm-owners") | {"quorum": 2})
    moved = story.planned(MANAGER_STAGE)
    with story.db.transaction() as session:
        assert list(watching.requests_in_doubt(session)) == []
        session.execute(Membership.__table__.delete().where(Membership.person_id == story.cast.second_owner))
        session.get_one(Person, story.cast.requester).manager_id = story.cast.head
    with story.db.reading() as session:
        assert list(watching.requests_in_doubt(session)) == [lost, moved]
    work(story, PeopleImported(PORTAL, people=1, units=1, groups=1, digest="sha256:0"))
    assert [story.see(number).state for number in (kept, lost, moved)] == [
        State.PENDING,
        State.PREPARING,
        State.PREPARING,
    ]
    assert "Too few of the people who were to decide “Stage”" in story.see(lost).outcome
    assert [one.state for one in story.stages(lost)] == [StageState.CLOSED]


@pytest.mark.on_sqlite
def test_an_approval_that_was_given_leaves_no_doubt_about_its_place(story, decide):
    request_id = story.planned(stage(group="crm-owners") | {"quorum": 2})
    decide(request_id, story.cast.owner)
    with story.db.reading() as session:
        assert list(watching.requests_in_doubt(session)) == []
    with story.db.transaction() as session:
        session.get_one(Person, story.cast.second_owner).active = False
    with story.db.reading() as session:
        assert list(watching.requests_in_doubt(session)) == [request_id]
