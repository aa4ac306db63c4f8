"""The drawn timeline: who held the request when, as an SVG by hand. Shapes differ, so it reads without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Literal

from babel.dates import format_date

from catalog.requests import tags
from portal.core.language import N_, _, language, locale
from reports.evidence.document import Evidence
from reports.evidence.offering import offering_text
from reports.evidence.words import spoken_span, spoken_time

Shape = Literal["dot", "square", "tick", "cross", "ring"]
PORTAL, TARGET, REQUESTER = "Countersign", N_("Target"), N_("Requester")
#: Millimetres: the drawing's width, the names' column, a lane's height.
WIDTH, NAMES, LANE, HEAD, FOOT = 170.0, 30.0, 11.0, 4.0, 12.0
#: Millimetres from a mark's middle to its word.
ABOVE, BELOW, ASIDE = -2.9, 4.4, 2.0
#: Millimetres that a letter of such a word takes, on average and a little more.
LETTER = 1.35
MOST_A_ROW = 11
LONGEST_NAME = 20
#: A day in little space, in CLDR's letters.
_DAY = {"de": "d. MMM"}

#: Tag to lane (empty: the stage's), words and shape. What is not here is in the list of entries, not in the drawing.
_DRAWN: dict[str, tuple[str, str, Shape]] = {
    tags.SUBMITTED: (REQUESTER, N_("Submitted"), "dot"),
    tags.EDITED: (REQUESTER, N_("Edited"), "dot"),
    "request:sealed": (PORTAL, N_("Sealed"), "square"),
    "request:approved-by-policy": (PORTAL, N_("By policy"), "tick"),
    "stage:opened": ("", N_("Asked"), "ring"),
    "approval:approved": ("", N_("Approved"), "tick"),
    "approval:denied": ("", N_("Denied"), "cross"),
    tags.REFUSED: (PORTAL, N_("Refused"), "cross"),
    tags.WITHDRAWN: (REQUESTER, N_("Withdrawn"), "cross"),
    tags.STOPPED: (PORTAL, N_("Stopped"), "cross"),
    tags.SEAL_MISMATCH: (PORTAL, N_("Seal broken"), "cross"),
    tags.FULFILMENT_STARTED: (PORTAL, N_("Started"), "square"),
    tags.STEP_APPLIED: (TARGET, N_("Applied"), "square"),
    tags.STEP_READ_BACK: (TARGET, N_("Read back"), "tick"),
    tags.STEP_FAILED: (TARGET, N_("Failed"), "cross"),
    tags.STEP_REVERTED: (TARGET, N_("Undone"), "ring"),
    tags.STEP_NOT_REVERTED: (TARGET, N_("Not undone"), "cross"),
    tags.FULFILLED: (PORTAL, N_("Fulfilled"), "tick"),
    tags.FAILED: (PORTAL, N_("Failed"), "cross"),
    tags.ENTITLEMENT_GIVEN_BACK: (REQUESTER, N_("Given back"), "ring"),
    tags.ENTITLEMENT_ENDED: (TARGET, N_("Taken away"), "ring"),
    tags.ENDED: (PORTAL, N_("Ended"), "square"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One event in the drawing. `x` and `y` are millimetres; `wait` is the time since the one before."""

    lane: str
    word: str
    shape: Shape
    at: str
    x: float = 0.0
    y: float = 0.0
    wait: str = ""
    #: Millimetres; the word stands on the side of the mark where no line passes.
    word_x: float = 0.0
    word_y: float = 0.0
    anchor: str = "middle"

    @property
    def day(self) -> str:
        """18 Nov."""
        return format_date(datetime.fromisoformat(self.at), _DAY.get(language(), "d MMM"), locale=locale())

    @property
    def time(self) -> str:
        """09:00:00."""
        return f"{datetime.fromisoformat(self.at):%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of the drawing: whose turn it is."""

    lines: tuple[str, ...]
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """One SVG; a long story takes several."""

    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    height: float
    #: What somebody who does not see it is told.
    alternative: str

    @property
    def path(self) -> str:
        """The line that the request takes from mark to mark."""
        return " ".join(f"{mark.x:.2f},{mark.y:.2f}" for mark in self.marks)


