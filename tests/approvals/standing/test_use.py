"""A standing approval: signed in advance, spent use by use, and never beyond what was signed."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from approvals.routing.model import Stage
from approvals.standing.model import StandingApproval, StandingState, StandingUse
from approvals.standing.propose import Playbook, propose
from approvals.standing.signing import revoke, sign
from catalog.fulfilment.set_aside import on_set_aside
from catalog.requests.model import Request
from catalog.requests.seal import seal
from catalog.requests.states import State
from portal.core.errors import Conflict, FieldErrors, Forbidden
from portal.identity.model import Person
from portal.identity.step_up import StepUpNeeded
from portal.jobs import Task, Workshop, run_task
from portal.wiring import job_handlers
from tests.fixtures_requests import OFFERING

SCOPE = 'answers.word.startsWith("ioc")'


@pytest.fixture
def standing(hands, cast, actor_of):
    """Proposes one and has its two owners sign it; gives its number."""

    def made(*signers, uses=3, scope=SCOPE, last_day="2026-12-01"):
        playbook = Playbook(
            "badge-words",
            "Words of the feed",
            "The feed names them at night, so they go up.",
            scope,
            str(uses),
            last_day,
        )
        with hands.portal.db.transaction() as session:
            number = propose(session, actor_of(cast.operator), playbook).id
        for person in signers or (cast.owner, cast.second_owner):
            put_name(hands, actor_of(person), number)
        return number

    content = json.loads(json.dumps(OFFERING))
    hands.publish({**content, "slug": "badge-words"})
    return made


def put_name(hands, actor, number, digest=None):
    with hands.portal.db.transaction() as session:
        digest = digest or session.get_one(StandingApproval, number).digest
        return sign(session, actor, number, digest=digest, settings=hands.portal.settings).state


def row(hands, number):
    with hands.portal.db.reading() as session:
        return session.get_one(StandingApproval, number)


def ordered(hands, cast, word):
    request_id = hands.submitted(cast.requester, word=word)
    hands.work()
    return hands.request(request_id)


def because(hands, request):
    return hands_stage(hands, request).because


def hands_stage(hands, request):
    with hands.portal.db.reading() as session:
        return session.scalars(
            select(Stage).where(Stage.request_id == request.id, Stage.revision == request.revision)
        ).first()


def test_a_request_inside_the_scope_spends_one_use_and_runs_at_once(hands, cast, standing):
    number = standing()
    request = ordered(hands, cast, "ioc-1")
    assert request.state is State.FULFILLED
    assert hands.shelf.acts == [("put", "ioc-1")]
    assert row(hands, number).used == 1
    (stage,) = request.route
    assert stage["slug"] == "standing-approval"
    digest = row(hands, number).digest
    assert [(one["subject"], one["rule"]) for one in stage["approvers"]] == [
        ("s-owner", f"standing:{number}:{digest}"),
        ("s-second_owner", f"standing:{number}:{digest}"),
    ]
    with hands.portal.db.reading() as session:
        assert request.seal == seal(session.get_one(Request, request.id))
    (body,) = hands.bodies("standing:used")
    facts = json.loads(body)["facts"]
    assert (facts["standing"], facts["digest"], facts["used"], facts["uses"]) == (number, digest, 1, 3)
    assert facts["signers"] == [f"person:{cast.owner}", f"person:{cast.second_owner}"]


@pytest.mark.on_sqlite
def test_outside_the_scope_it_goes_the_usual_way_and_says_why(hands, cast, standing):
    number = standing()
    request = ordered(hands, cast, "poem")
    assert request.state is State.PENDING
    assert row(hands, number).used == 0
    stage = hands_stage(hands, request)
    assert stage.slug == "manager"
    assert (
        f"The standing approval {number} “Words of the feed” does not cover this. This is outside its scope."
        in stage.because
    )


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("revoked", "It was revoked."),
        ("ended", "It has ended."),
        ("spent", "All its uses are spent."),
        ("published", "The service has changed since it was signed."),
        ("left", "Too few of its signers may still sign it, or one of them asks for this."),
    ],
)
def test_what_no_longer_stands_goes_the_usual_way_and_says_why(
    hands, cast, actor_of, clock, standing, spoil, why
):
    number = standing(uses=1)
    if spoil == "revoked":
        with hands.portal.db.transaction() as session:
            revoke(session, actor_of(cast.second_owner), number, "The feed was taken over.")
        assert hands.mailed("standing_revoked") == [cast.owner, cast.operator]
    elif spoil == "ended":
        clock.pass_time(days=20)
    elif spoil == "spent":
        assert ordered(hands, cast, "ioc-0").state is State.FULFILLED
    elif spoil == "published":
        hands.publish({**json.loads(json.dumps(OFFERING)), "slug": "badge-words", "name": "Other words"})
    else:
        with hands.portal.db.transaction() as session:
            session.get_one(Person, cast.owner).active = False
    request = ordered(hands, cast, "ioc-1")
    assert request.state is State.PENDING
    assert why in because(hands, request)
    assert row(hands, number).used == (spoil == "spent")


@pytest.mark.on_sqlite
def test_a_signer_who_asks_is_not_covered_by_their_own_signature(hands, cast, standing):
    standing()
    request_id = hands.submitted(cast.owner, word="ioc-9")
    hands.work()
    assert hands.request(request_id).state is State.PENDING


def test_ten_requests_at_once_spend_exactly_three_uses(hands, cast, standing):
    number = standing(uses=3)
    numbers = [hands.submitted(cast.requester, word=f"ioc-{n}") for n in range(10)]
    threads = [threading.Thread(target=hands.work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hands.work()
    states = [hands.request(request_id).state for request_id in numbers]
    assert states.count(State.FULFILLED) == 3
    assert states.count(State.PENDING) == 7
    assert row(hands, number).used == 3
    assert len(hands.rows(StandingUse)) == 3


@pytest.mark.on_sqlite
def test_revoking_stops_what_was_allowed_and_has_not_begun(hands, cast, actor_of, standing):
    number = standing()
    request_id = hands.submitted(cast.requester, word="ioc-1")
    handlers = {"prepare": job_handlers(hands.portal)["prepare"]}
    with hands.portal.db.reading() as session:
        (task,) = session.scalars(select(Task.id).where(Task.kind == "prepare")).all()
    run_task(Workshop(hands.portal.db, hands.portal.settings, handlers, on_set_aside=on_set_aside), task)
    assert hands.request(request_id).state is State.SCHEDULED
    with hands.portal.db.transaction() as session:
        revoke(session, actor_of(cast.operator), number, "Not tonight, please.")
    hands.work()
    assert hands.request(request_id).state is State.PENDING
    assert hands.shelf.acts == []


def test_it_takes_two_different_signers_with_a_fresh_sign_in_who_did_not_propose_it(
    hands, cast, actor_of, clock, standing
):
    number = standing(cast.owner)
    assert row(hands, number).state is StandingState.PROPOSED
    assert ordered(hands, cast, "ioc-1").state is State.PENDING
    with pytest.raises(Conflict, match="signed this already"):
        put_name(hands, actor_of(cast.owner), number)
    with pytest.raises(Forbidden):
        put_name(hands, actor_of(cast.operator), number)
    with pytest.raises(Forbidden):
        put_name(hands, actor_of(cast.manager), number)
    with pytest.raises(Conflict, match="not what you were shown"):
        put_name(hands, actor_of(cast.second_owner), number, digest="sha256:0")
    with pytest.raises(StepUpNeeded):
        put_name(hands, actor_of(cast.second_owner, signed_in=clock() - timedelta(minutes=6)), number)
    assert put_name(hands, actor_of(cast.second_owner), number) is StandingState.IN_FORCE


WRONG = (
    ({"scope": "answers.wrod == 'x'"}, "scope", "did you mean 'answers.word'?"),
    ({"scope": "answers.word"}, "scope", "yes or no is needed"),
    ({"scope": "answers.word.matches('(')"}, "scope", "invalid"),
    ({"uses": "0"}, "uses", "1 to 1000"),
    ({"last_day": "2026-11-17"}, "last_day", "today at the earliest"),
    ({"last_day": "2028-01-01"}, "last_day", "366 days"),
    ({"reason": "Because"}, "reason", "20 to 2000"),
    ({"offering": "nothing"}, "offering", "in the catalogue"),
)


@pytest.mark.on_sqlite
def test_what_cannot_be_signed_is_refused_at_its_field(hands, cast, actor_of, standing):
    fields = {
        "offering": "badge-words",
        "name": "Words",
        "reason": "The feed names them at night.",
        "scope": SCOPE,
        "uses": "3",
        "last_day": "2026-12-01",
    }
    for changed, field, says in WRONG:
        with pytest.raises(FieldErrors) as caught, hands.portal.db.transaction() as session:
            propose(session, actor_of(cast.operator), Playbook(**{**fields, **changed}))
        (error,) = caught.value.errors
        assert error.field == field
        assert says in error.message
    assert hands.bodies("standing:proposed") == []


@pytest.mark.on_sqlite
def test_only_who_may_propose_does(hands, cast, actor_of, standing):
    with pytest.raises(Forbidden), hands.portal.db.transaction() as session:
        propose(
            session,
            actor_of(cast.requester),
            Playbook("badge-words", "Words", "x" * 20, SCOPE, "3", "2026-12-01"),
        )
