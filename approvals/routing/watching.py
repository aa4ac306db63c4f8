"""Watching open stages: people leave, change groups and go off duty while a request waits for them.

A request whose open stages have lost the people that they need is planned again at once, so that its route climbs or
is refused aloud. Whoever comes on duty in a rota is asked in place of those who went off it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.decisions.model import Decision
from approvals.delegation.substitutes import counted_in, principals_of
from approvals.routing.book import RouteBook
from approvals.routing.eligible import eligible_now
from approvals.routing.matching import Demand, first_unmet
from approvals.routing.model import Stage, StageApprover, StageState
from approvals.routing.opening import ask, hand_on_to, too_few_left
from approvals.routing.stages import decisions_of, stages_of, still_demanded
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from catalog.requests.replan import replan
from catalog.requests.states import State
from catalog.versions.organisation import read_organisation
from portal.audit import record
from portal.core.clock import now
from portal.core.settings import Settings
from portal.identity.actor import PORTAL
from portal.identity.events import PeopleImported, RotaImported
from portal.identity.rotas.duty import duties
from portal.jobs import Handler, Job, Periodic, enqueue

WATCH = "watch_stages"
CHANGE_DUTY = "change_duty"
#: How often each comes round beside the imports.
ROUNDS = (
    Periodic("stages", timedelta(minutes=10), WATCH),
    Periodic("duty", timedelta(minutes=1), CHANGE_DUTY),
)
_ROTA = "rota:"
#: Requests read at once; the work between two statements is a second's.
BATCH = 5000
#: Everybody in the open stages of pending requests, whether their word is given, and who may never give one.
_PLACES = (
    select(
        Stage.request_id,
        Stage.id,
        Stage.quorum,
        StageApprover.person_id,
        StageApprover.rule,
        Decision.id,
        Request.requester_id,
        Request.beneficiary_id,
        Request.editor_id,
        OfferingVersion.publisher_id,
    )
    .join(Request, and_(Request.id == Stage.request_id, Request.revision == Stage.revision))
    .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
    .join(StageApprover, StageApprover.stage_id == Stage.id)
    .outerjoin(
        Decision,
        and_(
            Decision.stage_id == Stage.id,
            func.coalesce(Decision.on_behalf_of_id, Decision.person_id) == StageApprover.person_id,
            Decision.voided_at.is_(None),
        ),
    )
    .where(Stage.state == StageState.OPEN, StageApprover.replaced_at.is_(None))
    .order_by(Stage.request_id, Stage.id)
)


def on_directory_changed(session: Session, event: PeopleImported | RotaImported) -> None:
    """Look at every open stage once the import is committed."""
    for kind in (WATCH, CHANGE_DUTY) if isinstance(event, RotaImported) else (WATCH,):
        enqueue(session, kind, {})


def tasks(settings: Settings) -> Mapping[str, Handler]:
    """What each kind of task of this room runs."""
    return {WATCH: watch_stages, CHANGE_DUTY: partial(change_duty, settings=settings)}


def watch_stages(job: Job) -> None:
    """The task that finds requests whose open stages have lost their people, and has each planned again."""
    with job.reading() as session:
        numbers = list(requests_in_doubt(session))
    for number in numbers:
        with job.transaction() as session:
            look_again(session, get_locked(session, number))


def change_duty(job: Job, *, settings: Settings) -> None:
    """The task that asks whoever has come on duty since."""
    with job.reading() as session:
        numbers = _off_duty(session)
    for number in numbers:
        with job.transaction() as session:
            hand_over(session, get_locked(session, number), settings=settings)


def requests_in_doubt(session: Session) -> Iterator[int]:
    """The requests whose open stages seem to lack people, by one reading of the organisation. One statement a batch.

    It reads every open stage as plain values, so that a hundred thousand of them take seconds; `look_again` decides.
    """
    book = RouteBook(read_organisation(session))
    last = 0
    while True:
        batch = (
            select(Request.id)
            .where(
                Request.id > last,
                Request.state == State.PENDING,
                exists().where(Stage.request_id == Request.id, Stage.state == StageState.OPEN),
            )
            .order_by(Request.id)
            .limit(BATCH)
        )
        rows = session.execute(_PLACES.where(Stage.request_id.in_(batch))).all()
        for request_id, several in groupby(rows, key=lambda row: row.request_id):
            last = request_id
            if first_unmet(_demands(book, list(several))) is not None:
                yield request_id
        if not rows:
            return


def _demands(book: RouteBook, rows: list[Any]) -> list[Demand]:
    demands = []
    for _, places in groupby(rows, key=lambda row: row[1]):
        quorum, people = 0, set[int]()
        for count, (_, _, needed, person, rule, decision, asker, receiver, *others) in enumerate(places):
            quorum = needed if count == 0 else quorum
            parties = {"requester": asker, "beneficiary": receiver}
            excluded = frozenset(number for number in (asker, receiver, *others) if number is not None)
            if decision is not None:
                quorum -= 1
            elif book.means(rule, person, parties, excluded):
                people.add(person)
        demands.append(Demand(max(quorum, 0), frozenset(people)))
    return demands


def look_again(session: Session, request: Request) -> bool:
    """Whether the locked request had to be planned again, because its open or waiting stages lack people."""
    alive = [
        stage for stage in stages_of(session, request) if stage.state in {StageState.OPEN, StageState.WAITING}
    ]
    if request.state is not State.PENDING or not alive:
        return False
    demands = still_demanded(alive, eligible_now(session, request, alive), decisions_of(session, request))
    unmet = first_unmet(list(demands.values()))
    if unmet is None:
        return False
    replan(session, request, too_few_left(alive[unmet]))
    return True


def hand_over(session: Session, request: Request, *, settings: Settings) -> None:
    """Ask whoever is on duty now in the open stages of the locked request; who went off it is asked no more.

    Where nobody is, the request is planned again and climbs.
    """
    if request.state is not State.PENDING or look_again(session, request):
        return
    stages = [stage for stage in stages_of(session, request) if stage.state is StageState.OPEN]
    used = counted_in(decisions_of(session, request))
    eligible = eligible_now(session, request, stages)
    for stage in stages:
        rows = session.scalars(
            select(StageApprover).where(
                StageApprover.stage_id == stage.id, StageApprover.rule.startswith(_ROTA, autoescape=True)
            )
        ).all()
        on_duty = principals_of(eligible[stage.id])
        come = [row for row in rows if row.person_id in on_duty and not row.called]
        gone = [row for row in rows if row.person_id not in on_duty and row.called]
        for row in (*come, *gone):
            row.called = row.person_id in on_duty
        if not come and not gone:
            continue
        record(
            session,
            tags.DUTY_CHANGED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={
                "stage": stage.slug,
                "revision": stage.revision,
                "seal": request.seal,
                "come": [f"person:{row.person_id}" for row in come],
                "gone": [f"person:{row.person_id}" for row in gone],
            },
        )
        ask(
            session,
            request,
            stage,
            [row.person_id for row in come if row.person_id not in used],
            settings=settings,
        )
    session.flush()
    hand_on_to(session, request, stages, eligible)


def _off_duty(session: Session) -> list[int]:
    """The requests in which others are asked than those who are on duty now. Two statements."""
    rows = session.execute(
        select(Stage.request_id, StageApprover.rule, StageApprover.person_id, StageApprover.called)
        .join(Request, and_(Request.id == Stage.request_id, Request.revision == Stage.revision))
        .join(StageApprover, StageApprover.stage_id == Stage.id)
        .where(
            Stage.state == StageState.OPEN,
            Request.state == State.PENDING,
            StageApprover.rule.startswith(_ROTA, autoescape=True),
            StageApprover.replaced_at.is_(None),
        )
    ).all()
    slugs = {row.rule.removeprefix(_ROTA) for row in rows}
    on_duty: Mapping[tuple[str, int], bool] = {
        (f"{_ROTA}{duty.rota}", duty.person.id): duty.now
        for duty in (duties(session, sorted(slugs), at=now(session)) if slugs else ())
    }
    return sorted(
        {row.request_id for row in rows if row.called != on_duty.get((row.rule, row.person_id), False)}
    )
