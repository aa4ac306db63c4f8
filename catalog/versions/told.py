"""A replay's result in sentences and tables, for the page and the terminal alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.versions.report import Report
from catalog.versions.tally import DAY, HOUR
from portal.core import times
from portal.core.language import _, ngettext

Rows = tuple[tuple[str | int, ...], ...]
#: References shown with one finding; the result keeps more.
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Table:
    """A finding of several lines. Columns are names, or a name and `number`."""

    title: str
    columns: tuple[str | tuple[str, str], ...]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Told:
    """`summary` are the answers in a line each, in the order in which they are asked."""

    summary: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    unknown: tuple[str, ...]
    basis: str


def told(report: Report) -> Told:
    """The result as people read it."""
    return Told(_summary(report), _tables(report), _unknown(report), _basis(report))


def _basis(report: Report) -> str:
    if not report.base_number:
        return _("This offering has no version yet, so there are no past requests to replay.")
    return _(
        "%(which)s (%(count)s), held against version %(version)s, which is in "
        "force. Both are worked out with the people, groups and managers of now, so that every difference comes from "
        "the text. Requests in flight keep the version that they were made with.",
        which=_which(report),
        count=times.number(report.requests),
        version=report.base_number,
    )


def _which(report: Report) -> str:
    since, limit = report.since[:10], times.number(report.limit)
    if report.limit and since:
        return _("The latest %(limit)s requests since %(day)s", limit=limit, day=since)
    if report.limit:
        return _("The latest %(limit)s requests", limit=limit)
    return _("Every past request since %(day)s", day=since) if since else _("Every past request")


def _summary(report: Report) -> tuple[tuple[str, str], ...]:
    if not report.compared:
        return (
            (_("Refused"), _refused(report)),
            (_("Everything else"), _("There is no request to compare.")),
        )
    gained = sum(one.after - one.before for one in report.approvals)
    broken = sum(one.count for one in report.broken)
    return (
        (_("Refused"), _refused(report)),
        (_("Another risk"), _count(sum(one.count for one in report.risks), report.compared)),
        (_("Another route"), _count(report.routes_changed, report.compared)),
        (_("Approvals"), _("%(count)s altogether", count=_signed(gained)) if gained else _("As many as now")),
        (
            _("Separation of duties"),
            ngettext("%(number)s request would stop", "%(number)s requests would stop", broken)
            if broken
            else _("Every route can be filled"),
        ),
        (_("Promised date"), _promise(report)),
    )


def _refused(report: Report) -> str:
    if not report.refused:
        return _("None")
    text = _count(report.refused, report.requests)
    if report.refused_already:
        text = _(
            "%(refused)s; %(already)s of them by the version in force as well",
            refused=text,
            already=times.number(report.refused_already),
        )
    return text


def _promise(report: Report) -> str:
    moves = report.promise
    if not moves.compared or moves.same == moves.compared:
        return _("As now")
    return _(
        "%(later)s later, %(earlier)s earlier, %(same)s as now; "
        "half of them move by %(median)s or less, nine of ten by %(most)s or less",
        later=times.number(moves.later),
        earlier=times.number(moves.earlier),
        same=times.number(moves.same),
        median=minutes_text(moves.median),
        most=minutes_text(moves.most_by_90),
    )


def _tables(report: Report) -> tuple[Table, ...]:
    number = (_("Requests"), "number")
    tables = (
        Table(
            _("Which would be refused, and by what"),
            (_("Rule"), _("What it says"), number, (_("Already so"), "number"), _("Such as")),
            tuple((one.where, one.says, one.count, one.already, _such(one.examples)) for one in report.rules),
        ),
        Table(
            _("Whose risk changes"),
            (_("From"), _("To"), number, _("Such as")),
            tuple((one.before, one.after, one.count, _such(one.examples)) for one in report.risks),
        ),
        Table(
            _("Whose kind of change is another"),
            (_("From"), _("To"), number, _("Such as")),
            tuple((one.before, one.after, one.count, _such(one.examples)) for one in report.kinds),
        ),
        Table(
            _("Whose route changes"),
            (_("From"), _("To"), number, _("Such as")),
            tuple((one.before, one.after, one.count, _such(one.examples)) for one in report.routes),
        ),
        Table(
            _("How many approvals each would give"),
            (_("Who"), (_("Now"), "number"), (_("Then"), "number"), (_("Difference"), "number")),
            tuple(
                (one.who, one.before, one.after, _signed(one.after - one.before)) for one in report.approvals
            ),
        ),
        Table(
            _("Where the separation of duties breaks"),
            (_("Stage"), _("Why"), number, (_("Already so"), "number"), _("Such as")),
            tuple((one.stage, one.why, one.count, one.already, _such(one.examples)) for one in report.broken),
        ),
        Table(
            _("How the promised date moves"),
            (_("By how much"), number),
            tuple((bar.label, bar.count) for bar in report.promise.bars),
        ),
    )
    return tuple(table for table in tables if table.rows)


def _unknown(report: Report) -> tuple[str, ...]:
    said = []
    for one in report.unknown:
        text = one.what[:1].upper() + one.what[1:]
        said.append(f"{text}." if one.count == report.requests else f"{text} ({_requests(one.count)}).")
    if not report.publisher:
        said.append(
            _("Who publishes: a publisher approves nothing of their version, and here nobody was taken out.")
        )
    return tuple(said)


def minutes_text(minutes: int) -> str:
    """Working minutes as people say them: `1.5 working days later`, `2 working hours earlier`."""
    if not minutes:
        return _("nothing")
    size = abs(minutes)
    unit = next(unit for unit in (DAY, HOUR, 1) if size >= unit)
    count = round(size / unit, 1)
    told = times.number(count)
    whole = 1 if count == 1 else 2
    if unit == DAY:
        text = ngettext("%(count)s working day", "%(count)s working days", whole, count=told)
    elif unit == HOUR:
        text = ngettext("%(count)s working hour", "%(count)s working hours", whole, count=told)
    else:
        text = ngettext("%(count)s working minute", "%(count)s working minutes", whole, count=told)
    return _("%(time)s later", time=text) if minutes > 0 else _("%(time)s earlier", time=text)


def _signed(count: int) -> str:
    return f"{'+' if count > 0 else '-' if count else '+'}{times.number(abs(count))}"


def _requests(count: int) -> str:
    return ngettext("%(count)s request", "%(count)s requests", count, count=times.number(count))


def _count(count: int, of: int) -> str:
    if not count:
        return _("None")
    if count * 200 < of:
        return _("%(requests)s (less than 1 %%)", requests=_requests(count))
    share = f"{count * 100 / of:.0f}"
    return _("%(requests)s (%(share)s %%)", requests=_requests(count), share=share)


def _such(examples: Sequence[str]) -> str:
    return ", ".join(examples[:SHOWN])
