"""What the connector knows of a target: its roles and accounts, apart from how they travel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """A group on the target."""

    id: str
    name: str
    external_id: str
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Account:
    """A user on the target."""

    id: str
    user_name: str
    active: bool


def same_name(left: str, right: str) -> bool:
    """Whether two user names or group names are one; SCIM compares both without case (RFC 7643 §4.1.1, §4.2)."""
    return left.casefold() == right.casefold()
