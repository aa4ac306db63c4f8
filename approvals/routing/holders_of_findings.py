"""Who is to hold what a request adopts: nobody says yes to what they have themselves, in whoever's place."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.reconciliation.connector import KIND
from catalog.reconciliation.sealed import ADOPT
from catalog.requests.model import Request
from portal.identity.model import Person


def adopting_holders(session: Session, request: Request) -> frozenset[int]:
    """The people for whom the sealed plans record what is live already; no statement for any other request."""
    names = {
        str(plan["document"]["holder"])
        for plan in request.plans
        if plan["connector"] == KIND and plan["action"] == ADOPT
    }
    if not names:
        return frozenset()
    return frozenset(session.scalars(select(Person.id).where(Person.user_name.in_(names))))
