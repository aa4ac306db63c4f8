"""Requests that were chosen to be decided together, each under the seal that its card was opened with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from approvals.decisions.openings import has_opened
from approvals.decisions.queries import PAGE, demanded_by
from catalog.requests.queries import find_id
from portal.core.clock import now
from portal.core.errors import Conflict
from portal.core.language import _
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.step_up import StepUp, StepUpNeeded


@dataclass(frozen=True, slots=True)
class Chosen:
    """One request that was chosen, and the seal that stood beside it."""

    reference: str
    seal: str

    @classmethod
    def read(cls, values: Iterable[str]) -> tuple[Chosen, ...]:
        """What the list's boxes sent, each request once and no more than a page; what is none of them is left out."""
        pairs = (value.partition(" ") for value in values)
        found = {reference: seal for reference, _space, seal in pairs if reference and seal}
        return tuple(cls(reference, seal) for reference, seal in list(found.items())[:PAGE])

    def __str__(self) -> str:
        return f"{self.reference} {self.seal}"


def decide_chosen(
    session: Session,
    actor: Actor,
    chosen: Chosen,
    *,
    verdict: Verdict,
    comment: str,
    settings: Settings,
) -> None:
    """Decide one of them, by all the rules of deciding, in this transaction.

    Raises what `decide` does, and Conflict where the actor has not opened its card under that seal: nobody decides
    what they have not seen.
    """
    number = find_id(session, chosen.reference)
    # The same for what does not exist as for what is not theirs: references are not to be probed.
    if number is None or not has_opened(session, actor, number, chosen.seal):
        raise Conflict(_("You have not opened its card as it is now. Open it first."))
    decide(
        session,
        actor,
        number,
        verdict=verdict,
        comment=comment,
        seal=chosen.seal,
        settings=settings,
    )


def step_up_for(
    session: Session, actor: Actor, chosen: Sequence[Chosen], *, settings: Settings
) -> StepUpNeeded | None:
    """The one sign-in that is needed before any of them is decided; None where the present one does.

    It is as fresh as the strictest of them demands. Where they demand different kinds of sign-in, one of them is
    asked for, and the others are decided by themselves.
    """
    step_up, at = StepUp.of(settings), now(session)
    needed: list[StepUpNeeded] = []
    for demanded in demanded_by(session, actor, [one.reference for one in chosen]):
        try:
            step_up.check(actor, risk=demanded.risk, acr=demanded.acr, at=at)
        except StepUpNeeded as error:
            needed.append(error)
    if not needed:
        return None
    return StepUpNeeded(
        max_age=min(error.max_age for error in needed),
        acr=max((error.acr for error in needed), key=[error.acr for error in needed].count),
    )
