"""The language of approval and fulfilment: stages, approvers, calendar, risk and steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from catalog.offerings.timing import StageTimes
from catalog.offerings.words import Cel, Line, Name, Part, Slug, Text, Word, WorkingTime, minutes_of

Relation = Literal["line-manager", "manager-of-manager", "unit-head"]
RiskLevel = Literal["low", "medium", "high", "critical"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Approvers(Part):
    """Who may decide in a stage: exactly one of the seven ways is given.

    `relation` is a relation to the person named by `of`; `group` a group's slug; `group_from` a CEL text that
    gives one; `owner_of` a field whose chosen value has an owning group in `resources`, or an asset field, whose
    asset's owner is asked; `owner_of_group` the person who answers for a group; `person_in` a person field, whose
    person is asked; `rota` an on-call rota, of which whoever is on duty is asked.
    """

    relation: Relation | None = None
    of: Literal["beneficiary", "requester"] = "beneficiary"
    group: Slug | None = None
    group_from: Cel | None = None
    owner_of: Name | None = None
    owner_of_group: Slug | None = None
    person_in: Name | None = None
    rota: Slug | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(getattr(self, way) is not None for way in WAYS) != 1:
            message = f"name the approvers in exactly one way: {', '.join(WAYS[:-1])} or {WAYS[-1]}"
            raise ValueError(message)
        return self


#: The ways in which approvers are named.
WAYS = ("relation", "group", "group_from", "owner_of", "owner_of_group", "person_in", "rota")
#: How many must agree: a number, `any` for one, `all` for everybody who is asked.
Quorum = Annotated[int, Field(ge=1, le=20)] | Literal["any", "all"]


@dataclass(frozen=True, slots=True)
class Ask:
    """People who are asked together: a stage without parts, or one part of a stage."""

    slug: str
    name: str
    when: str | None
    when_says: str | None
    approvers: Approvers
    quorum: int | Literal["all"]
    #: Working minutes that they may take.
    target_minutes: int
    acr: str
    text: str
    #: The name of the stage that this is a part of; empty where the stage has no parts.
    part_of: str = ""


class PartRule(Part):
    """One of several sets of people who are asked at the same time, each with a quorum of its own."""

    slug: Slug
    name: Line
    when: Cel | None = None
    when_says: Line | None = None
    approvers: Approvers
    quorum: Quorum = 1
    #: Without it, and without `acr`, what the stage says.
    target: WorkingTime | None = None
    acr: Word | None = None
    text: Text | None = None


class StageRule(StageTimes):
    """One stage: who, how many of them, how long they may take. Without `when` it is always part of the route.

    Instead of approvers a stage may have `parts`, which are all asked when it opens and must all agree.
    """

    slug: Slug
    name: Line
    when: Cel | None = None
    #: The condition in words, for the catalogue: "Where the risk is medium or higher".
    when_says: Line | None = None
    approvers: Approvers | None = None
    quorum: Quorum = 1
    target: WorkingTime = "8h"
    #: The authentication context that the stage demands of the approver's sign-in.
    acr: Word | None = None
    text: Text | None = None
    parts: tuple[PartRule, ...] = Field(default=(), max_length=8)

    @model_validator(mode="after")
    def _approvers_or_parts(self) -> Self:
        message = ""
        if self.approvers is None and not self.parts:
            message = "'approvers' is missing: say who decides, or give the stage parts"
        elif self.approvers is not None and self.parts:
            message = "a stage has either approvers or parts, and each part its own approvers"
        elif len(self.parts) == 1:
            message = "one part alone is a stage: give the stage approvers, or a second part"
        elif self.parts and self.quorum != 1:
            message = "a stage with parts has no quorum of its own: say in each part how many must agree"
        if message:
            raise ValueError(message)
        return self

    @property
    def target_minutes(self) -> int:
        """Working minutes that the stage may take."""
        return minutes_of(self.target)

    @property
    def asks(self) -> tuple[Ask, ...]:
        """The stage itself, or each of its parts; all of them are asked at the same time."""
        if self.approvers is not None:
            return (self._ask(self, self.approvers),)
        return tuple(self._ask(part, part.approvers) for part in self.parts)

    def _ask(self, part: StageRule | PartRule, approvers: Approvers) -> Ask:
        return Ask(
            slug=part.slug,
            name=part.name,
            when=part.when,
            when_says=part.when_says,
            approvers=approvers,
            quorum=1 if part.quorum == "any" else part.quorum,
            target_minutes=minutes_of(part.target or self.target),
            acr=part.acr or self.acr or "",
            text=part.text or self.text or "",
            part_of="" if part is self else self.name,
        )


class Route(Part):
    """The approval chain, in order."""

    stages: tuple[StageRule, ...] = Field(max_length=10)
    #: The group that is asked last, where nobody else can be; without it the owners of the offering.
    fallback: Slug | None = None

    @property
    def asks(self) -> tuple[Ask, ...]:
        """Everybody who may be asked, in order."""
        return tuple(ask for stage in self.stages for ask in stage.asks)


class CalendarRule(Part):
    """When people work; `approver` takes zone and holidays from the unit of whoever must decide."""

    timezone: str = "approver"
    country: str = "approver"
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    hours: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")] = (
        "09:00-17:00"
    )


class RiskReason(Part):
    """Points for one circumstance, and the sentence that says so."""

    when: Cel
    points: int = Field(ge=-1000, le=1000)
    because: Line


class RiskLevels(Part):
    """From how many points a request counts as medium, high, critical."""

    medium: int = Field(default=20, ge=1)
    high: int = Field(default=50, ge=1)
    critical: int = Field(default=90, ge=1)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.medium < self.high < self.critical:
            message = "the levels must rise: medium < high < critical"
            raise ValueError(message)
        return self


class RiskRule(Part):
    """How risk is computed: the sum of the points of every reason that holds."""

    reasons: tuple[RiskReason, ...] = ()
    levels: RiskLevels = RiskLevels()


class FromAnswer(Part):
    """A parameter that is the answer to a field, as it was checked."""

    answer: Name


class FromCel(Part):
    """A parameter that an expression computes."""

    cel: Cel


def _given_as(value: Any) -> str:
    if isinstance(value, FromCel) or (isinstance(value, dict) and "cel" in value):
        return "cel"
    return "answer" if isinstance(value, dict | FromAnswer) else "literal"


Parameter = Annotated[
    Annotated[FromAnswer, Tag("answer")]
    | Annotated[FromCel, Tag("cel")]
    | Annotated[str | int | bool | tuple[str, ...], Tag("literal")],
    Discriminator(_given_as),
]


class StepRule(Part):
    """One fulfilment step: what a connector is asked to do."""

    step: Slug
    name: Line
    connector: Slug
    action: Name
    when: Cel | None = None
    parameters: dict[Name, Parameter] = Field(default_factory=dict, alias="with")


class Ends(Part):
    """When what was ordered ends: at the close of the day in a date field, after days, or by the clock.

    `lasting` is a duration field, counted from the offering's `starts` or else from submitting.
    """

    date: Name | None = None
    days: Cel | None = None
    lasting: Name | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.date, self.days, self.lasting)) != 1:
            message = "give either date (a date field), days (an expression) or lasting (a duration field)"
            raise ValueError(message)
        return self


class TargetCheck(Part):
    """A connector that judges the answers on the live target before anybody is asked to approve.

    `wide` says what becomes of what it finds too wide: stopped, or let through to the route.
    """

    connector: Slug
    wide: Literal["stop", "allow"] = "stop"


class Resource(Part):
    """Values of a field that belong to one owner.

    `values` are RE2 patterns for the whole value; the first resource that fits counts. Where a field has
    resources, a value that fits none cannot be ordered.
    """

    #: Rules compare it, so it has no other language.
    name: Word
    values: tuple[Word, ...] = Field(min_length=1, max_length=200)
    owner: Slug
    sensitivity: Literal["normal", "sensitive", "critical"] = "normal"
