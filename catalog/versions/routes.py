"""What a replay needs to know of routes. The approvals package stands above and fills this in (portal.wiring)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from catalog.offerings.language import OfferingDocument
from catalog.requests.route import Proposal
from catalog.versions.organisation import Organisation
from portal.identity.model import Person

#: What a stage lacks: anybody, as many people as must agree, or people who do not decide another stage already.
Lack = Literal["nobody", "too-few", "twice"]


@dataclass(frozen=True, slots=True)
class StageOutline:
    """One stage as it would be resolved: who is asked, by the rules that found them, and how many must agree."""

    slug: str
    name: str
    rules: tuple[str, ...]
    quorum: int
    #: From 1; the parts of one stage share it.
    position: int = 1


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """A route that works, and when its last stage is due (UTC)."""

    stages: tuple[StageOutline, ...]
    due: datetime


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A route that does not: the separation of duties leaves a stage without enough people."""

    slug: str
    name: str
    lack: Lack


class Routes(Protocol):
    """Resolves routes over one reading of the organisation, without the database."""

    def work_out(self, proposal: Proposal, start: datetime) -> WorkedOut | Shortfall:
        """The route of this proposal, begun at `start`. Raises RuleFailed."""
        ...

    def working_minutes(
        self, document: OfferingDocument, person: Person, first: datetime, last: datetime
    ) -> int:
        """Working minutes from `first` to `last` where this person lives; negative when `last` is earlier."""
        ...


MakeRoutes = Callable[[Organisation], Routes]