def drawings_of(evidence: Evidence) -> tuple[Drawing, ...]:
    """The request's way through everybody's hands."""
    marks = _marks(evidence)
    lanes = _lanes(evidence, {mark.lane for mark in marks})
    # A story that is too long for one drawing is spread evenly over several.
    each = ceil(len(marks) / ceil(len(marks) / MOST_A_ROW)) if marks else 1
    return tuple(_drawing(marks, start, lanes=lanes, each=each) for start in range(0, len(marks), each))


def _marks(evidence: Evidence) -> list[Mark]:
    stages = {(stage.revision, stage.slug): offering_text(evidence, stage.name) for stage in evidence.stages}
    found = []
    for entry in evidence.ledger.entries:
        drawn = _DRAWN.get(str(entry.body.get("tag")))
        if drawn is None:
            continue
        facts = entry.body.get("facts", {})
        lane, word, shape = drawn
        name = stages.get((facts.get("revision"), facts.get("stage")), str(facts.get("stage")))
        found.append(Mark(_lane(lane) if lane else name, _(word), shape, str(entry.body.get("at"))))
    return found


def _lanes(evidence: Evidence, used: set[str]) -> list[str]:
    stages = list(dict.fromkeys(offering_text(evidence, stage.name) for stage in evidence.stages))
    lanes = dict.fromkeys((_lane(REQUESTER), _lane(PORTAL), *stages, _lane(TARGET)))
    return [lane for lane in lanes if lane in used]


def _lane(name: str) -> str:
    """The product's name is the same in every language."""
    return name if name == PORTAL else _(name)


def _drawing(marks: Sequence[Mark], start: int, *, lanes: Sequence[str], each: int) -> Drawing:
    step = (WIDTH - NAMES) / each
    rows = {lane: HEAD + LANE * (number + 0.5) for number, lane in enumerate(lanes)}
    row = marks[start : start + each]
    placed: list[Mark] = []
    for number, mark in enumerate(row):
        before = marks[start + number - 1] if start + number else mark
        wait = spoken_span(before.at, mark.at)
        x = NAMES + step * (number + 0.5)
        y = rows[mark.lane]
        around = [
            rows[other.lane] for other in (*row[max(number - 1, 0) : number], *row[number + 1 : number + 2])
        ]
        to_below = any(other > y for other in around)
        # A long word would run into that of the mark before it; below there is room.
        crowded = (
            bool(placed)
            and placed[-1].word_y == round(y + ABOVE, 2)
            and _half(placed[-1].word) + _half(mark.word) > step
        )
        dx, dy, anchor = _beside(
            any(other < y for other in around) or (crowded and not to_below),
            to_below,
            bool(around) and around[0] < y,
        )
        if anchor == "middle" and x + _half(mark.word) > WIDTH:
            dx, anchor = WIDTH - x, "end"
        placed.append(
            replace(
                mark,
                x=round(x, 2),
                y=y,
                wait="" if wait == spoken_span(mark.at, mark.at) else wait,
                word_x=round(x + dx, 2),
                word_y=round(y + dy, 2),
                anchor=anchor,
            )
        )
    told = "; ".join(f"{mark.word} ({mark.lane}), {spoken_time(mark.at)}" for mark in row)
    return Drawing(
        lanes=tuple(Lane(_in_lines(lane), y) for lane, y in rows.items()),
        marks=tuple(placed),
        height=HEAD + LANE * len(lanes) + FOOT,
        alternative=_("Timeline: %(told)s.", told=told),
    )


def _beside(from_above: bool, to_below: bool, falling: bool) -> tuple[float, float, str]:  # noqa: FBT001
    """Where a mark's word stands so that no line runs through it: millimetres right and down, and its anchor."""
    if not from_above:
        return 0, ABOVE, "middle"
    if not to_below:
        return 0, BELOW, "middle"
    return (ASIDE, -1.4, "start") if falling else (-ASIDE, -1.4, "end")


def _half(word: str) -> float:
    """Half of the millimetres that a word beside a mark takes."""
    return len(word) * LETTER / 2


def _in_lines(name: str) -> tuple[str, ...]:
    """At most two lines; the whole name stands in the table below."""
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LONGEST_NAME:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    shown = [line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1] + "…" for line in lines]
    return (shown[0], shown[1][: LONGEST_NAME - 1] + "…") if len(shown) > 2 else tuple(shown)  # noqa: PLR2004
