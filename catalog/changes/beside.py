"""Beside a request: when it is carried out, and which other changes come at the same time to the same assets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists
from sqlalchemy.orm import Session

from catalog.changes.card import NOTHING, ChangeCard, ConflictLine
from catalog.changes.concerns import Concerns, opening_for, restrictions_from
from catalog.changes.model import ChangedAsset, PlannedChange
from catalog.changes.queries import ChangeRow, rows_of_changes
from catalog.changes.seeing import SeesRequests, readable
from catalog.changes.words import freezes_sentences, planned_text
from catalog.offerings.called import names_of
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.language import _, kept
from portal.core.times import moment
from portal.identity.actor import Actor

#: What still comes.
AHEAD = (State.PENDING, State.SCHEDULED, State.FULFILLING)
#: Two changes without a window count as at the same time if they are this near.
_NEAR = timedelta(days=1)
MOST = 20
_READ = 200


def change_card(
    session: Session, actor: Actor, request: Request, change: PlannedChange | None, *, sees: SeesRequests
) -> ChangeCard:
    """When the request is carried out, and what else is then.

    No statement of its own; one where what was worked out is no longer so, and one or, for who leads a unit, three more where
    it touches assets.
    """
    if change is None or request.state not in AHEAD:
        return NOTHING
    at = now(session)
    _refresh(session, request, change, at)
    others = _others(session, actor, change, sees, at)
    called = names_of(session, ((row.digest, row.offering) for row in others))
    return ChangeCard(
        planned=planned_text(change, request.state, zone=actor.timezone),
        freezes=tuple(freezes_sentences(change, request.state)),
        conflicts=tuple(_line(row, actor, called[row.digest]) for row in others[:MOST]),
        more=len(others) > MOST,
    )


def _refresh(session: Session, request: Request, change: PlannedChange, at: datetime) -> None:
    """Work out anew what was worked out for an earlier moment, on the page alone: the round keeps it before long."""
    if request.state is not State.PENDING or not _is_over(change, at):
        return
    document = document_of(request.version)
    found = opening_for(Concerns.from_json(change.concerns), document, restrictions_from(session, at), at)
    # Nothing that is only read is ever written.
    session.expunge(change)
    change.planned_at = found.at if found.at is not None and found.at > at else None
    change.planned_until = found.until
    change.windows = [kept(window.name) for window in found.windows]
    change.freezes = [kept(freeze.reason) for freeze in found.freezes]
    change.impossible = found.at is None


def _is_over(change: PlannedChange, at: datetime) -> bool:
    if change.planned_at is not None:
        return change.planned_at < at
    return change.planned_until is not None and change.planned_until < at


def _others(
    session: Session, actor: Actor, change: PlannedChange, sees: SeesRequests, at: datetime
) -> Sequence[ChangeRow]:
    """Those that touch one of the same assets at the same time, in order."""
    assets = change.concerns.get("assets") if change.concerns else None
    if not assets:
        return ()
    rows = session.execute(_on(assets, readable(session, actor, sees)).where(PlannedChange.id != change.id))
    mine = _span(change, at)
    # That there is another change at all is nothing that an auditor's account sees beyond its scope.
    return [
        row
        for row in (ChangeRow(*row) for row in rows)
        if _meet(mine, _span(row.change, at)) and (row.readable or actor.audit is None)
    ]


def _on(assets: Sequence[int], may_read: Any) -> Select[Any]:
    return (
        rows_of_changes(may_read)
        .where(
            Request.state.in_(AHEAD),
            exists().where(ChangedAsset.change_id == PlannedChange.id, ChangedAsset.asset_id.in_(assets)),
        )
        .limit(_READ)
    )


def _span(change: PlannedChange, at: datetime) -> tuple[datetime, datetime]:
    """From when until when it may be under way; what has begun or could begin at once, from now."""
    begins = max(change.started_at or change.planned_at or at, at)
    until = change.planned_until
    return begins, until if until is not None and until > begins else begins + _NEAR


def _meet(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _line(row: ChangeRow, actor: Actor, offering: str) -> ConflictLine:
    at = row.change.started_at or row.change.planned_at
    if row.state is State.FULFILLING:
        when = _("It is being carried out.")
    elif at is not None:
        when = moment(at, actor.timezone)
    else:
        when = _("As soon as it is approved.")
    return ConflictLine(
        reference=row.reference if row.readable else "",
        offering=offering,
        state=row.state.value,
        when=when,
    )
