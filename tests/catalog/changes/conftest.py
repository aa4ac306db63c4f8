"""The shelves of requests with the change calendar around them, and windows and freezes to set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from catalog.assets.model import Asset
from catalog.changes import moving, reactions, telling
from catalog.changes.model import Kind, PlannedChange, Restriction, Scope
from catalog.changes.scheduling import find_change
from catalog.requests import events
from portal.identity.model import Group, Unit
from tests.fixtures_requests import OFFERING, Shelves, add_offering

#: Offers one asset besides the word.
SECTIONS = OFFERING["form"]["sections"]
WITH_ASSET: dict[str, Any] = {
    **OFFERING,
    "form": {
        "sections": [
            {
                **SECTIONS[0],
                "fields": [
                    *SECTIONS[0]["fields"],
                    {"name": "system", "kind": "asset", "label": "System", "required": False},
                ],
            }
        ]
    },
}
EVENINGS = {"timezone": "Europe/Berlin", "times": ["tue 20:00-23:00", "thu 20:00-23:00"]}


@dataclass
class Calendar:
    """The shelves, and what the calendar knows of their requests."""

    shelves: Shelves
    cast: Any
    clock: Any
    actor_of: Callable[..., Any]

    def offer(self, **changes: Any) -> None:
        """Publish the offering with these parts."""
        with self.shelves.db.transaction() as session:
            self.shelves.version_id = add_offering(
                session, {**WITH_ASSET, **changes}, publisher_id=self.cast.operator
            )

    def restrict(self, kind: Kind, **parts: Any) -> int:
        """Write a window or freeze down as it is after it was set; gives its number."""
        row = {"name": "Evenings", "scope": Scope.ALL, "timezone": "Europe/Berlin", **parts}
        with self.shelves.db.transaction() as session:
            found = Restriction(kind=kind, set_by_id=self.cast.operator, set_at=self.clock(), **row)
            session.add(found)
            session.flush()
            moving.move_soon(session, f"test:{found.id}")
            return found.id

    def window(self, *times: str, **parts: Any) -> int:
        """A window in Berlin."""
        return self.restrict(Kind.WINDOW, times=list(times), **parts)

    def freeze(self, begins: str, ends: str, **parts: Any) -> int:
        """A freeze between two moments in UTC."""
        moments = [datetime.fromisoformat(f"{text}+00:00") for text in (begins, ends)]
        return self.restrict(
            Kind.FREEZE, **{"name": "Year-end", "begins_at": moments[0], "ends_at": moments[1], **parts}
        )

    def change(self, request_id: int) -> PlannedChange:
        """Its place in the calendar."""
        with self.shelves.db.reading() as session:
            found = find_change(session, request_id)
            assert found is not None
            return found

    def mails(self, event: str) -> list[int | None]:
        """Who was written to of this event, in order."""
        return [person for name, person in self.shelves.mails() if name == event]


@pytest.fixture
def calendar(shelves: Shelves, cast: Any, clock: Any, actor_of: Callable[..., Any]) -> Calendar:
    """With one asset, APP-001, that the owners of the CRM answer for and the unit Lisbon uses."""
    handlers: Any = shelves.db.handlers
    handlers[events.RequestPlanned].append(reactions.on_planned)
    handlers[events.FulfilmentStarting].append(reactions.on_starting)
    handlers[events.RequestFulfilled].append(reactions.on_fulfilled)
    handlers[events.RequestFailed].append(reactions.on_failed)
    handlers[events.RequestWithdrawn].append(reactions.on_withdrawn)
    handlers[events.RequestReplanned].append(reactions.on_replanned)
    with shelves.db.transaction() as session:
        group = session.query(Group).filter_by(slug="crm-owners").one()
        session.add(
            Asset(
                asset_id="APP-001",
                name="Customer system",
                kind="application",
                owner_group_id=group.id,
                criticality="high",
                addresses=[],
                unit_id=session.query(Unit).filter_by(slug="lisbon").one().id,
            )
        )
    made = Calendar(shelves, cast, clock, actor_of)
    made.offer()
    work = {moving.MOVE: moving.move_changes, telling.WARN: telling.warn_of_change}
    shelves.work = partial(shelves.work, **work)  # type: ignore[method-assign]
    return made
