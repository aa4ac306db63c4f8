"""What windows, freezes and planned moments are called, in the language that is spoken."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from catalog.changes.hours import hours_text
from catalog.changes.model import PlannedChange, Restriction, Scope
from catalog.requests.states import State
from portal.core.language import _, said, spoken
from portal.core.times import clock, moment, moment_plain


def scope_text(restriction: Restriction, offerings: dict[int, str]) -> str:
    """What it is for. `offerings` are the services' names by number."""
    match restriction.scope:
        case Scope.OFFERING:
            slug = restriction.offering.slug if restriction.offering else ""
            return _("The service %(name)s", name=offerings.get(restriction.offering_id or 0, slug))
        case Scope.UNIT:
            name = restriction.unit.name if restriction.unit else ""
            return _("The unit %(name)s and those below it", name=name)
        case Scope.ASSET:
            asset = restriction.asset
            return f"{asset.name} ({asset.asset_id})" if asset else ""
        case Scope.ALL:
            return _("Everything")


def window_text(restriction: Restriction) -> str:
    """Its hours with their zone."""
    return _("%(hours)s (%(zone)s)", hours=hours_text(restriction.times), zone=restriction.timezone)


def freeze_text(restriction: Restriction, zone: str) -> str:
    """From when until when, in the reader's zone."""
    if restriction.begins_at is None or restriction.ends_at is None:
        return ""
    begins, ends = (at.astimezone(ZoneInfo(zone)) for at in (restriction.begins_at, restriction.ends_at))
    return _("%(begins)s to %(ends)s", begins=moment_plain(begins), ends=moment_plain(ends))


def window_names(change: PlannedChange) -> str:
    """The windows that it lies in."""
    return ", ".join(spoken(said(name)) for name in change.windows)


def planned_text(change: PlannedChange, state: State, *, zone: str) -> str:
    """When it will be carried out, in a sentence; empty where that goes without saying."""
    if state not in {State.PENDING, State.SCHEDULED}:
        return ""
    if change.concerns.get("emergency"):
        return _(
            "It is an emergency: once approved it is carried out at once, and waits for no change window or freeze."
        )
    if change.impossible:
        return _(
            "No moment in the coming 400 days lies in every change window and outside every freeze. It is carried"
            " out once the operators have changed one of them."
        )
    if change.planned_at is None:
        return _open_now(change, zone) if state is State.PENDING else ""
    return _at(change, state, moment(change.planned_at, zone))


def _at(change: PlannedChange, state: State, at: str) -> str:
    names = window_names(change)
    if state is State.SCHEDULED and names:
        return _("It will be carried out on %(at)s, in the change window “%(window)s”.", at=at, window=names)
    if state is State.SCHEDULED:
        return _("It will be carried out on %(at)s.", at=at)
    if names:
        return _(
            "If it is approved before then, it will be carried out on %(at)s, in the change window “%(window)s”.",
            at=at,
            window=names,
        )
    return _("If it is approved before then, it will be carried out on %(at)s.", at=at)


def freezes_sentences(change: PlannedChange, state: State) -> Sequence[str]:
    """Which freezes it waits for, a sentence each; none for what no longer waits."""
    if state not in {State.PENDING, State.SCHEDULED} or change.planned_at is None:
        return ()
    return tuple(
        _("It waits for the end of a freeze: %(reason)s", reason=spoken(said(reason)))
        for reason in change.freezes
    )


def _open_now(change: PlannedChange, zone: str) -> str:
    """What is said of one that could be carried out at once; nothing where it has no window."""
    names = window_names(change)
    if not names:
        return ""
    if change.planned_until is None:
        return _(
            "Once it is approved it is carried out at once, in the change window “%(window)s”.", window=names
        )
    until = change.planned_until.astimezone(ZoneInfo(zone))
    return _(
        "If it is approved before %(until)s, it is carried out at once, in the change window “%(window)s”; after that, when the"
        " next one opens.",
        until=clock(until),
        window=names,
    )
