"""What requests need to know of routes. The approvals package stands above and fills this in (portal.wiring)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import Select
from sqlalchemy.orm import Session

from catalog.offerings.facts import Facts
from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import OfferingVersion
from catalog.offerings.route import CalendarRule
from portal.identity.model import Person
from portal.identity.unit_settings import UnitSettings


@dataclass(frozen=True, slots=True)
class Proposal:
    """A request as far as routing needs it, before or after it is submitted.

    `facts` are what the offering's rules read, with the risk: catalog.offerings.rules.facts_for.
    """

    version: OfferingVersion
    requester_id: int
    beneficiary_id: int
    editor_id: int
    facts: Facts
    #: What holds in the beneficiary's unit.
    unit: UnitSettings = field(default_factory=UnitSettings)


@dataclass(frozen=True, slots=True)
class RouteApprover:
    """One eligible person of a stage and why they are."""

    person_id: int
    issuer: str
    subject: str
    name: str
    relation: str
    rule: str
    #: False for who stands on a rota and is not on duty now.
    called: bool = True
    #: Whoever they decide in the place of, by a delegation; a sealed route never holds such a person.
    on_behalf_of_id: int | None = None
    on_behalf_of: str = ""


@dataclass(frozen=True, slots=True)
class RouteStage:
    """One stage, or one part of a stage, as it would be or was resolved. `target_minutes` are working minutes.

    Stages follow each other by `position`, from 1; the parts of one stage share it, and are counted from 0.
    """

    slug: str
    name: str
    quorum: int
    approvers: tuple[RouteApprover, ...]
    because: str
    target_minutes: int
    acr: str = ""
    #: On whose working hours the minutes count.
    calendar: CalendarRule = field(default_factory=CalendarRule)
    position: int = 1
    part: int = 0
    #: The name of the stage that this is a part of; empty where the stage has no parts.
    part_of: str = ""
    #: Of a stage that had agreed before the target changed: on which seal, and how many; empty for every other.
    carried: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def called(self) -> tuple[RouteApprover, ...]:
        """Who is asked if it opens now."""
        return tuple(person for person in self.approvers if person.called)

    def sealed(self) -> dict[str, Any]:
        """What the seal covers: stage, its place, quorum and the people by immutable identity."""
        carried = {"carried": dict(self.carried)} if self.carried else {}
        return {
            "position": self.position,
            "part": self.part,
            "slug": self.slug,
            "name": str(self.name),
            "part_of": str(self.part_of),
            "quorum": self.quorum,
            "acr": self.acr,
            "approvers": [
                {"issuer": person.issuer, "subject": person.subject, "rule": person.rule}
                for person in sorted(self.approvers, key=lambda person: (person.issuer, person.subject))
            ],
            **carried,
        }


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One decision as pages and evidence show it."""

    person: str
    verdict: str
    comment: str
    decided_at: datetime
    seal: str
    voided: bool


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far one stage, or one part of a stage, has come, for the request's page."""

    name: str
    state: str
    quorum: int
    approvers: tuple[str, ...]
    because: str
    opened_at: datetime | None
    due_at: datetime | None
    decisions: tuple[DecisionLine, ...]
    position: int = 1
    part: int = 0
    #: The name of the stage that this is a part of; empty where the stage has no parts.
    part_of: str = ""
    #: Whether it had agreed before the target changed, and is not asked again.
    carried: bool = False


@runtime_checkable
class Router(Protocol):
    """Resolves routes to people. Raises PortalError with a sentence when a stage resolves to nobody."""

    def preview(self, session: Session, proposal: Proposal) -> tuple[RouteStage, ...]:
        """The route that this proposal would take now; changes nothing."""
        ...

    def promised_by(self, session: Session, stages: tuple[RouteStage, ...], start: datetime) -> datetime:
        """When the last stage is due (UTC), by the approvers' working calendars, if every target is used up."""
        ...

    def outlook(
        self, session: Session, person: Person, documents: Sequence[OfferingDocument], start: datetime
    ) -> Mapping[str, datetime]:
        """When the last stage of each offering would be due (UTC), by slug, if every stage is asked.

        The person is read with their unit.
        """
        ...

    def progress(self, session: Session, request_id: int) -> tuple[StageProgress, ...]:
        """The stages of the request's current revision, with their decisions."""
        ...

    def may_see(self, session: Session, request_id: int, person_id: int) -> bool:
        """Whether the person is or was an approver of the request and may therefore see it."""
        ...

    def seen_by(self, person_id: int, at: datetime) -> Select[Any]:
        """As a subquery: the numbers of all requests that `may_see` lets the person see at this moment (aware)."""
        ...
