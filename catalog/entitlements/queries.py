"""Reading what is live for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.offerings.called import names_of
from catalog.offerings.model import OfferingVersion
from catalog.requests.answers import spoken_end
from catalog.requests.model import Request
from portal.core.language import spoken
from portal.identity.actor import Actor

PAGE = 25
_HIGHEST = 2**62


class EntitlementLine(NamedTuple):
    """One thing that a person holds or held. Times are in the reader's zone."""

    id: int
    label: str
    target: str
    offering: str
    reference: str
    state: str
    since: datetime
    until: str
    ended_at: datetime | None
    end_reason: str


_MINE = (
    select(
        Entitlement.id,
        Entitlement.label,
        Entitlement.target,
        OfferingVersion.digest.label("digest"),
        OfferingVersion.document["name"].as_string().label("offering"),
        Request.reference,
        Entitlement.state,
        Entitlement.granted_at,
        Entitlement.ends_at,
        Entitlement.ended_at,
        Entitlement.end_reason,
    )
    .join(Request, Request.id == Entitlement.request_id)
    .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
    .where(
        Entitlement.person_id == bindparam("person"),
        Entitlement.state.in_(bindparam("states", expanding=True)),
        Entitlement.id < bindparam("before"),
    )
    .order_by(Entitlement.id.desc())
    .limit(bindparam("limit"))
)


def entitlements_of(
    session: Session, actor: Actor, *, ended: bool = False, before: int | None = None, limit: int = PAGE
) -> tuple[Sequence[EntitlementLine], int | None]:
    """What the actor holds, or held, the latest first, in one statement; and where the next page begins."""
    states = [EntitlementState.ENDED] if ended else [EntitlementState.LIVE, EntitlementState.ENDING]
    rows = session.execute(
        _MINE,
        {
            "person": actor.person_id,
            "states": states,
            "before": before if before is not None else _HIGHEST,
            "limit": limit + 1,
        },
    ).all()
    zone = ZoneInfo(actor.timezone)

    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(zone) if moment else None

    called = names_of(session, ((row.digest, row.offering) for row in rows))
    lines = tuple(
        EntitlementLine(
            number,
            spoken(label),
            spoken(target),
            called[digest],
            reference,
            state.value,
            since.astimezone(zone),
            spoken_end(until, actor.timezone),
            local(ended),
            spoken(why),
        )
        for number, label, target, digest, _name, reference, state, since, until, ended, why in rows[:limit]
    )
    return lines, lines[-1].id if len(rows) > limit else None
