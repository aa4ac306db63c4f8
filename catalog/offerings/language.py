"""The offering language: one YAML file is one `OfferingDocument`."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from catalog.offerings.fields import FormField, FromToday, OfferingForm
from catalog.offerings.policy import (
    ChangeWindow,
    Conflict,
    Denial,
    Kind,
    KindRule,
    MailTexts,
    Retention,
)
from catalog.offerings.route import CalendarRule, Ends, Resource, RiskRule, Route, StepRule, TargetCheck
from catalog.offerings.words import Cel, Line, Name, Part, Slug, Text, WorkingTime, minutes_of
from portal.core.canonical import digest


class Rule(Part):
    """A rule across fields: `check` must hold, or `message` is shown at `field`."""

    check: Cel
    message: Line
    field: Name


Example = str | int | bool | tuple[str, ...] | tuple[dict[Name, str | int], ...] | FromToday


class OfferingDocument(Part):
    """An offering as it is written, checked and published."""

    slug: Slug
    name: Line
    summary: Line
    description: Text
    category: Line
    keywords: tuple[Line, ...] = ()
    #: The group that answers for the offering's text.
    owner: Slug
    #: Who may see and order it: CEL over `requester`. Without it, everybody.
    audience: Cel | None = None
    #: The kind of change, or rules that say which.
    kind: Kind | tuple[KindRule, ...] = "normal"
    #: What the person has once it is done, and what they need at hand.
    you_get: tuple[Line, ...] = ()
    you_need: tuple[Line, ...] = ()
    #: Framework to the identifiers that a request of this offering supports.
    controls: dict[str, tuple[str, ...]] = Field(min_length=1)
    #: How it is undone, or why it cannot be; exactly one of them.
    undone: Text | None = None
    irreversible: Literal[True] | Text | None = None

    form: OfferingForm
    #: The person field that names who receives it; without it, the requester does.
    beneficiary: Name | None = None
    #: The field that holds the reason.
    reason: Name | None = None
    #: A CEL text: one line that tells this request from others of the offering.
    title: Cel
    rules: tuple[Rule, ...] = ()
    checked_by: tuple[TargetCheck, ...] = ()
    #: By field name, who owns what can be chosen there.
    resources: dict[Name, tuple[Resource, ...]] = Field(default_factory=dict)
    risk: RiskRule = RiskRule()
    conflicts: tuple[Conflict, ...] = Field(default=(), max_length=50)
    denials: tuple[Denial, ...] = Field(default=(), max_length=50)
    #: The fields whose answers make two open requests of this offering the same.
    duplicates: tuple[Name, ...] = Field(default=(), max_length=10)
    #: The field with the rollback plan, and when it must be answered; without a condition the field itself says.
    rollback: Name | None = None
    rollback_required: Cel | None = None

    route: Route
    calendar: CalendarRule = CalendarRule()
    #: Working time from submitting to done.
    target: WorkingTime
    #: When it may be carried out; without it, as soon as it is approved.
    window: ChangeWindow | None = None
    #: The date-time field before which nothing is carried out.
    starts: Name | None = None
    fulfilment: tuple[StepRule, ...] = Field(min_length=1, max_length=20)
    ends: Ends | None = None
    longest_days: int | None = Field(default=None, ge=1, le=3650)
    retention: Retention = "seven-years"
    mails: MailTexts = MailTexts()
    #: A worked example: raw answers as a person would give them.
    example: dict[Name, Example] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_how_it_is_undone(self) -> Self:
        if (self.undone is None) == (self.irreversible is None):
            message = "say either how it is undone (undone) or why it cannot be (irreversible)"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _somebody_approves(self) -> Self:
        if isinstance(self.kind, tuple):
            if not self.kind or any(rule.when is None for rule in self.kind[:-1]) or self.kind[-1].when:
                message = "of the kinds, each but the last says when, and the last counts otherwise"
                raise ValueError(message)
        elif self.kind != "standard" and not self.route.stages:
            message = "only a standard change has no stages: its published policy approves it"
            raise ValueError(message)
        return self

    @property
    def cannot_be_undone(self) -> str:
        """A sentence for approvers where it is irreversible, with the reason if one is given; else empty."""
        if self.irreversible is None:
            return ""
        why = "" if self.irreversible is True else f" {self.irreversible}"
        return f"This cannot be undone.{why}"

    @property
    def fields(self) -> tuple[FormField, ...]:
        """Every field of the form, in order."""
        return self.form.fields

    def find_field(self, name: str) -> FormField | None:
        """The field of this name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def target_minutes(self) -> int:
        """Working minutes from submitting to done."""
        return minutes_of(self.target)

    def to_json(self) -> dict[str, Any]:
        """What is kept and digested: the file's content without what equals the language's defaults.

        Leaving defaults out keeps a version's digest when the language learns a new word.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @property
    def digest(self) -> str:
        """`sha256:` over the canonical JSON of `to_json`."""
        return digest(self.to_json())
