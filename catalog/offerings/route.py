"""The language of approval and fulfilment: stages, approvers, calendar, risk and steps."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from catalog.offerings.words import Cel, Line, Name, Part, Slug, Text, Word, WorkingTime, minutes_of

Relation = Literal["line-manager", "manager-of-manager", "unit-head"]
RiskLevel = Literal["low", "medium", "high", "critical"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Approvers(Part):
    """Who may decide in a stage: exactly one of the five ways is given.

    `relation` is a relation to the person named by `of`; `group` a group's slug; `group_from` a CEL text that
    gives one; `owner_of` a field whose chosen value has an owning group in `resources`; `owner_of_group` the
    person who answers for a group.
    """

    relation: Relation | None = None
    of: Literal["beneficiary", "requester"] = "beneficiary"
    group: Slug | None = None
    group_from: Cel | None = None
    owner_of: Name | None = None
    owner_of_group: Slug | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [self.relation, self.group, self.group_from, self.owner_of, self.owner_of_group]
        if sum(way is not None for way in given) != 1:
            message = "name the approvers in exactly one way: relation, group, group_from, owner_of or owner_of_group"
            raise ValueError(message)
        return self


class StageRule(Part):
    """One stage: who, how many of them, how long they may take. Without `when` it is always part of the route."""

    slug: Slug
    name: Line
    when: Cel | None = None
    #: The condition in words, for the catalogue: "Where the risk is medium or higher".
    when_says: Line | None = None
    approvers: Approvers
    quorum: Annotated[int, Field(ge=1, le=20)] | Literal["all"] = 1
    target: WorkingTime = "8h"
    #: The authentication context that the stage demands of the approver's sign-in.
    acr: Word | None = None
    text: Text | None = None

    @property
    def target_minutes(self) -> int:
        """Working minutes that the stage may take."""
        return minutes_of(self.target)


class Route(Part):
    """The approval chain, in order."""

    stages: tuple[StageRule, ...] = Field(max_length=10)


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
