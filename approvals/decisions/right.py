"""The right to decide: who may say what in which stage, now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from approvals.decisions.model import Decision, Verdict
from approvals.delegation.deciding import insist_on_one_word, without_both, without_used
from approvals.routing.eligible import Eligible
from approvals.routing.matching import first_unmet
from approvals.routing.model import Stage, StageState
from approvals.routing.relations import excluded_from
from approvals.routing.stages import still_demanded
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.errors import Conflict, Forbidden
from portal.core.language import N_, _, spoken

#: A request's state in the middle of a sentence.
_STATES = {
    State.PREPARING: N_("being prepared"),
    State.PENDING: N_("awaiting approval"),
    State.SCHEDULED: N_("scheduled"),
    State.FULFILLING: N_("fulfilling"),
    State.FULFILLED: N_("fulfilled"),
    State.ENDED: N_("ended"),
    State.REJECTED: N_("rejected"),
    State.WITHDRAWN: N_("withdrawn"),
    State.REFUSED: N_("refused"),
    State.FAILED: N_("failed"),
}


class NotYours(Forbidden):
    """This person may not decide here."""

    title: ClassVar[str] = N_("You cannot decide this")


def may_decide(person_id: int | None, request: Request, eligible: Eligible) -> bool:
    """Whether the person is one of those who decide on the request in any of these stages, open or not."""
    return (
        person_id is not None
        and person_id not in excluded_from(request, request.version)
        and any(person_id in people for people in eligible.values())
    )


def find_stage(
    person_id: int,
    request: Request,
    stages: Sequence[Stage],
    decisions: Sequence[Decision],
    eligible: Eligible,
    *,
    verdict: Verdict,
) -> Stage | None:
    """The stage in which the person may give this verdict now: the page and deciding choose by this alone.

    An approval belongs to the open stage; of several open parts, to the one that others need the person least for.
    A denial also to one that has approved already, for as long as nothing has been carried out: a denial wins.
    A place in the stead of somebody whose word is in gives nothing. Where the person has several open places,
    `eligible` must hold everybody's, not theirs alone.
    """
    wanted = _states_for(request, verdict)
    left = without_used(eligible, decisions)
    mine = [stage for stage in stages if stage.state in wanted and person_id in left[stage.id]]
    open_ones = [stage for stage in mine if stage.state is StageState.OPEN]
    if verdict is Verdict.APPROVE and len(open_ones) > 1:
        free = (one for one in open_ones if not _starved(person_id, one, stages, left, decisions))
        return next(free, open_ones[0])
    return next(iter(open_ones or mine), None)


def stage_for(
    person_id: int,
    request: Request,
    stages: Sequence[Stage],
    decisions: Sequence[Decision],
    eligible: Eligible,
    *,
    verdict: Verdict,
) -> Stage:
    """The stage in which the person may give this verdict now.

    Raises NotYours for whoever may not decide at all, and Conflict where they may and it is too late or too early.
    """
    if person_id in excluded_from(request, request.version):
        raise NotYours(
            _(
                "You asked for this, receive it, edited it last or published the offering, so you cannot decide it."
            )
        )
    if not may_decide(person_id, request, eligible):
        raise NotYours(_("You are not, or no longer, one of the people who decide this request."))
    insist_on_one_word(person_id, decisions, eligible)
    if request.state is State.PREPARING:
        raise Conflict(
            _("This request is being prepared again. You will be asked again if your decision is needed.")
        )
    if not _states_for(request, verdict):
        raise Conflict(
            _("This request is %(state)s; it can no longer be decided.", state=_(_STATES[request.state]))
        )
    stage = find_stage(person_id, request, stages, decisions, eligible, verdict=verdict)
    if stage is None:
        raise Conflict(
            _("Your stage of this request is not open. Others have decided it, or it has not begun.")
        )
    return stage


def leave_others_possible(
    person_id: int,
    stage: Stage,
    stages: Sequence[Stage],
    eligible: Eligible,
    decisions: Sequence[Decision],
) -> None:
    """Refuse an approval by the only person left who could agree in a later stage: that one would wait for ever.

    Raises Conflict. Where the route is already impossible, opening the next stage has the request planned again.
    """
    later = _starved(person_id, stage, stages, eligible, decisions)
    if later is not None:
        raise Conflict(
            _(
                "You are needed for the stage “%(later)s”, where nobody else can decide, and one person counts once. "
                "Leave “%(stage)s” to the others.",
                later=spoken(later.name),
                stage=spoken(stage.name),
            )
        )


def _starved(
    person_id: int,
    stage: Stage,
    stages: Sequence[Stage],
    eligible: Eligible,
    decisions: Sequence[Decision],
) -> Stage | None:
    """The stage that nobody could decide any more if this person agreed in this one; None where there is none."""
    by_stage = still_demanded(stages, eligible, decisions)
    demands, position = list(by_stage.values()), list(by_stage).index(stage.id)
    if first_unmet(demands) is not None:
        return None
    later = first_unmet(without_both(demands, position, eligible[stage.id][person_id]))
    return None if later is None else next(other for other in stages if other.id == list(by_stage)[later])


def _states_for(request: Request, verdict: Verdict) -> frozenset[StageState]:
    if verdict is Verdict.APPROVE:
        return frozenset({StageState.OPEN}) if request.state is State.PENDING else frozenset()
    if request.state in {State.PENDING, State.SCHEDULED}:
        return frozenset({StageState.OPEN, StageState.APPROVED})
    return frozenset()
