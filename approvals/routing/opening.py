"""Opening a stage: its people are asked, its clock starts, the baton is theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.delegation.substitutes import counted_in, principals_of
from approvals.links.create import create_link
from approvals.routing.deadlines import calendars_for, due_at
from approvals.routing.eligible import Eligible, eligible_now
from approvals.routing.matching import first_unmet
from approvals.routing.messages import tell_approvers
from approvals.routing.model import Stage, StageApprover, StageState
from approvals.routing.stages import decisions_of, stages_of, still_demanded
from approvals.timing.arrange import arrange
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.moves import hand_baton, subject_of
from catalog.requests.replan import replan
from catalog.requests.route import RouteApprover
from portal.audit import record
from portal.core.clock import now
from portal.core.language import Said, _, every_language, ngettext, say
from portal.core.settings import Settings
from portal.identity.actor import PORTAL

#: More names than this are counted, not listed.
NAMES_LISTED = 4


def open_next_stage(session: Session, request: Request, *, settings: Settings) -> Sequence[Stage]:
    """The stages that are open now: those whose parts are still being decided, else the next ones, opened here.

    Empty when none waits, or when the route no longer works. The people are read again: when too few of those
    under the seal are left, here or in a later stage, the request is planned again, so that a new route is found
    instead of waiting for somebody who is gone.
    """
    stages = stages_of(session, request)
    alive = [stage for stage in stages if stage.state in {StageState.OPEN, StageState.WAITING}]
    if not alive:
        return ()
    decisions = decisions_of(session, request)
    eligible = eligible_now(session, request, alive)
    demands = still_demanded(alive, eligible, decisions)
    if (unmet := first_unmet(list(demands.values()))) is not None:
        replan(session, request, too_few_left(alive[unmet]))
        return ()
    used = counted_in(decisions)
    open_ones = [stage for stage in alive if stage.state is StageState.OPEN]
    ready = open_ones or [stage for stage in alive if stage.position == alive[0].position]
    asked = {stage.id: _asked(eligible[stage.id], used) for stage in ready}
    for stage in ready:
        # Of a rota everybody counted so far; now only those on duty do.
        if (
            len(principals_of({person.person_id: person for person in asked[stage.id]}))
            < demands[stage.id].quorum
        ):
            replan(session, request, too_few_left(stage))
            return ()
    for stage in ready if not open_ones else ():
        _open(session, request, stage, asked[stage.id], settings)
    hand_on(
        session, request, ready, {stage: (demands[stage].quorum, people) for stage, people in asked.items()}
    )
    return ready


def hand_on_to(session: Session, request: Request, stages: Sequence[Stage], eligible: Eligible) -> None:
    """Give the baton to whoever may still decide in these open stages."""
    decisions = decisions_of(session, request)
    demands = still_demanded(stages, eligible, decisions)
    used = counted_in(decisions)
    asked = {stage.id: (demands[stage.id].quorum, _asked(eligible[stage.id], used)) for stage in stages}
    hand_on(session, request, stages, asked)


def too_few_left(stage: Stage) -> Said:
    """Why a request is planned again whose stage has lost its people."""
    return say(
        "Too few of the people who were to decide “%(stage)s” can still do so; the approval chain is made again.",
        stage=stage.name,
    )


def hand_on(
    session: Session,
    request: Request,
    stages: Sequence[Stage],
    people: Mapping[int, tuple[int, Sequence[RouteApprover]]],
) -> None:
    """Give the baton to whoever must still decide in these open stages: by stage, how many of which people."""
    holders = [names_of(asked, quorum) for quorum, asked in people.values()]
    due = [stage.due_at for stage in stages if stage.due_at is not None]
    hand_baton(session, request, _all_of(holders), due=min(due, default=None))


def names_of(people: Sequence[RouteApprover], quorum: int) -> Said:
    """Who must act, in a line: the names, or the first of them and how many more."""
    names = sorted(person.name for person in people)

    def speak() -> str:
        listed = names
        if len(names) > NAMES_LISTED:
            more = len(names) - NAMES_LISTED + 1
            listed = [*names[: NAMES_LISTED - 1], ngettext("%(number)s more", "%(number)s more", more)]
        if len(listed) == 1:
            text = listed[0]
        else:
            text = _("%(names)s or %(last)s", names=", ".join(listed[:-1]), last=listed[-1])
        if len(people) == quorum == 1:
            return text
        return _("%(count)s of %(names)s", count=quorum, names=text)

    return every_language(speak)


def _all_of(holders: Sequence[Said]) -> Said:
    """Several who must each act, in a line."""
    first, *others = holders
    for other in others:
        first = say("%(names)s, and %(others)s", names=first, others=other)
    return first


def _asked(eligible: Mapping[int, RouteApprover], used: frozenset[int]) -> list[RouteApprover]:
    """Of those who may decide, who has not and is on duty; nor have those in whose place they would."""
    return [
        person
        for person in eligible.values()
        if person.called and not {person.person_id, person.on_behalf_of_id} & used
    ]


def _open(
    session: Session, request: Request, stage: Stage, people: Sequence[RouteApprover], settings: Settings
) -> None:
    principals = [person for person in people if person.on_behalf_of_id is None]
    calendars = calendars_for(session, principals, document_of(request.version).calendar)
    stage.state = StageState.OPEN
    stage.opened_at = now(session)
    stage.due_at = due_at(calendars, start=stage.opened_at, minutes=stage.target_minutes, quorum=stage.quorum)
    arrange(session, request, stage, calendars)
    _call(session, stage, {person.person_id for person in principals})
    record(
        session,
        tags.STAGE_OPENED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "stage": stage.slug,
            "revision": stage.revision,
            "quorum": stage.quorum,
            "seal": request.seal,
            "due_at": stage.due_at.isoformat(),
            "approvers": _numbered(principals),
        },
    )
    ask(session, request, stage, [person.person_id for person in people], settings=settings)


def ask(
    session: Session, request: Request, stage: Stage, people: Iterable[int], *, settings: Settings
) -> None:
    """Send these people the decision card of an open stage, each with a link of their own."""
    links = {
        number: create_link(session, stage_id=stage.id, person_id=number, days=settings.link_days)
        for number in people
    }
    tell_approvers(session, request, stage, {number: f"/a/{token}" for number, token in links.items()})


def _call(session: Session, stage: Stage, people: set[int]) -> None:
    """Of a rota only those on duty are asked; it is their rows that inboxes show."""
    on_rotas = StageApprover.stage_id == stage.id, StageApprover.rule.startswith("rota:", autoescape=True)
    for row in session.scalars(select(StageApprover).where(*on_rotas)):
        row.called = row.person_id in people


def _numbered(people: Iterable[RouteApprover]) -> list[dict[str, str]]:
    return [{"person": f"person:{person.person_id}", "rule": person.rule} for person in people]
