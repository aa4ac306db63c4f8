"""What becomes of a stage that nobody decides: reminders, escalation, expiry, all in the approvers' working time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from catalog.offerings.words import MINUTES, Part, Slug, WorkingTime, minutes_of

#: Without a word in the offering: reminded at half the target and at its end, escalated after two targets.
_TARGETS_UNTIL_ESCALATION = 2
#: Without a word in the offering a stage expires after so many working days.
DAYS_UNTIL_EXPIRY = 30

Deed = Literal["add", "replace", "climb", "cancel"]


class EscalationTarget(Part):
    """Who is asked besides, or instead: exactly one of the four ways is given.

    `relation` is a relation to the person named by `of`; `group` a group's slug; `owner_of_group` the person who
    answers for a group; `rota` an on-call rota.
    """

    relation: Literal["line-manager", "manager-of-manager", "unit-head"] | None = None
    of: Literal["beneficiary", "requester"] = "beneficiary"
    group: Slug | None = None
    owner_of_group: Slug | None = None
    rota: Slug | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = (self.relation, self.group, self.owner_of_group, self.rota)
        if sum(way is not None for way in given) != 1:
            message = "name them in exactly one way: relation, group, owner_of_group or rota"
            raise ValueError(message)
        return self

    @property
    def rule(self) -> str:
        """The rule in the words of routes."""
        if self.relation is not None:
            return f"{self.relation}:{self.of}"
        if self.owner_of_group is not None:
            return f"group-owner:{self.owner_of_group}"
        return f"group:{self.group}" if self.group is not None else f"rota:{self.rota}"


class EscalationRule(Part):
    """What is done once a stage has been open for so long.

    `add` asks others besides, `replace` others instead, `climb` the next superior and then the group that answers
    for the offering, `cancel` closes the request.
    """

    after: WorkingTime
    do: Deed = "climb"
    to: EscalationTarget | None = None

    @model_validator(mode="after")
    def _to_somebody(self) -> Self:
        if self.do in {"add", "replace"} and self.to is None:
            message = f"'to' is missing: say who is asked, or let it climb instead of {self.do}"
            raise ValueError(message)
        if self.do in {"climb", "cancel"} and self.to is not None:
            message = f"'to' says nothing here: {self.do} asks nobody in particular"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True)
class Timing:
    """The same as numbers: working minutes since the stage opened."""

    reminders: tuple[int, ...]
    escalate_after: int
    do: Deed
    #: The rule of who is asked by `add` and `replace`; empty for the others.
    to: str
    expires_after: int


class StageTimes(Part):
    """The part of a stage that says what becomes of it with time."""

    #: When its approvers are reminded; an empty list for never.
    reminders: Annotated[tuple[WorkingTime, ...], Field(max_length=10)] | None = None
    escalation: EscalationRule | None = None
    expires: WorkingTime | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.expires is None:
            return self
        last = minutes_of(self.expires)
        if self.escalation is not None and minutes_of(self.escalation.after) >= last:
            message = "'escalation' comes too late: the stage has expired by then"
            raise ValueError(message)
        if any(minutes_of(reminder) >= last for reminder in self.reminders or ()):
            message = "one of the 'reminders' comes too late: the stage has expired by then"
            raise ValueError(message)
        return self

    def timing(self, target_minutes: int) -> Timing:
        """What is to happen and when, for a stage with this target in working minutes."""
        expires = minutes_of(self.expires) if self.expires else DAYS_UNTIL_EXPIRY * MINUTES["d"]
        reminders = [target_minutes // 2, target_minutes]
        if self.reminders is not None:
            reminders = [minutes_of(reminder) for reminder in self.reminders]
        escalation = self.escalation
        after = minutes_of(escalation.after) if escalation else _TARGETS_UNTIL_ESCALATION * target_minutes
        return Timing(
            reminders=tuple(sorted({minutes for minutes in reminders if 0 < minutes < expires})),
            escalate_after=after,
            do=escalation.do if escalation else "climb",
            to=escalation.to.rule if escalation and escalation.to else "",
            expires_after=expires,
        )
