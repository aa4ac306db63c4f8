"""What a replay found, as plain values that can be kept, digested, shown on a page and printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refused:
    """Requests that one rule would refuse; `already` of them are refused by the version in force as well."""

    where: str
    says: str
    count: int
    already: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """Requests of which something changes from one value to another."""

    before: str
    after: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Approvals:
    """How many approvals one group or relation gives, before and after. `rule` is in routing's words."""

    rule: str
    who: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Broken:
    """Requests whose route a stage would stop; `already` of them are stopped so by the version in force as well."""

    stage: str
    why: str
    count: int
    already: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """How many promised dates move by so many working minutes."""

    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Promise:
    """How the promised date moves, in working minutes of the requester; positive is later."""

    compared: int
    earlier: int
    same: int
    later: int
    least: int
    median: int
    most_by_90: int
    most: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """What could not be worked out again, and for how many requests."""

    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """One replay. Lists are sorted, counts are of requests; people are never named."""

    slug: str
    digest: str
    base_number: int
    base_digest: str
    as_of: str
    since: str
    limit: int
    publisher: str
    requests: int
    refused: int
    refused_already: int
    compared: int
    rules: tuple[Refused, ...]
    risks: tuple[Moved, ...]
    kinds: tuple[Moved, ...]
    routes: tuple[Moved, ...]
    routes_changed: int
    approvals: tuple[Approvals, ...]
    broken: tuple[Broken, ...]
    promise: Promise
    unknown: tuple[Unknown, ...]

    def to_json(self) -> dict[str, Any]:
        """What is kept and digested."""
        return {"format": 1, **asdict(self)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Report:
        """Raises KeyError or TypeError for what is no report of this format."""
        rest = {name: part for name, part in value.items() if name != "format"}
        lists: dict[str, Any] = {
            "rules": Refused,
            "risks": Moved,
            "kinds": Moved,
            "routes": Moved,
            "approvals": Approvals,
            "broken": Broken,
            "unknown": Unknown,
        }
        for name, kind in lists.items():
            rest[name] = tuple(kind(**_tupled(part)) for part in rest[name])
        bars = tuple(Bar(**bar) for bar in rest["promise"]["bars"])
        rest["promise"] = Promise(**{**rest["promise"], "bars": bars})
        return cls(**rest)


def _tupled(part: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in part.items()}
