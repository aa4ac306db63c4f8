"""Step-up: what matters needs a fresh sign-in, fresher where the risk is high, and as strong as is demanded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from portal.core.errors import PortalError
from portal.core.language import N_, _
from portal.core.settings import Settings
from portal.identity.actor import Actor

#: The provider's clock may run this much ahead of ours.
CLOCK_SKEW = timedelta(seconds=60)


class StepUpNeeded(PortalError):
    """The sign-in is too old or too weak for this; nothing was done.

    `max_age` is in seconds; `acr` is empty where any way of signing in will do.
    """

    status: ClassVar[int] = 401
    title: ClassVar[str] = N_("Sign in again")

    def __init__(self, *, max_age: int, acr: str) -> None:
        super().__init__(
            _("Sign in again to decide: your last sign-in is too long ago or not strong enough for this.")
        )
        self.max_age = max_age
        self.acr = acr


@dataclass(frozen=True, slots=True)
class StepUp:
    """How old, in seconds, a sign-in may be for what matters, such as a decision."""

    seconds: int = 15 * 60
    high_risk_seconds: int = 5 * 60

    @classmethod
    def of(cls, settings: Settings) -> StepUp:
        """As this portal is set up."""
        return cls(settings.step_up_seconds, settings.high_risk_step_up_seconds)

    def max_age(self, risk: str) -> int:
        """The oldest sign-in, in seconds, for a request of this risk level. A level that is unknown counts as high."""
        return self.seconds if risk in {"low", "medium"} else min(self.seconds, self.high_risk_seconds)

    def check(self, actor: Actor, *, risk: str, acr: str, at: datetime) -> datetime:
        """When the actor signed in. Raises StepUpNeeded when that is too long ago, unknown, or not as demanded."""
        max_age = self.max_age(risk)
        oldest = at - timedelta(seconds=max_age)
        if (
            actor.auth_time is None
            or not oldest <= actor.auth_time <= at + CLOCK_SKEW
            or (acr and actor.acr != acr)
        ):
            raise StepUpNeeded(max_age=max_age, acr=acr)
        return actor.auth_time
