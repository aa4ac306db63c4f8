"""What happens in the seeded year: people ask, decide, withdraw, try again and review."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from approvals.emergency.model import Finding, Review, ReviewState
from approvals.emergency.speaking import may_speak, speak
from approvals.routing.eligible import eligible_now
from approvals.routing.model import StageState
from approvals.routing.stages import stages_of
from bench.year_offerings import FEED, SHARES
from bench.year_portal import Year
from catalog.fulfilment.orders import retry
from catalog.offerings.model import OfferingVersion
from catalog.requests.checking import check_draft
from catalog.requests.drafts import get_draft, keep, new_token
from catalog.requests.model import Request
from catalog.requests.moves import get_locked
from catalog.requests.states import State
from catalog.requests.submit import submit
from catalog.requests.withdraw import withdraw
from portal.core.errors import PortalError
from portal.jobs.periodic import enqueue_periodic
from portal.wiring import periodic_table

KEY = "a key for drafts of the seeded year"
#: Of the portal's rounds, those that a past shows; the second ones once a week.
ROUNDS = ("promises", "stage-times")
WEEKLY = ("recertifications", "access-reviews", "changes")
WEEK = 7


def _ask(one: Year, number: int) -> None:
    draw = one.draw
    slug = draw.choices(list(SHARES), list(SHARES.values()))[0]
    staff = [person for person in one.people.values() if person.user_name.startswith("staff.")]
    requester = draw.choice(staff)
    kind = draw.choices(["", "-admin", "-root"], [80, 15, 5])[0]
    feed = FEED if slug == "blocked-address" and one.chance(0.6) else ""
    answers: dict[str, Any] = {
        "item": f"{feed}{slug}-{number}{kind}",
        "reason": f"For work {number}, until it is done.",
    }
    if one.chance(0.2):
        answers["person"] = draw.choice(
            [other for other in staff if other.unit_id == requester.unit_id]
        ).user_name
    if one.chance(0.7):
        answers["until"] = (one.clock.time + timedelta(days=draw.randint(5, 200))).date().isoformat()
    actor, version_id = one.actor(requester.id), one.versions[slug]
    token = new_token(requester.id, KEY)
    with one.portal.db.transaction() as session:
        version = session.get_one(OfferingVersion, version_id)
        keep(session, token, version, answers, key=KEY)
    with one.portal.db.reading() as session:
        version = session.get_one(OfferingVersion, version_id)
        checked = check_draft(
            session, actor, get_draft(session, actor, token), version, one.portal.connectors
        )
    with one.portal.db.transaction() as session:
        request_id = submit(session, actor, checked).id
    one.counted["submitted"] += 1
    one.later("look", request_id, minutes=1)
    if one.chance(0.04):
        one.later("withdraw", request_id, minutes=draw.randint(5, 900))


def _look(one: Year, request_id: int) -> None:
    """See where the request stands, and have happen what comes next to it."""
    draw = one.draw
    with one.portal.db.reading() as session:
        request = session.get_one(Request, request_id)
        state, kind = request.state, str(request.version.document.get("kind", ""))
    if state is State.PENDING:
        if one.chance(0.01):
            one.counted["forgotten"] += 1
            return
        if kind == "emergency":
            one.later("decide", request_id, minutes=draw.randint(2, 25))
        else:
            # Most within hours, some over a weekend, a few far too late.
            one.later("decide", request_id, hours=min(draw.lognormvariate(1.0, 1.1), 400))
    elif state is State.FAILED and one.chance(0.3):
        one.later("retry", request_id, hours=draw.randint(1, 72))
    elif state is State.FULFILLED and kind == "emergency" and one.chance(0.85):
        one.later("review", request_id, hours=draw.uniform(0.5, 20))


def _decide(one: Year, request_id: int) -> None:
    """Somebody whose stage is open says yes or no."""
    verdict = Verdict.DENY if one.chance(0.035) else Verdict.APPROVE
    comment = "Ask for the smaller one first." if verdict is Verdict.DENY else ""
    with one.portal.db.reading() as session:
        request = session.get_one(Request, request_id)
        if request.state is not State.PENDING:
            return
        seal = request.seal
        stages = stages_of(session, request)
        eligible = eligible_now(session, request, stages)
        people = sorted(
            {person for stage in stages if stage.state is StageState.OPEN for person in eligible[stage.id]}
        )
    one.draw.shuffle(people)
    for person_id in people:
        try:
            with one.portal.db.transaction() as session:
                decide(
                    session,
                    one.actor(person_id),
                    request_id,
                    verdict=verdict,
                    comment=comment,
                    seal=seal,
                    settings=one.portal.settings,
                )
        except PortalError:
            # One person counts once, and some are needed for a later stage.
            continue
        one.counted[verdict.value] += 1
        break
    one.later("look", request_id, minutes=1)


def _withdraw(one: Year, request_id: int) -> None:
    with one.portal.db.reading() as session:
        requester_id = session.get_one(Request, request_id).requester_id
    try:
        with one.portal.db.transaction() as session:
            withdraw(session, one.actor(requester_id), request_id, "Not needed any more.")
        one.counted["withdrawn"] += 1
    except PortalError:
        one.counted["too late to withdraw"] += 1


def _retry(one: Year, request_id: int) -> None:
    with one.portal.db.transaction() as session:
        request = get_locked(session, request_id)
        if request.state is State.FAILED:
            retry(session, one.named("mehmet.yildirim"), request.reference)
            one.counted["tried again"] += 1


def _review(one: Year, request_id: int) -> None:
    """One of those who were passed over says whether the emergency was one."""
    finding = Finding.WRONG if one.chance(0.1) else Finding.RIGHT
    for person_id in sorted(one.people):
        with one.portal.db.transaction() as session:
            request = get_locked(session, request_id)
            statement = select(Review).where(Review.request_id == request_id).order_by(Review.id.desc())
            review = session.scalars(statement).first()
            if review is None or review.state is not ReviewState.OPEN or review.due_at <= one.clock():
                return
            if may_speak(session, request, review, person_id):
                actor = one.actor(person_id)
                speak(
                    session, actor, request_id, finding, "I have looked at it.", settings=one.portal.settings
                )
                one.counted[f"found {finding.value}"] += 1


def _round(one: Year, number: int) -> None:
    """The portal's own rounds."""
    wanted = (*ROUNDS, *WEEKLY) if number % WEEK == 0 else ROUNDS
    enqueue_periodic(one.portal.db, [entry for entry in periodic_table() if entry.name in wanted])


HAPPENS: dict[str, Callable[[Year, int], None]] = {
    "ask": _ask,
    "look": _look,
    "decide": _decide,
    "withdraw": _withdraw,
    "retry": _retry,
    "review": _review,
    "round": _round,
}
