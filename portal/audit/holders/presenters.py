"""Who holds what, as the page shows it: in words of the reader, times in the reader's zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from portal.audit.entries import ledger_head
from portal.audit.holders.configured import Holders
from portal.audit.holders.queries import HolderLine, holder_lines
from portal.core.clock import now
from portal.core.language import N_, _, ngettext, spoken
from portal.core.times import number


@dataclass(frozen=True, slots=True)
class HolderCard:
    """One holder. `tone` and `sign` are those of templates/macros/status.html; times are None where there is none."""

    key: str
    kind: str
    name: str
    state: str
    tone: str
    sign: str
    has: str
    held_at: datetime | None
    lacks: str
    behind_since: datetime | None
    error: str
    tries: int
    next_at: datetime | None
    contradicts_since: datetime | None


@dataclass(frozen=True, slots=True)
class HoldersPage:
    """All holders, and how far the ledger is signed."""

    now: datetime
    signed: int
    signed_at: datetime | None
    cards: Sequence[HolderCard]

    @property
    def contradicting(self) -> list[HolderCard]:
        """Those that say that the ledger is another one."""
        return [card for card in self.cards if card.contradicts_since is not None]


def holders_page(session: Session, holders: Holders, zone: ZoneInfo) -> HoldersPage:
    """A few statements, however long the ledger is."""
    head = ledger_head(session)
    return HoldersPage(
        now=now(session).astimezone(zone),
        signed=head.signed_size,
        signed_at=head.signed_at.astimezone(zone) if head.signed_at else None,
        cards=[_card(line, zone) for line in holder_lines(session, holders)],
    )


def _card(line: HolderLine, zone: ZoneInfo) -> HolderCard:
    state, tone, sign = state_of(line)
    return HolderCard(
        key=line.key,
        kind=_(line.kind),
        name=line.name,
        state=state,
        tone=tone,
        sign=sign,
        has=ngettext("%(shown)s entry", "%(shown)s entries", line.size, shown=number(line.size))
        if line.size
        else _("nothing yet"),
        held_at=_there(line.held_at, zone),
        lacks=ngettext("%(shown)s entry", "%(shown)s entries", line.lag, shown=number(line.lag))
        if line.lag
        else _("nothing"),
        behind_since=_there(line.behind_since, zone),
        error=str(spoken(line.error)),
        tries=line.tries,
        next_at=_there(line.next_at, zone),
        contradicts_since=_there(line.contradicts_since, zone),
    )


def state_of(line: HolderLine) -> tuple[str, str, str]:
    """The holder's state in a word, with its tone and sign; the gravest that is true of it."""
    graded = (
        (line.contradicts_since is not None, N_("Says otherwise"), "bad", "alert"),
        (line.late, N_("Late"), "bad", "alert"),
        (line.tries > 0, N_("Tried again"), "warn", "clock"),
        (line.on_its_way, N_("On its way"), "note", "arrow"),
        (line.lag > 0, N_("Waits for its next"), "quiet", "clock"),
        (line.size == 0, N_("Nothing to hold yet"), "quiet", "circle"),
        (True, N_("Up to date"), "good", "tick"),
    )
    return next((_(word), tone, sign) for holds, word, tone, sign in graded if holds)


def _there(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.astimezone(zone) if at else None
