"""The page with one box, which asks who allowed something."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from catalog.explaining.answering import Explanation, explain
from catalog.explaining.questions import WORDS
from catalog.explaining.told import moment_asked
from catalog.fulfilment.targets import called as target_called
from catalog.reconciliation.words import called
from portal.core.clock import now
from portal.core.errors import FieldError
from portal.core.http import reading, render
from portal.core.language import _, spoken
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("explain", __name__)


@blueprint.get("/explain")
@signed_in
def show() -> Response:
    """The box, and below it the answer to what was typed."""
    text, day = request.args.get("q", ""), request.args.get("at", "")
    actor = current_actor()
    found: Explanation | None = None
    problem: FieldError | None = None
    with reading() as session:
        at = now(session)
        if text.strip():
            try:
                found = explain(session, actor, text, at=moment_asked(day))
            except FieldError as error:
                problem = error
    zone = ZoneInfo(actor.timezone)
    return render(
        "catalog/explaining/show.html",
        422 if problem else 200,
        text=text,
        day=day,
        problem=problem,
        found=_in_zone(found, zone) if found else None,
        kinds=[_(WORDS[kind]) for kind in found.kinds] if found else [],  # type: ignore[index]  # one of them
        now=at.astimezone(zone),
    )


def _in_zone(found: Explanation, zone: ZoneInfo) -> Explanation:
    """The same with its moments where the reader is."""
    return replace(
        found,
        allowed=tuple(
            replace(
                one,
                target=spoken(target_called(one.target)),
                since=one.since.astimezone(zone),
                until=one.until.astimezone(zone) if one.until else None,
                ended_at=one.ended_at.astimezone(zone) if one.ended_at else None,
                approvals=tuple(replace(each, at=each.at.astimezone(zone)) for each in one.approvals),
            )
            for one in found.allowed
        ),
        unexplained=tuple(
            replace(
                one,
                connector=called(one.connector),
                first_seen_at=one.first_seen_at.astimezone(zone),
                last_seen_at=one.last_seen_at.astimezone(zone),
            )
            for one in found.unexplained
        ),
    )
