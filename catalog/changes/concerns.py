"""Concerns: what decides when a request may be carried out, and which windows and freezes are for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.assets.model import Asset
from catalog.changes.hours import hours_text
from catalog.changes.model import Kind, Restriction, Scope
from catalog.changes.openings import Freeze, Opening, Window, next_common_opening
from catalog.offerings.first_aid import is_emergency
from catalog.offerings.language import OfferingDocument
from catalog.offerings.rules import holds, starts_at
from catalog.requests.context import Context
from portal.core.language import every_language
from portal.identity.model import Unit

#: What people carry out by hand.
MANUAL = "manual"
#: The portal's own record, where what a request brought is ended or ends later.
RECORD = "entitlements"


@dataclass(frozen=True, slots=True)
class Concerns:
    """What is known of a request as far as windows and freezes ask.

    `units` are the beneficiary's and those of its assets, with all that these belong to. `emergency` passes windows
    and freezes; `own_window` says that the offering's window is for this request.
    """

    offering_id: int
    units: tuple[int, ...] = ()
    assets: tuple[int, ...] = ()
    own_window: bool = False
    emergency: bool = False
    #: It only ends what there is, or lets it last: ending is never put off, and what lasts must not end meanwhile.
    of_record: bool = False
    by_hand: bool = False
    starts: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """As the change keeps it."""
        return {
            "offering": self.offering_id,
            "units": list(self.units),
            "assets": list(self.assets),
            "own_window": self.own_window,
            "emergency": self.emergency,
            "of_record": self.of_record,
            "by_hand": self.by_hand,
            "starts": self.starts.isoformat() if self.starts else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Concerns:
        """Raises KeyError when a part is missing."""
        return cls(
            offering_id=value["offering"],
            units=tuple(value["units"]),
            assets=tuple(value["assets"]),
            own_window=value["own_window"],
            emergency=value["emergency"],
            of_record=value["of_record"],
            by_hand=value["by_hand"],
            starts=datetime.fromisoformat(value["starts"]) if value["starts"] else None,
        )


def concerns_of(
    session: Session,
    context: Context,
    *,
    emergency: bool | None = None,
    plans: Sequence[Mapping[str, Any]] = (),
) -> Concerns:
    """What decides when this may be carried out. Two statements, three where it names assets. Raises RuleFailed.

    `emergency` says what was decided; without it, what the answers make of it. `plans` are the sealed ones, if any.
    """
    document, facts = context.document, context.facts
    assets = _assets(session, document, context.answers)
    units = {context.beneficiary.unit_id, *(asset.unit_id for asset in assets if asset.unit_id)}
    window = document.window
    return Concerns(
        offering_id=context.version.offering_id,
        units=with_those_above(session, units),
        assets=tuple(asset.id for asset in assets),
        own_window=window is not None and (window.when is None or holds(window.when, facts)),
        emergency=is_emergency(document, facts) if emergency is None else emergency,
        of_record=bool(plans) and all(plan["connector"] == RECORD for plan in plans),
        by_hand=any(step.connector == MANUAL for step in document.fulfilment),
        starts=starts_at(document, facts),
    )


def restrictions_from(session: Session, at: datetime) -> Sequence[Restriction]:
    """Every window in force, and every freeze that is not over at this moment (aware). One statement."""
    return session.scalars(
        select(Restriction)
        .where(
            Restriction.ended_at.is_(None),
            Restriction.ends_at.is_(None) | (Restriction.ends_at > at),
        )
        .order_by(Restriction.id)
    ).all()


def opening_for(
    concerns: Concerns, document: OfferingDocument, restrictions: Iterable[Restriction], at: datetime
) -> Opening:
    """When it may be carried out, from `at` (aware) on. An emergency waits for nothing but its own start."""
    earliest = max(at, concerns.starts) if concerns.starts is not None else at
    if concerns.emergency or concerns.of_record:
        return Opening(earliest)
    mine = [restriction for restriction in restrictions if is_for(restriction, concerns)]
    if document.passes_freezes is not None:
        mine = []
    return next_common_opening(
        _scopes(concerns, document, mine),
        [*_freezes(document), *map(_freeze, _of(mine, Kind.FREEZE))],
        earliest,
    )


def is_windowed(concerns: Concerns, document: OfferingDocument, restrictions: Iterable[Restriction]) -> bool:
    """Whether it is a change of the kind that is carried out in a window only."""
    if document.passes_freezes is not None:
        return concerns.own_window
    return concerns.own_window or any(
        restriction.kind is Kind.WINDOW and is_for(restriction, concerns) for restriction in restrictions
    )


def is_for(restriction: Restriction, concerns: Concerns) -> bool:
    """Whether the window or freeze is for what this request touches."""
    match restriction.scope:
        case Scope.ALL:
            return True
        case Scope.OFFERING:
            return restriction.offering_id == concerns.offering_id
        case Scope.UNIT:
            return restriction.unit_id in concerns.units
        case Scope.ASSET:
            return restriction.asset_id in concerns.assets


def _scopes(
    concerns: Concerns, document: OfferingDocument, mine: Sequence[Restriction]
) -> list[list[Window]]:
    """The windows by what they are for: one of each must be open."""
    scopes: dict[tuple[Scope, int | None], list[Window]] = defaultdict(list)
    for one in _of(mine, Kind.WINDOW):
        key = (one.scope, one.offering_id or one.unit_id or one.asset_id)
        scopes[key].append(Window(one.name, one.timezone, tuple(one.times), one.id))
    own = document.window if concerns.own_window else None
    if own is not None:
        name = document.say(own.says) if own.says else every_language(lambda: hours_text(own.times))
        scopes[Scope.OFFERING, 0] = [Window(name, own.timezone, own.times)]
    return list(scopes.values())


def _freezes(document: OfferingDocument) -> Iterable[Freeze]:
    for rule in document.source.freezes if document.passes_freezes is None else ():
        zone = ZoneInfo(rule.timezone)
        begins, ends = (
            datetime.fromisoformat(moment).replace(tzinfo=zone).astimezone(UTC)
            for moment in (rule.begins, rule.ends)
        )
        yield Freeze(document.say(rule.reason), begins, ends)


def _freeze(restriction: Restriction) -> Freeze:
    if restriction.begins_at is None or restriction.ends_at is None:
        message = f"The freeze {restriction.id} has no beginning or no end"
        raise ValueError(message)
    return Freeze(restriction.name, restriction.begins_at, restriction.ends_at, restriction.id)


def _of(restrictions: Iterable[Restriction], kind: Kind) -> Iterable[Restriction]:
    return (restriction for restriction in restrictions if restriction.kind is kind)


def _assets(session: Session, document: OfferingDocument, answers: Mapping[str, Any]) -> Sequence[Asset]:
    named = [
        answers[field.name]["id"]
        for field in document.fields
        if field.kind == "asset" and isinstance(answers.get(field.name), Mapping)
    ]
    if not named:
        return ()
    return session.scalars(select(Asset).where(Asset.asset_id.in_(named)).order_by(Asset.id)).all()


def with_those_above(session: Session, units: Iterable[int]) -> tuple[int, ...]:
    """These units and all that they belong to. One statement."""
    above = dict(iter(session.execute(select(Unit.id, Unit.parent_id))))
    found: set[int] = set()
    waiting = list(units)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            parent = above.get(number)
            if parent is not None:
                waiting.append(parent)
    return tuple(sorted(found))
