"""A replay's result in sentences and tables, for the page and the terminal alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.versions.report import Report
from catalog.versions.tally import DAY, HOUR

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
        return "This offering has no version yet, so there are no past requests to replay."
    which = "every past request" if not report.limit else f"the latest {report.limit:,} requests"
    since = f" since {report.since[:10]}" if report.since else ""
    return (
        f"{which.capitalize()}{since} ({report.requests:,}), held against version {report.base_number}, which is in "
        "force. Both are worked out with the people, groups and managers of now, so that every difference comes from "
        "the text. Requests in flight keep the version that they were made with."
    )


def _summary(report: Report) -> tuple[tuple[str, str], ...]:
    if not report.compared:
        return (("Refused", _refused(report)), ("Everything else", "There is no request to compare."))
    gained = sum(one.after - one.before for one in report.approvals)
    broken = sum(one.count for one in report.broken)
    return (
        ("Refused", _refused(report)),
        ("Another risk", _count(sum(one.count for one in report.risks), report.compared)),
        ("Another route", _count(report.routes_changed, report.compared)),
        ("Approvals", f"{gained:+,} altogether" if gained else "As many as now"),
        (
            "Separation of duties",
            f"{_requests(broken)} would stop" if broken else "Every route can be filled",
        ),
        ("Promised date", _promise(report)),
    )


def _refused(report: Report) -> str:
    if not report.refused:
        return "None"
    text = _count(report.refused, report.requests)
    if report.refused_already:
        text += f"; {report.refused_already:,} of them by the version in force as well"
    return text


def _promise(report: Report) -> str:
    moves = report.promise
    if not moves.compared or moves.same == moves.compared:
        return "As now"
    return (
        f"{moves.later:,} later, {moves.earlier:,} earlier, {moves.same:,} as now; "
        f"half of them move by {minutes_text(moves.median)} or less, nine of ten by {minutes_text(moves.most_by_90)} or less"
    )


def _tables(report: Report) -> tuple[Table, ...]:
    number = ("Requests", "number")
    tables = (
        Table(
            "Which would be refused, and by what",
            ("Rule", "What it says", number, ("Already so", "number"), "Such as"),
            tuple((one.where, one.says, one.count, one.already, _such(one.examples)) for one in report.rules),
        ),
        Table(
            "Whose risk changes",
            ("From", "To", number, "Such as"),
            tuple((one.before, one.after, one.count, _such(one.examples)) for one in report.risks),
        ),
        Table(
            "Whose kind of change is another",
            ("From", "To", number, "Such as"),
            tuple((one.before, one.after, one.count, _such(one.examples)) for one in report.kinds),
        ),
        Table(
            "Whose route changes",
            ("From", "To", number, "Such as"),
            tuple((one.before, one.after, one.count, _such(one.examples)) for one in report.routes),
        ),
        Table(
            "How many approvals each would give",
            ("Who", ("Now", "number"), ("Then", "number"), ("Difference", "number")),
            tuple(
                (one.who, one.before, one.after, f"{one.after - one.before:+,}") for one in report.approvals
            ),
        ),
        Table(
            "Where the separation of duties breaks",
            ("Stage", "Why", number, ("Already so", "number"), "Such as"),
            tuple((one.stage, one.why, one.count, one.already, _such(one.examples)) for one in report.broken),
        ),
        Table(
            "How the promised date moves",
            ("By how much", number),
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
            "Who publishes: a publisher approves nothing of their version, and here nobody was taken out."
        )
    return tuple(said)


def minutes_text(minutes: int) -> str:
    """Working minutes as people say them: `1.5 working days later`, `2 working hours earlier`."""
    if not minutes:
        return "nothing"
    size = abs(minutes)
    for unit, word in ((DAY, "day"), (HOUR, "hour"), (1, "minute")):
        if size >= unit:
            count = round(size / unit, 1)
            text = f"{count:g} working {word}{'' if count == 1 else 's'}"
            return f"{text} {'later' if minutes > 0 else 'earlier'}"
    return "nothing"


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count:,} requests"


def _count(count: int, of: int) -> str:
    if not count:
        return "None"
    share = f"{count * 100 / of:.0f} %" if count * 200 >= of else "less than 1 %"
    return f"{_requests(count)} ({share})"


def _such(examples: Sequence[str]) -> str:
    return ", ".join(examples[:SHOWN])
