"""What the inbox shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from approvals.decisions.filters import Filter
from approvals.decisions.queries import EVERYTHING, PAGE, choices_for, decided_by, requests_awaiting
from catalog.offerings.called import names_of
from portal.core.clock import now
from portal.core.language import _
from portal.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One request that waits for the reader. Times are in their zone."""

    reference: str
    title: str
    offering: str
    stage: str
    who: str
    risk: str
    due_at: datetime
    late: bool
    missed: bool
    #: What choosing it for a decision on many sends; empty until its card was opened as it is now.
    choice: str
    asked: bool


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """One decision that the reader made."""

    reference: str
    title: str
    decision: str
    decided_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """The inbox of one reader; `next` is what the next page starts after, empty on the last."""

    waiting: tuple[WaitingRow, ...]
    decided: tuple[DecidedRow, ...]
    next: str
    first: bool
    now: datetime
    only: Filter
    #: What it can be filtered by, as (slug, name).
    offerings: tuple[tuple[str, str], ...]
    units: tuple[tuple[str, str], ...]

    @property
    def choosable(self) -> bool:
        """Whether anything on this page may be decided together."""
        return any(row.choice for row in self.waiting)


def inbox_of(
    session: Session,
    actor: Actor,
    *,
    after: tuple[datetime, int] | None = None,
    only: Filter = EVERYTHING,
) -> Inbox:
    """What waits for the actor and, on the first page, what they decided lately. Three statements."""
    zone = ZoneInfo(actor.timezone)
    at = now(session)
    rows = requests_awaiting(session, actor, after=after, only=only)
    shown = rows[:PAGE]
    choices = choices_for(session, actor)
    called = names_of(
        session,
        (
            *((row.digest, row.offering) for row in shown),
            *((choice.digest, choice.offering_name) for choice in choices),
        ),
    )
    return Inbox(
        waiting=tuple(
            WaitingRow(
                reference=row.reference,
                title=row.title,
                offering=called[row.digest],
                stage=row.stage,
                who=row.requester
                if row.requester == row.beneficiary
                else _(
                    "%(requester)s for %(beneficiary)s", requester=row.requester, beneficiary=row.beneficiary
                ),
                risk=row.risk,
                due_at=row.due_at.astimezone(zone),
                late=row.due_at < at,
                missed=row.missed_at is not None,
                choice=f"{row.reference} {row.seal}" if row.seen else "",
                asked=row.asked,
            )
            for row in shown
        ),
        decided=tuple(
            DecidedRow(
                reference=row.reference,
                title=row.title,
                decision="void" if row.voided_at else row.verdict.value,
                decided_at=row.decided_at.astimezone(zone),
                state=row.state.value,
            )
            for row in (decided_by(session, actor) if after is None else ())
        ),
        next=f"{shown[-1].due_at.isoformat()}~{shown[-1].stage_id}" if len(rows) > PAGE else "",
        first=after is None,
        now=at.astimezone(zone),
        only=only,
        offerings=_sorted((choice.offering, called[choice.digest]) for choice in choices),
        units=_sorted((choice.unit, choice.unit_name) for choice in choices),
    )


def _sorted(choices: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Each slug once, with one of its names, by name."""
    return tuple(sorted(dict(choices).items(), key=lambda choice: choice[1].casefold()))
