"""Signs of decisions made without looking, in aggregate alone: nobody is named, and small groups are never shown.

Behind every figure stand at least five people and ten decisions. A group that is too small is shown with others; where
what is left would be too small, the smallest group that could be shown joins it, so that no subtraction gives it away.
Counts are rounded to tens and shares to whole per cent, and periods are whole months or longer, for the same reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from approvals.decisions.model import CardOpening, Decision
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from portal.core.language import N_, _
from portal.core.times import number
from reports.charts.bars import shares
from reports.charts.chart import Amount, Chart, Table
from reports.charts.distribution import distribution
from reports.charts.words import percent
from reports.figures.sheet import MOST_BARS, Asked, Sheet

FEWEST_PEOPLE, FEWEST_DECISIONS = 5, 10
SECONDS = timedelta(seconds=10)
_BINS: tuple[tuple[timedelta, str], ...] = (
    (SECONDS, N_("under 10 s")),
    (timedelta(seconds=30), N_("10 to 30 s")),
    (timedelta(minutes=2), N_("30 s to 2 min")),
    (timedelta(minutes=10), N_("2 to 10 min")),
    (timedelta(hours=1), N_("10 min to 1 h")),
)
_LONGER = N_("over 1 h")


@dataclass(frozen=True, slots=True)
class Made:
    """One decision. `took` is the time since its card was first opened; None where that is not known."""

    person: int
    offering: int
    unit: int
    took: timedelta | None
    #: None where the card was opened later under another seal, which hides an earlier opening.
    opened: bool | None


def care(session: Session, asked: Asked) -> Sheet:
    """One statement. The reader's own narrowing is left aside: it could single somebody out."""
    scope = replace(asked.scope, offering=None, unit=None, within=frozenset())
    made = _decisions(session, replace(asked, scope=scope, period=asked.period.whole_months()))
    return Sheet(
        counted=(
            _(
                "What this means: where many decisions are made within seconds, or without opening the card, approvals may have become a formality. Ask whether the card says too little, whether too much is sent for approval, or whether it should be a standard change."
            ),
            _(
                "What it does not mean: a quick decision can be a good one, made by somebody who knew the request from a talk or read its mail. Nothing here says anything about one person, and it is no ground to judge anybody by."
            ),
            _(
                "Behind each figure stand at least %(people)s people and %(decisions)s decisions; smaller groups are shown together with others or not at all. Counts are rounded to tens, shares to whole per cent.",
                people=FEWEST_PEOPLE,
                decisions=FEWEST_DECISIONS,
            ),
        ),
        charts=(
            _time(made),
            _quick(
                "quick-by-offering",
                _("Decided within ten seconds, by offering"),
                _("Offering"),
                made,
                lambda one: scope.offerings[one.offering],
            ),
            _quick(
                "quick-by-unit",
                _("Decided within ten seconds, by unit"),
                _("Unit"),
                made,
                lambda one: scope.units[one.unit],
            ),
            _unopened(made, lambda one: scope.offerings[one.offering]),
        ),
        beside={
            "time": (
                _(
                    "Counted from the first time that the person opened the card as it stood when they decided. The same card may have been read in a mail before."
                ),
            ),
        },
    )


def enough(made: Iterable[Made]) -> bool:
    """Whether so many people and decisions stand behind it that a figure says nothing about one of them."""
    kept = list(made)
    return len(kept) >= FEWEST_DECISIONS and len({one.person for one in kept}) >= FEWEST_PEOPLE


def in_groups(made: Sequence[Made], name: Callable[[Made], str]) -> Mapping[str, Sequence[Made]]:
    """The decisions by name, with those of groups that are too small under one; nothing where even that is too small."""
    found: dict[str, list[Made]] = {}
    for one in made:
        found.setdefault(name(one), []).append(one)
    shown = {group: kept for group, kept in found.items() if enough(kept)}
    rest = [one for group, kept in found.items() if group not in shown for one in kept]
    while rest and not enough(rest):
        if not shown:
            return {}
        smallest = min(shown, key=lambda group: (len(shown[group]), group))
        rest += shown.pop(smallest)
    if not rest:
        return shown
    return {**shown, _("All others") if shown else _("All together"): rest}


