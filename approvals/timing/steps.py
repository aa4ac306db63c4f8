"""What the sealed version of the offering says of a stage's time, and whom each step of its escalation asks.

The seal covers the offering's version by its digest, so everything that an escalation may do was under the seal from
the start. Nobody can be added to a stage by anything that was typed later: eligibility looks here, and not only at
the rows that an escalation wrote.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from approvals.routing.model import Stage
from approvals.routing.wanted import rule_in
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.offerings.route import Ask, StageRule
from catalog.offerings.timing import StageTimes, Timing
from catalog.requests.model import Request
from portal.identity.model import Unit
from portal.identity.unit_settings import UnitSettings


def timing_of(request: Request, stage: Stage) -> Timing:
    """When the stage's people are reminded, when it is escalated, when it expires."""
    found = _find(document_of(request.version), stage.slug)
    times: StageTimes = found[0] if found else StageTimes()
    return times.timing(stage.target_minutes)


def steps_of(session: Session, request: Request, stage: Stage) -> tuple[str, ...]:
    """The rules by which others are asked, one for each time that the stage is escalated; empty where none are.

    A stage that the offering does not name, such as an emergency's committee, climbs nowhere.
    """
    document = document_of(request.version)
    timing = timing_of(request, stage)
    if timing.do == "cancel":
        return ()
    if timing.to:
        unit = session.get_one(Unit, request.unit_id)
        return (rule_in(UnitSettings.from_json(unit.settings), timing.to),)
    found = _find(document, stage.slug)
    if found is None:
        return ()
    approvers = found[1].approvers
    party = approvers.of if approvers.relation else "beneficiary"
    return (f"manager-of-manager:{party}", f"group:{document.route.fallback or document.owner}")


def rules_joined(session: Session, request: Request, stage: Stage) -> tuple[str, ...]:
    """The rules of the steps that the stage has been escalated by so far."""
    return steps_of(session, request, stage)[: stage.escalations]


def _find(document: OfferingDocument, slug: str) -> tuple[StageRule, Ask] | None:
    return next(
        ((rule, ask) for rule in document.route.stages for ask in rule.asks if ask.slug == slug), None
    )
