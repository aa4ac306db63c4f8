# ruff: noqa: RUF001  (the directory's roles carry a dash)
"""Findings on real targets, worked to their end: removed, adopted, accepted, ended."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from catalog.entitlements.model import EntitlementState
from catalog.reconciliation.accepting import confirm_acceptance, propose_acceptance, refuse_acceptance
from catalog.reconciliation.adopting import Row, adopt, rows_of_csv
from catalog.reconciliation.model import Finding, FindingKind, FindingState
from catalog.reconciliation.reading import read_target
from catalog.reconciliation.removing import end_record, raise_removal
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.audit.model import Entry
from portal.core.errors import Conflict, FieldError, FieldErrors, Forbidden, NotFound
from portal.notifications.model import Message

WHY = "It was there before the portal came."


def given_behind_our_back(world, user_name: str, role: str) -> None:
    """Somebody gives the role in the directory itself."""
    from catalog.fulfilment.connectors.contract import Beneficiary, Order

    connector = world.portal.connectors.get("scim")
    plan = connector.plan(Order("", "grant", {"role": role}, Beneficiary(user_name, user_name, "")))
    connector.apply(plan, "by hand")


def read(world, kind: str = "scim"):
    world.clock.pass_time(seconds=1)
    return read_target(world.db, world.portal.connectors, kind)


def finding(world, state: FindingState = FindingState.OPEN) -> Finding:
    with world.db.reading() as session:
        statement = select(Finding).where(Finding.connector == "scim").order_by(Finding.id.desc())
        found = session.scalars(statement.limit(1)).one()
    assert found.state is state, found.state
    return found


def agreed(world, request_id: int) -> Request:
    world.work()
    assert world.request(request_id).state is State.PENDING, world.request(request_id).outcome
    world.agree(request_id)
    world.work()
    return world.request(request_id)


def requests_of(world, group) -> list[Request]:
    with world.db.reading() as session:
        statement = select(Request).where(Request.order_group_id == group.id).order_by(Request.number)
        return list(session.scalars(statement))


def test_an_unexplained_role_is_taken_away_with_its_owners_word(world, cast, actor_of):
    given_behind_our_back(world, "beatriz.sousa", "CRM – Sales user")
    assert read(world).explained == 0
    found = finding(world)
    assert (found.kind, found.owner) == (FindingKind.UNEXPLAINED, "crm-owners")
    with world.db.transaction() as session:
        request_id = raise_removal(session, actor_of(cast.compliance), found.id, "Nobody knows why.").id
    with pytest.raises(Conflict), world.db.transaction() as session:
        raise_removal(session, actor_of(cast.operator), found.id, "Nobody knows why.")
    request = agreed(world, request_id)
    assert request.state is State.FULFILLED, request.outcome
    assert world.roles_of("beatriz.sousa") == set()
    finding(world, FindingState.CLOSED)
    after = read(world)
    assert (after.live, after.opened) == (0, 0)


def test_an_unexplained_role_is_adopted_for_its_holder_and_taken_away_at_its_end(
    world, cast, actor_of, clock
):
    given_behind_our_back(world, "beatriz.sousa", "CRM – Sales user")
    read(world)
    acts = world.directory.content()
    end = (clock.time + timedelta(days=30)).date().isoformat()
    with world.db.transaction() as session:
        row = Row(finding(world).key, "beatriz.sousa", end=end)
        group = adopt(session, actor_of(cast.compliance), [row], reason=WHY, token="t1")
    with world.db.transaction() as session:
        assert adopt(session, actor_of(cast.compliance), [row], reason=WHY, token="t1").id == group.id
    (request,) = requests_of(world, group)
    request = agreed(world, request.id)
    assert request.state is State.FULFILLED, request.outcome
    assert world.directory.content() == acts
    (entitlement,) = world.entitlements()
    assert (entitlement.connector, entitlement.state) == ("scim", EntitlementState.LIVE)
    assert entitlement.person_id != cast.compliance
    finding(world, FindingState.CLOSED)
    reading = read(world)
    assert (reading.live, reading.explained, reading.opened) == (1, 1, 0)

    clock.time = entitlement.ends_at + timedelta(seconds=1)
    world.work()
    assert world.roles_of("beatriz.sousa") == set()
    assert world.entitlements()[0].state is EntitlementState.ENDED
    assert read(world).live == 0


@pytest.mark.on_sqlite
def test_an_estate_is_adopted_in_bulk_with_every_wrong_row_said(world, cast, actor_of):
    for person in ("beatriz.sousa", "siobhan.oneill"):
        for role in ("CRM – Sales user", "CRM – Reporting", "ERP – Administrator"):
            given_behind_our_back(world, person, role)
    read(world)
    with world.db.reading() as session:
        keys = session.scalars(select(Finding.key).order_by(Finding.id)).all()
    assert len(keys) == 6
    rows = [f"{key},beatriz.sousa,Since 2019,2027-06-30" for key in keys]
    wrong = [
        *rows,
        rows[0],
        "scim:nothing,beatriz.sousa",
        f"{keys[1]},nobody.here",
        f"{keys[2]},olga.owner,,1999-01-01",
    ]
    actor = actor_of(cast.compliance)
    with pytest.raises(FieldErrors) as raised, world.db.transaction() as session:
        adopt(
            session, actor, rows_of_csv("\n".join(["key,holder,reason,end", *wrong])), reason=WHY, token="t"
        )
    told = [error.message for error in raised.value.errors]
    assert [text.split(",")[0] for text in told] == ["Row 7", "Row 8", "Row 9", "Row 10"]
    with world.db.transaction() as session:
        group = adopt(session, actor, rows_of_csv("\n".join(rows)), reason=WHY, token="t")
    requests = requests_of(world, group)
    # One for each owner, whatever the number of things.
    assert sorted(len(request.answers["things"]) for request in requests) == [2, 4]
    for request in requests:
        assert agreed(world, request.id).state is State.FULFILLED, world.request(request.id).outcome
    reading = read(world)
    assert (reading.live, reading.explained) == (6, 6)
    assert len(world.entitlements()) == 6


@pytest.mark.on_sqlite
def test_what_an_approver_holds_is_decided_by_a_colleague(world, cast, actor_of):
    given_behind_our_back(world, "olga.owner", "CRM – Sales user")
    read(world)
    with world.db.transaction() as session:
        row = Row(finding(world).key, "olga.owner")
        group = adopt(session, actor_of(cast.compliance), [row], reason=WHY, token="t")
    (request,) = requests_of(world, group)
    world.work()
    names = [person["subject"] for stage in world.request(request.id).route for person in stage["approvers"]]
    assert names == ["s-second_owner"]


@pytest.mark.on_sqlite
def test_what_changed_since_it_was_approved_is_not_adopted(world, cast, actor_of):
    given_behind_our_back(world, "beatriz.sousa", "CRM – Sales user")
    read(world)
    with world.db.transaction() as session:
        row = Row(finding(world).key, "beatriz.sousa")
        group = adopt(session, actor_of(cast.compliance), [row], reason=WHY, token="t")
    (request,) = requests_of(world, group)
    world.work()
    world.directory.named("CRM – Sales user").members = []
    read(world)
    world.agree(request.id)
    world.work()
    assert world.entitlements() == []
    assert world.request(request.id).state is not State.FULFILLED


@pytest.mark.on_sqlite
def test_a_missing_role_has_its_record_ended_and_its_holder_told(world, cast, actor_of):
    request = world.done(actor_of(cast.requester), "application-access")
    assert request.state is State.FULFILLED
    world.directory.named("CRM – Sales user").members = []
    read(world)
    found = finding(world)
    assert found.kind is FindingKind.MISSING
    with pytest.raises(Conflict), world.db.transaction() as session:
        raise_removal(session, actor_of(cast.operator), found.id, "It is not there.")
    with world.db.transaction() as session:
        end_record(session, actor_of(cast.operator), found.id, "Lost when the directory was moved.")
    world.work()
    assert world.entitlements()[0].state is EntitlementState.ENDED
    read(world)
    finding(world, FindingState.CLOSED)
    with world.db.reading() as session:
        events = session.scalars(select(Message.event).order_by(Message.id)).all()
    assert events.count("entitlement_ended") == 1


@pytest.mark.on_sqlite
def test_accepting_takes_two_of_compliance_lasts_until_its_day_and_not_longer(world, cast, actor_of, clock):
    given_behind_our_back(world, "beatriz.sousa", "CRM – Sales user")
    read(world)
    number = finding(world).id
    first, day = actor_of(cast.compliance), (clock.time + timedelta(days=10)).date()
    with pytest.raises(Forbidden), world.db.transaction() as session:
        propose_acceptance(session, actor_of(cast.operator), number, reason=WHY, until=day)
    with pytest.raises(FieldError), world.db.transaction() as session:
        propose_acceptance(
            session, first, number, reason=WHY, until=(clock.time + timedelta(days=900)).date()
        )
    with world.db.transaction() as session:
        propose_acceptance(session, first, number, reason=WHY, until=day)
    with pytest.raises(Forbidden, match="second person"), world.db.transaction() as session:
        confirm_acceptance(session, first, number)
    finding(world)
    # Nobody but the first is in compliance here: a colleague joins.
    from dataclasses import replace

    second = replace(actor_of(cast.security), roles=frozenset({"person", "compliance"}))
    with world.db.transaction() as session:
        confirm_acceptance(session, second, number)
    finding(world, FindingState.ACCEPTED)
    reading = read(world)
    assert (reading.live, reading.explained) == (1, 1)
    finding(world, FindingState.ACCEPTED)
    clock.pass_time(days=11)
    assert read(world).explained == 0
    finding(world)
    with pytest.raises(Conflict), world.db.transaction() as session:
        refuse_acceptance(session, second, number)
    with world.db.reading() as session:
        statement = select(Entry.tag).where(Entry.subject == f"finding:{number}").order_by(Entry.number)
        tags = session.scalars(statement).all()
    assert tags == [
        "finding:opened",
        "acceptance:proposed",
        "acceptance:confirmed",
        "acceptance:lapsed",
    ]


@pytest.mark.on_sqlite
def test_owners_work_their_own_findings_and_strangers_do_not_know_of_them(world, cast, actor_of):
    given_behind_our_back(world, "beatriz.sousa", "CRM – Sales user")
    read(world)
    number = finding(world).id
    with pytest.raises(NotFound), world.db.transaction() as session:
        raise_removal(session, actor_of(cast.outsider), number, "Nobody knows why.")
    with pytest.raises(Forbidden), world.db.transaction() as session:
        raise_removal(session, actor_of(cast.auditor), number, "Nobody knows why.")
    with world.db.transaction() as session:
        request = raise_removal(session, actor_of(cast.owner), number, "Nobody knows why.")
    world.work()
    # The owner who asks is not the one who agrees.
    route = world.request(request.id).route
    assert [person["subject"] for stage in route for person in stage["approvers"]] == ["s-second_owner"]


@pytest.mark.on_sqlite
def test_new_findings_are_told_once_and_together(world, cast, actor_of, clock):
    from catalog.reconciliation.run import ask_for_reading

    given_behind_our_back(world, "beatriz.sousa", "CRM – Sales user")
    given_behind_our_back(world, "beatriz.sousa", "ERP – Administrator")
    for _ in range(2):
        with world.db.transaction() as session:
            ask_for_reading(session, actor_of(cast.operator), world.portal.connectors, ["scim"])
        world.work()
        clock.pass_time(minutes=11)
        world.work()
    with world.db.reading() as session:
        messages = session.execute(
            select(Message.person_id, Message.text)
            .where(Message.event == "findings_new")
            .order_by(Message.person_id)
        ).all()
        told = session.scalars(select(Entry.body).where(Entry.tag == "reconciliation:asked")).all()
    texts = dict(messages)
    assert len(messages) == len(texts)
    assert set(texts) >= {cast.owner, cast.second_owner, cast.compliance, cast.operator}
    assert cast.outsider not in texts
    assert "2 new things" in texts[cast.compliance]
    assert "ERP" not in texts[cast.second_owner]
    assert json.loads(told[0])["facts"] == {"connectors": ["scim"]}
