"""One thing looked at: what was found, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`warn`: the portal runs, something is less than it could be. `fail`: it does not do its work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """`finding` is a sentence or a version; `mend` says what to do, and is empty when nothing is to be done."""

    name: str
    state: State
    finding: str
    mend: str = ""


def ok(name: str, finding: str) -> Check:
    """Well."""
    return Check(name, State.OK, finding)


def warn(name: str, finding: str, mend: str) -> Check:
    """Less than it could be."""
    return Check(name, State.WARN, finding, mend)


def fail(name: str, finding: str, mend: str) -> Check:
    """In the way."""
    return Check(name, State.FAIL, finding, mend)
