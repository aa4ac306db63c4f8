"""The baton: who must act now, since when, by when, and what follows, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.route import StageProgress
from catalog.requests.states import State
from portal.core.language import _, spoken


@dataclass(frozen=True, slots=True)
class Baton:
    """Who must act. Times are in the reader's zone."""

    who: str
    since: datetime | None
    by: datetime | None
    what_follows: str
    late: bool


def baton_of(
    request: Request, stages: Sequence[StageProgress], *, timezone: str, now: datetime
) -> Baton | None:
    """The baton of a request; None where nobody has to act."""
    if not request.baton:
        return None
    zone = ZoneInfo(timezone)
    due = request.baton_due
    return Baton(
        who=spoken(request.baton),
        since=request.baton_since.astimezone(zone) if request.baton_since else None,
        by=due.astimezone(zone) if due else None,
        what_follows=_what_follows(request, stages),
        late=due is not None and due < now,
    )


def _what_follows(request: Request, stages: Sequence[StageProgress]) -> str:
    match request.state:
        case State.PREPARING:
            return _("the change is read from the target, and the approvers are asked.")
        case State.PENDING:
            return _after_this_stage(request, stages)
        case State.SCHEDULED | State.FULFILLING:
            return _("it is read back from the target, and you are told that it is done.")
        case State.FAILED:
            return _("it is tried again, or you are told why it cannot be done.")
        case _:
            return ""


def _after_this_stage(request: Request, stages: Sequence[StageProgress]) -> str:
    if request.paused_since:
        return _("the clock runs again, and whoever asked decides.")
    waiting = [stage.part_of or stage.name for stage in stages if stage.state == "waiting"]
    if waiting:
        return _("the stage “%(stage)s” decides.", stage=document_of(request.version).speak(waiting[0]))
    return _("it is carried out by itself, exactly as approved.")
