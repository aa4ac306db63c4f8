"""What the request's page and the decision card say of the time at which it is carried out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """Another change that touches the same. `reference` is empty for who may not see its request."""

    reference: str
    offering: str
    state: str
    when: str


@dataclass(frozen=True, slots=True)
class ChangeCard:
    """What the request's page and the decision card say of the time. All of it is empty where nothing is to be said."""

    planned: str = ""
    freezes: tuple[str, ...] = ()
    conflicts: tuple[ConflictLine, ...] = ()
    more: bool = False

    @property
    def shown(self) -> bool:
        """Whether there is anything."""
        return bool(self.planned or self.freezes or self.conflicts)


NOTHING = ChangeCard()
