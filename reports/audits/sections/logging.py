"""Completeness of logging: the entries between the two heads, their numbers and times, and how soon they were signed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.checkpoint import EVERY
from portal.audit.holders.model import HolderState
from portal.audit.model import Checkpoint, Entry
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    moment,
)
from reports.evidence.terms import Count, Moment, Part

#: A head that is signed later than this after the first entry that it is the first to cover counts as late.
LATE = 2 * EVERY


class TagLine(Part):
    """How many entries have a tag."""

    tag: str
    entries: Count


class HolderLine(Part):
    """Who holds heads outside of the database: the largest that it has, and since when; `given` may not have arrived."""

    holder: str
    size: Count
    held_at: Moment | None
    given: Count
    contradicts_since: Moment | None


class Facts(Part):
    """The ledger between the two heads. Delays are seconds from an entry to the first head that covers it.

    `missing` numbers are those that no entry has; `backwards` are entries earlier than the one before them.
    """

    first: Count
    last: Count
    first_at: Moment | None
    last_at: Moment | None
    missing: Count
    backwards: Count
    heads: Count
    longest_delay: Count
    longest_delay_head: Count
    late_heads: Count
    most_entries: Count
    tags: tuple[TagLine, ...]
    holders: tuple[HolderLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """Five statements; heads are read one after another, not kept."""
    mine = (Entry.number > scope.before_size, Entry.number <= scope.after_size)
    count, first_at, last_at = session.execute(
        select(func.count(), func.min(Entry.at), func.max(Entry.at)).where(*mine)
    ).one()
    ordered = (
        select(Entry.at, func.lag(Entry.at).over(order_by=Entry.number).label("before"))
        .where(*mine)
        .subquery()
    )
    backwards = session.scalar(
        select(func.count()).select_from(ordered).where(ordered.c.at < ordered.c.before)
    )
    tags = session.execute(
        select(Entry.tag, func.count()).where(*mine).group_by(Entry.tag).order_by(Entry.tag)
    )
    heads = late = most = longest_head = 0
    longest = timedelta()
    for size, before, signed, written in _heads(session, scope):
        heads += 1
        most = max(most, size - before)
        delay = signed - written
        late += delay > LATE
        if delay > longest:
            longest, longest_head = delay, size
    return Facts(
        first=scope.before_size + 1,
        last=scope.after_size,
        first_at=moment(first_at),
        last_at=moment(last_at),
        missing=max(0, scope.after_size - scope.before_size - count),
        backwards=backwards or 0,
        heads=heads,
        longest_delay=int(longest.total_seconds()),
        longest_delay_head=longest_head,
        late_heads=late,
        most_entries=most,
        tags=tuple(TagLine(tag=tag, entries=number) for tag, number in tags),
        holders=tuple(
            HolderLine(
                holder=holder.key,
                size=holder.size,
                held_at=moment(holder.held_at),
                given=holder.given,
                contradicts_since=moment(holder.contradicts_since),
            )
            for holder in session.scalars(select(HolderState).order_by(HolderState.key))
        ),
    )


def _heads(session: Session, scope: Scope) -> list[tuple[int, int, datetime, datetime]]:
    """Each head with the one before it, when it was signed, and when the first entry that only it covers was written."""
    signed = (
        select(
            Checkpoint.size,
            Checkpoint.at,
            func.lag(Checkpoint.size, 1, 0).over(order_by=Checkpoint.size).label("before"),
        )
        .where(Checkpoint.size >= scope.before_size, Checkpoint.size <= scope.after_size)
        .subquery()
    )
    rows = session.execute(
        select(signed.c.size, signed.c.before, signed.c.at, Entry.at)
        .join(Entry, Entry.number == signed.c.before + 1)
        .where(signed.c.size > scope.before_size)
        .order_by(signed.c.size)
    )
    return [(size, before, at, written) for size, before, at, written in rows]
