"""Fields that name one thing of a known form: an address, a host, a group, a unit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from catalog.offerings.questions import Question, TextDefault
from catalog.offerings.words import Slug


class EmailField(Question):
    """One mail address."""

    kind: Literal["email"]
    default: TextDefault | None = None
    at_most: int = Field(default=254, ge=6, le=254)


class HostNameField(Question):
    """One host name, whole."""

    kind: Literal["host_name"]
    default: str | None = None


class GroupField(Question):
    """A group of the organisation; the answer is its slug."""

    kind: Literal["group"]
    default: Slug | None = None


class UnitField(Question):
    """A unit of the organisation; the answer is its slug. `own` begins with the unit of whoever asks."""

    kind: Literal["unit"]
    own: bool = False
