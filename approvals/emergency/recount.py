"""The debt once more, when a committee is about to agree: many that were asked for at once weigh on each other."""

from __future__ import annotations

from sqlalchemy.orm import Session

from approvals.emergency.debt import debt_of
from approvals.routing.chosen import route_of
from approvals.routing.model import Stage
from approvals.routing.proposals import proposal_of
from approvals.routing.resolve import NobodyToAsk
from catalog.offerings.emergency import COMMITTEE
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.replan import replan
from portal.core.language import say


def tightened(session: Session, request: Request, stage: Stage) -> bool:
    """Plan an emergency again whose committee must by now agree with one more; True when that was done.

    Where nobody else could be asked, the same people would be asked again, so it stands as it is.
    """
    emergency = document_of(request.version).emergency
    if stage.slug != COMMITTEE or emergency is None or debt_of(session) < emergency.debt_limit:
        return False
    try:
        (fresh,) = route_of(session, proposal_of(session, request))
    except NobodyToAsk:
        return False
    if fresh.slug != COMMITTEE or fresh.quorum <= stage.quorum:
        return False
    replan(
        session,
        request,
        say("More emergencies wait for their review than when this was asked, so one more must agree."),
    )
    return True
