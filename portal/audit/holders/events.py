"""What happens between the portal and the holders, told to whoever stands above (see portal.wiring)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckpointMailDue:
    """A checkpoint is to be mailed to an auditor's address."""

    holder: str
    address: str
    size: int
    root: str
    note: str


@dataclass(frozen=True, slots=True)
class HolderContradicted:
    """A holder says that the ledger is another one than it was given; told once, until it takes one again."""

    holder: str
    name: str
    why: str
