"""The review before submitting: the answers, what would change, who will approve, and when it will be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from catalog.changes.scheduling import openings_for
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.planning import PlannedStep, ask_briefly, orders_for, plan_steps
from catalog.offerings.model import OfferingVersion
from catalog.offerings.rules import denial_of
from catalog.ordering.pace import pace_of
from catalog.ordering.times import spoken_moment
from catalog.requests.already import why_needless
from catalog.requests.answers import AnswerLine, answer_lines
from catalog.requests.checking import Checked
from catalog.requests.context import Context, context_for, get_person
from catalog.requests.duplicates import open_duplicate, sentence_about
from catalog.requests.ends import spoken_end_in
from catalog.requests.jobs import risk_of
from catalog.requests.named import named_in
from catalog.requests.policy import policy_of
from catalog.requests.presenters import (
    PlanCard,
    RiskCard,
    StageCard,
    StageRow,
    plan_cards,
    planned_stages,
    risk_card,
)
from catalog.requests.promise import calendar_for, promised
from catalog.requests.route import Router, RouteStage
from catalog.requests.working_hours import who_is_away
from portal.core.clock import now
from portal.core.errors import PortalError
from portal.core.language import spoken
from portal.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """What is shown before anything is asked. Times are in the reader's zone.

    `stop` says why it cannot be submitted; `unreachable` that a target could not be read, which submitting does
    not wait for.
    """

    token: str
    version_id: int
    #: The digest of the answers that are shown, which comes back with the form.
    reviewed: str
    slug: str
    offering: str
    title: str
    beneficiary: str
    for_self: bool
    ends: str
    answers: tuple[AnswerLine, ...]
    plan: tuple[PlanCard, ...]
    risk: RiskCard | None
    stages: tuple[StageCard, ...]
    #: The published policy that approves it, where nobody is asked.
    policy: str
    promised_by: datetime | None
    #: The same in words, what past requests took, and which approvers are away meanwhile.
    promised_text: str
    pace: str
    away: str
    now: datetime
    stop: str
    unreachable: str
    #: An open request for the same, and what is said of it.
    duplicate: str
    same: str
    #: That it cannot be undone, where it cannot.
    irreversible: str

    @property
    def stage_rows(self) -> tuple[StageRow, ...]:
        """The route as its macro takes it."""
        return tuple(stage.row for stage in self.stages)


def review_page(
    session: Session,
    actor: Actor,
    checked: Checked,
    version: OfferingVersion,
    *,
    connectors: Connectors,
    router: Router,
) -> ReviewPage:
    """What would happen if this were submitted now; changes nothing. Raises RuleFailed, FieldError."""
    at = now(session)
    requester = get_person(session, actor.person_id or 0)
    context = context_for(session, version, checked.answers, requester=requester, at=at)
    orders = orders_for(context)
    nothing: tuple[str, tuple[PlannedStep, ...]] = ("", ())
    asked = ask_briefly(lambda: (why_needless(orders, connectors), plan_steps(orders, connectors)), nothing)
    needless, steps = asked.answer
    stages, promised_by, nobody = _route(session, context, actor, router, at)
    zone, speak = ZoneInfo(actor.timezone), context.document.speak
    pace = pace_of(session, version.offering_id)
    asked_people = {person.person_id for stage in stages for person in stage.approvers}
    duplicate = open_duplicate(session, context)
    parties = (requester, context.beneficiary)
    called = named_in(session, context.document, checked.answers, parties)
    return ReviewPage(
        token=checked.token,
        version_id=version.id,
        reviewed=checked.digest,
        slug=context.document.slug,
        offering=context.document.spoken().name,
        title=spoken(context.title),
        beneficiary=context.beneficiary.name,
        for_self=context.beneficiary.id == requester.id,
        ends=spoken_end_in(context, at, actor.timezone),
        answers=answer_lines(context.document, checked.answers, called),
        plan=plan_cards([step.to_json() for step in steps], speak=speak),
        risk=risk_card(risk_of(context.facts, steps), speak=speak),
        policy="" if stages else policy_of(session, version, timezone=actor.timezone),
        stages=planned_stages(stages, speak=speak),
        promised_by=promised_by.astimezone(zone) if promised_by else None,
        promised_text=spoken_moment(promised_by.astimezone(zone), at.astimezone(zone)) if promised_by else "",
        pace=pace.text if pace else "",
        away=who_is_away(session, asked_people, at, promised_by) if promised_by else "",
        now=at.astimezone(zone),
        stop=speak(denial_of(context.document, context.facts) or nobody or asked.refused or needless),
        unreachable=spoken(asked.unreachable),
        duplicate=duplicate,
        same=sentence_about(duplicate),
        irreversible=context.document.spoken().cannot_be_undone,
    )


def needless_answers(
    session: Session, actor: Actor, checked: Checked, version: OfferingVersion, *, connectors: Connectors
) -> str:
    """Why asking for this is needless, said on the form before anybody is asked; empty when it is not."""
    requester = get_person(session, actor.person_id or 0)
    context = context_for(session, version, checked.answers, requester=requester, at=now(session))
    orders = orders_for(context)
    return str(spoken(ask_briefly(lambda: why_needless(orders, connectors), "").answer))


def _route(
    session: Session, context: Context, actor: Actor, router: Router, at: datetime
) -> tuple[tuple[RouteStage, ...], datetime | None, str]:
    try:
        stages = router.preview(session, context.proposal(actor.person_id or 0))
    except PortalError as error:
        return (), None, error.sentence
    due = router.promised_by(session, stages, at)
    calendar = calendar_for(context.document, context.beneficiary)
    return (
        stages,
        promised(
            due,
            context.document,
            context.facts,
            begun=at,
            calendar=calendar,
            opening=openings_for(session, context, at),
        ),
        "",
    )
