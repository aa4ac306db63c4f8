"""Past requests through a draft: who is refused, what moves, what breaks, what cannot be known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from approvals.routing.model import Stage
from catalog.requests.model import Request
from catalog.versions import past
from catalog.versions.report import Report
from portal.audit.model import Entry
from portal.core.canonical import canonical_json, digest
from portal.identity.model import Membership, Person
from portal.jobs.model import Task
from tests.catalog.versions.conftest import let_into, statements


@pytest.mark.on_sqlite
def test_the_same_text_changes_nothing_for_anybody(office):
    for colour in ("red", "blue"):
        office.past(colour=colour, amount=5)
    report = office.replayed()
    assert (report.requests, report.compared, report.refused, report.routes_changed) == (2, 2, 0, 0)
    assert report.risks == report.routes == report.broken == report.rules == ()
    assert all(one.before == one.after for one in report.approvals)
    assert (report.promise.compared, report.promise.same) == (2, 2)
    assert (report.base_number, report.digest) == (1, report.base_digest)


@pytest.mark.on_sqlite
def test_what_a_new_rule_refuses_is_named_with_its_rule_and_requests(office):
    office.past(amount=40)
    hit = [office.past(amount=45), office.past(amount=50)]
    report = office.replayed(
        "rules:\n", "rules:\n  - {check: answers.amount <= 42, message: At most 42., field: amount}\n"
    )
    assert (report.refused, report.refused_already, report.compared) == (2, 0, 1)
    (rule,) = report.rules
    assert (rule.where, rule.says, rule.count, rule.already) == ("rules[0]", "At most 42.", 2, 0)
    assert set(rule.examples) == set(hit)


@pytest.mark.on_sqlite
def test_a_narrower_question_and_a_shorter_end_refuse_at_their_questions(office):
    office.past(amount=30)
    office.past(until=(office.clock().date() + timedelta(days=55)).isoformat())
    report = office.replayed("maximum: 50", "maximum: 20", "longest_days: 60", "longest_days: 50")
    assert {rule.where for rule in report.rules} == {"question “Amount”", "question “Until when?”"}
    assert report.refused == 2


@pytest.mark.on_sqlite
def test_dates_are_judged_on_the_day_of_asking_and_not_today(office):
    office.past(at=office.clock() - timedelta(days=300))
    report = office.replayed()
    assert (report.requests, report.refused) == (1, 0)


@pytest.mark.on_sqlite
def test_what_the_version_in_force_refuses_as_well_is_not_blamed_on_the_draft(office):
    office.past(colour="blue", amount=30)
    report = office.replayed()
    assert (report.refused, report.refused_already) == (1, 1)
    assert report.rules[0].already == 1


def test_risk_route_approvals_and_promise_move_together(office):
    references = [office.past(colour="blue", amount=5) for _ in range(3)]
    office.past(colour="red")
    report = office.replayed(
        'answers.colour == "red"\n      points: 30', 'answers.colour in ["red", "blue"]\n      points: 30'
    )
    (moved,) = report.risks
    assert (moved.before, moved.after, moved.count) == ("low", "medium", 3)
    assert set(moved.examples) == set(references)
    (route,) = report.routes
    assert (route.before, route.after, route.count) == ("Line manager", "Line manager, then Owners", 3)
    gained = {one.rule: (one.who, one.after - one.before) for one in report.approvals}
    assert gained["group:crm-owners"] == ("Members of crm owners", 3)
    assert gained["line-manager:beneficiary"] == ("Line manager of the beneficiary", 0)
    # Each gets one more stage of a working day: eight hours of nine to five.
    assert (report.promise.later, report.promise.same) == (3, 1)
    assert report.promise.most == 8 * 60
    assert sum(bar.count for bar in report.promise.bars) == 4


@pytest.mark.on_sqlite
def test_fewer_approvals_and_an_earlier_date_are_told_as_well(office):
    office.past(colour="red")
    report = office.replayed('when: risk.level != "low"', 'when: risk.level == "critical"')
    assert {one.rule: one.after - one.before for one in report.approvals}["group:crm-owners"] == -1
    assert (report.promise.earlier, report.promise.least) == (1, -8 * 60)


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            ("approvers: {group: crm-owners}", "approvers: {group: crm-owners}\n      quorum: 3"),
            "fewer people",
        ),
        (("approvers: {group: crm-owners}", "approvers: {group: erp-owners}"), ""),
    ],
)
def test_a_quorum_that_nobody_can_fill_breaks_the_separation_of_duties(office, change, why):
    reference = office.past(colour="red")
    report = office.replayed(*change)
    if not why:
        assert report.broken == ()
        return
    (broken,) = report.broken
    assert (broken.stage, broken.count, broken.already, broken.examples) == ("Owners", 1, 0, (reference,))
    assert why in broken.why


def test_one_person_who_would_decide_twice_breaks_it(office):
    let_into(office.db, office.cast.manager, "unit-heads")
    with office.db.transaction() as session:
        # The manager alone could decide both stages, and nobody stands above them or behind the offering.
        session.execute(update(Person).where(Person.id == office.cast.manager).values(manager_id=None))
        session.execute(Membership.__table__.delete().where(Membership.person_id == office.cast.head))
    office.past(colour="red")
    report = office.replayed(
        "approvers: {group: crm-owners}",
        "approvers: {group: unit-heads}",
        "owner: crm-owners",
        "owner: unit-heads",
    )
    (broken,) = report.broken
    assert "twice" in broken.why


@pytest.mark.on_sqlite
def test_the_publisher_counts_as_nobodys_approver(office):
    office.past(colour="red")
    pairs = ("approvers: {group: crm-owners}", "approvers: {group: crm-owners}\n      quorum: 2")
    assert office.replayed(*pairs).broken == ()
    assert office.replayed(*pairs, publisher=office.cast.owner).broken[0].stage == "Owners"


@pytest.mark.on_sqlite
def test_a_question_that_was_not_asked_then_is_said_to_be_unknown_and_refuses_nobody(office):
    office.past()
    report = office.replayed(
        "        - kind: number\n",
        "        - {kind: text, name: cost, label: Cost centre}\n        - kind: number\n",
    )
    assert report.refused == 0
    assert any("Cost centre" in one.what and one.count == 1 for one in report.unknown)


@pytest.mark.on_sqlite
def test_an_answer_to_a_question_that_is_gone_refuses_nobody(office):
    office.past(amount=4)
    text = "        - kind: number\n          name: amount\n          label: Amount\n          maximum: 50\n          required: false\n"
    report = office.replayed(
        text,
        "",
        'answers.colour != "blue" || answers.amount <= 10',
        "answers.colour != answers.reason",
        "field: amount",
        "field: reason",
        "    - when: answers.amount > 20\n      points: 30\n      because: It is many\n",
        "",
    )
    assert (report.requests, report.refused) == (1, 0)


@pytest.mark.on_sqlite
def test_somebody_who_left_does_not_make_their_past_request_wrong(office):
    office.past(requester=office.cast.leaver)
    assert office.replayed().refused == 0


@pytest.mark.on_sqlite
def test_an_expression_that_fails_on_real_answers_is_a_refusal_with_its_reason(office):
    office.past(reason="12345")
    report = office.replayed(
        "rules:\n",
        "rules:\n  - {check: int(answers.reason) < 3 || 1 / int(answers.amount) > 0, message: No., field: reason}\n",
    )
    (rule,) = report.rules
    assert "division" in rule.says or "zero" in rule.says


@pytest.mark.on_sqlite
def test_since_and_limit_choose_the_latest(office):
    old = office.past(at=office.clock() - timedelta(days=10), amount=50)
    new = office.past(amount=49)
    newest = office.past(amount=48)
    pairs = ("maximum: 50", "maximum: 20")
    assert set(office.replayed(*pairs).rules[0].examples) == {old, new, newest}
    since = office.replayed(*pairs, since=office.clock() - timedelta(days=1))
    assert set(since.rules[0].examples) == {new, newest}
    assert office.replayed(*pairs, most=1).rules[0].examples == (newest,)


@pytest.mark.on_sqlite
def test_only_requests_of_this_offering_are_read(office):
    office.past()
    text = office.text("slug: small-thing", "slug: other-thing")
    with office.db.transaction() as session:
        from catalog.offerings.publish import publish

        other = publish(session, office.author, text, "other.yaml").id
    office.past(version_id=other)
    assert office.replayed().requests == 1


def test_an_offering_without_a_version_has_nothing_to_replay(office):
    report = office.replayed("slug: small-thing", "slug: brand-new")
    assert (report.requests, report.base_number) == (0, 0)


@pytest.mark.on_sqlite
def test_the_statements_do_not_grow_with_the_requests(office, monkeypatch):
    monkeypatch.setattr(past, "BATCH", 10)

    def counted():
        for _ in range(9):
            office.past(amount=30)
        progress = []
        with statements(office.db) as seen:
            office.replayed("maximum: 50", "maximum: 20", progress=lambda *at: progress.append(at))
        return len(seen), progress

    few, _ = counted()
    # One more batch is one more statement, and nothing else is.
    assert counted() == (few + 1, [(0, 18), (10, 18), (18, 18)])
    assert few <= 9


def test_a_replay_writes_nothing(office):
    for _ in range(3):
        office.past(colour="red")

    def rows(session):
        requests = session.execute(select(Request.__table__).order_by(Request.id)).all()
        others = [session.scalar(select(func.count()).select_from(kind)) for kind in (Stage, Task, Entry)]
        return requests, others

    with office.db.reading() as session:
        before = rows(session)
    with statements(office.db) as seen:
        office.replayed("maximum: 50", "maximum: 20", "target: 1d", "target: 5d")
    assert seen
    assert all(statement.lstrip().upper().startswith(("SELECT", "BEGIN", "PRAGMA")) for statement in seen)
    with office.db.reading() as session:
        assert rows(session) == before


def test_the_result_names_nobody_and_survives_being_kept(office):
    office.past(colour="red", beneficiary=office.cast.manager)
    report = office.replayed("target: 1d", "target: 5d", publisher=office.cast.owner)
    kept = report.to_json()
    assert Report.from_json(kept) == report
    text = canonical_json(kept).decode()
    with office.db.reading() as session:
        for name in session.scalars(select(Person.name)):
            assert name not in text
    assert digest(kept) == digest(Report.from_json(kept).to_json())
