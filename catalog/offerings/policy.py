"""The language of policy: what kind of change it is, when it may happen, what it must not meet, what is said."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from catalog.offerings.route import RiskLevel
from catalog.offerings.words import Cel, Line, Name, Part, Text

#: ITIL's kinds of change.
Kind = Literal["standard", "normal", "emergency"]
#: How long what was asked, decided and done is kept after it has ended.
Retention = Literal["one-year", "three-years", "seven-years", "ten-years"]
#: Days after which it is asked again whether it is still needed, such as `180d`.
Recertify = Annotated[str, Field(pattern=r"^(never|[1-9][0-9]{0,3}d)$")]
#: A weekday with hours such as `sat 22:00-04:00`, or one of the month such as `2nd sat 22:00-04:00` and
#: `last sun 02:00-06:00`; one that ends at or before its start runs over midnight.
TIMES = (
    r"^((1st|2nd|3rd|4th|last) )?(mon|tue|wed|thu|fri|sat|sun) "
    r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"
)
Times = Annotated[str, Field(pattern=TIMES)]
#: A day and a time of day by the clock of a time zone, such as `2026-12-20 18:00`.
LocalTime = Annotated[
    str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]) ([01][0-9]|2[0-3]):[0-5][0-9]$")
]


class KindRule(Part):
    """One kind and when it is; the first that holds counts, and the last has no `when`."""

    kind: Kind
    when: Cel | None = None


class ChangeWindow(Part):
    """When what was approved may be carried out; it waits for the next window. `when` says for which requests."""

    timezone: str
    times: tuple[Times, ...] = Field(min_length=1, max_length=21)
    when: Cel | None = None
    says: Line | None = None


class FreezeRule(Part):
    """A time in which nothing of this offering is carried out, unless it is an emergency, and why."""

    begins: LocalTime = Field(alias="from")
    ends: LocalTime = Field(alias="until")
    timezone: str
    reason: Line

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for moment in (self.begins, self.ends):
            try:
                datetime.fromisoformat(moment)
            except ValueError:
                message = f"there is no day {moment[:10]}"
                raise ValueError(message) from None
        if self.ends <= self.begins:
            message = "a freeze ends after it has begun"
            raise ValueError(message)
        return self


class Conflict(Part):
    """What must not come together with what the beneficiary has already (`held`), or only with more eyes on it.

    `refuse` stops the request with the message; `raise` adds the points to the risk and tells the approvers.
    """

    when: Cel
    then: Literal["refuse", "raise"]
    points: int = Field(default=0, ge=0, le=1000)
    message: Line
    field: Name | None = None

    @model_validator(mode="after")
    def _points_raise(self) -> Self:
        if self.then == "refuse" and self.points:
            message = "a conflict that refuses has no points; say then: raise, or leave the points out"
            raise ValueError(message)
        return self


class Denial(Part):
    """What the portal itself says no to, before anybody is asked."""

    when: Cel
    message: Line


class SignatureRule(Part):
    """From which risk level on a decision, either way, must be signed with the approver's own passkey (WebAuthn)."""

    passkey_from: RiskLevel


class MailTexts(Part):
    """What the offering's owner adds to the mails of its requests, by event."""

    approval: Text | None = None
    approved: Text | None = None
    fulfilled: Text | None = None
    rejected: Text | None = None
    refused: Text | None = None
    failed: Text | None = None
    ending: Text | None = None
    ended: Text | None = None
