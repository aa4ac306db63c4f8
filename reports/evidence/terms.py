"""The words of which evidence documents are made, and what they say of things that are or were live."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Moment = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$",
        json_schema_extra={"format": "date-time"},
    ),
]
PersonRef = Annotated[str, Field(pattern=r"^person:[1-9]\d*$")]
#: A text that the portal wrote itself: plain, or in several languages by their code, English always among them.
Kept = str | dict[str, str]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """One part of the document: no unknown key, no guessed type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EntitlementPart(Part):
    """What is live because of the request, and until when. `step_key` is the step that brought it."""

    id: Count
    step_key: Digest
    holder: PersonRef
    connector: str
    target: str
    key: str
    label: Kept
    state: str
    granted_at: Moment
    ends_at: Moment | None
    ended_at: Moment | None
    end_reason: Kept


class TargetReadingPart(Part):
    """How much of a target was explained when it was last read: so many of the live things that it showed.

    `was_read` is false where it did not answer; then nothing is known of it.
    """

    connector: str
    read_at: Moment
    was_read: bool
    live: Count
    explained: Count