def _decisions(session: Session, asked: Asked) -> list[Made]:
    rows = session.execute(
        select(
            Decision.person_id,
            OfferingVersion.offering_id,
            Request.unit_id,
            Decision.decided_at,
            Decision.seal,
            CardOpening.seal,
            CardOpening.opened_at,
        )
        .join(Request, Request.id == Decision.request_id)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .outerjoin(
            CardOpening,
            and_(CardOpening.request_id == Decision.request_id, CardOpening.person_id == Decision.person_id),
        )
        .where(
            Decision.decided_at >= asked.period.begins,
            Decision.decided_at < asked.period.until,
            asked.scope.condition(),
        )
        .order_by(Decision.id)
    )
    made = []
    for person, offering, unit, decided_at, seal, seen, opened_at in rows:
        took, opened = None, None
        if opened_at is None:
            opened = False
        elif opened_at <= decided_at:
            opened = seen == seal
            took = decided_at - opened_at if opened else None
        made.append(Made(person, offering, unit, took, opened))
    return made


def _about(count: int) -> str:
    """A count to the ten below."""
    return number(count // 10 * 10)


def _whole(share: float) -> float:
    return round(share, 2)


def _too_few() -> str:
    return _(
        "Too few decisions or too few people in this period to show anything without showing somebody in particular."
    )


def _time(made: Sequence[Made]) -> Chart:
    timed = [one for one in made if one.took is not None]
    heading = _("Time from opening the card to deciding")
    if not enough(timed):
        return distribution("time", heading, _too_few(), (), measured=_("Share"))
    found = Counter(_bin(one.took) for one in timed if one.took is not None)
    names = [*(_(name) for _end, name in _BINS), _(_LONGER)]
    return distribution(
        "time",
        heading,
        _(
            "%(share)s of about %(number)s decisions were made within ten seconds of opening the card.",
            share=percent(_whole(found[0] / len(timed))),
            number=_about(len(timed)),
        ),
        [Amount(name, _whole(found[at] / len(timed))) for at, name in enumerate(names)],
        measured=_("Share of decisions"),
        label=_("Time"),
        spoken=percent,
    )


def _bin(took: timedelta) -> int:
    return next((at for at, (end, _name) in enumerate(_BINS) if took < end), len(_BINS))


def _quick(key: str, heading: str, label: str, made: Sequence[Made], name: Callable[[Made], str]) -> Chart:
    timed = [one for one in made if one.took is not None]
    return _shares(
        key, heading, label, in_groups(timed, name), lambda one: one.took is not None and one.took < SECONDS
    )


def _unopened(made: Sequence[Made], name: Callable[[Made], str]) -> Chart:
    known = [one for one in made if one.opened is not None]
    return _shares(
        "unopened",
        _("Decided without opening the card"),
        _("Offering"),
        in_groups(known, name),
        lambda one: not one.opened,
    )


def _shares(
    key: str, heading: str, label: str, groups: Mapping[str, Sequence[Made]], sign: Callable[[Made], bool]
) -> Chart:
    share = {group: _whole(sum(map(sign, kept)) / len(kept)) for group, kept in groups.items()}
    ordered = sorted(share, key=lambda group: (-share[group], group))
    finding = _too_few()
    if ordered:
        finding = _(
            "Most often for %(name)s: %(share)s of about %(number)s decisions.",
            name=ordered[0],
            share=percent(share[ordered[0]]),
            number=_about(len(groups[ordered[0]])),
        )
        if not share[ordered[0]]:
            finding = _("Hardly any decision was made this way.")
    return shares(
        key,
        heading,
        finding,
        [Amount(group, share[group]) for group in ordered[:MOST_BARS]],
        measured=_("Share of decisions"),
        table=Table(
            (label, (_("Decisions, about"), "number"), (_("Share"), "number")),
            tuple((group, _about(len(groups[group])), percent(share[group])) for group in ordered),
        ),
    )
