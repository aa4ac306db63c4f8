"""What people are told when a stage waits too long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.routing.messages import card_of
from approvals.routing.model import Stage
from catalog.requests.model import Request
from catalog.requests.telling import about
from portal.identity.model import Person
from portal.notifications import notify


def tell(
    session: Session,
    event: str,
    request: Request,
    stage: Stage,
    paths: Mapping[int, str],
    *,
    urgent: bool = False,
    **more: Any,
) -> None:
    """Write the event's mail, with the decision card in it, to each of these people. `paths` are by person."""
    context = {**about(request, event), **card_of(request, stage), **more}
    people = select(Person).where(Person.id.in_(list(paths)), Person.active).order_by(Person.id)
    for person in session.scalars(people).all():
        theirs = {**context, "path": paths[person.id]}
        notify(session, event, person, theirs, urgent=urgent)
