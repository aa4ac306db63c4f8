"""The shapes of a drawing, and the canvas that places them.

On a page nobody knows the width: there an x is a percentage of it, and letters are given room as on a phone. On paper
it is a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Anchor = Literal["start", "middle", "end"]
MarkShape = Literal["dot", "square", "ring", "frame"]

INK, MUTED, LINE, GROUND, EDGE = "#12242c", "#4a5a63", "#c9d1d4", "#e8eceb", "#617078"
#: Fills that differ in lightness, so that they read in greyscale, each with letters at 4.5:1 or better on it.
STEPS: tuple[tuple[str, str], ...] = (
    ("#0c5c68", "#ffffff"),
    ("#a9c8ca", INK),
    ("#ffffff", INK),
    ("#5d6f76", "#ffffff"),
    ("#dfe7e6", INK),
)
MAIN, SECOND = STEPS[0][0], STEPS[1][0]
#: The room for a drawing on a phone of 390 px, in pixels.
PHONE = 300.0
#: 96 pixels to the inch, as CSS has it.
PIXELS_A_MILLIMETRE = 96 / 25.4
TEXT, SMALL = 14.0, 12.5
#: A letter's usual width by its height (IBM Plex Sans, measured over English and German words).
_LETTER = 0.56
_AFTER_NUMBER = re.compile(r"(?<=\d) ")


@dataclass(frozen=True, slots=True)
class Rect:
    """A box. x and width as the canvas writes them, the rest in pixels."""

    x: str
    y: float
    width: str
    height: float
    fill: str
    stroke: str = "none"


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight line."""

    x1: str
    y1: float
    x2: str
    y2: float
    stroke: str = LINE
    thick: float = 1.0
    dash: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Letters; y is their baseline, `dx` moves them by pixels."""

    x: str
    y: float
    text: str
    anchor: Anchor = "start"
    size: float = TEXT
    fill: str = INK
    bold: bool = False
    dx: float = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """A point on a line; its shape tells whose it is."""

    x: str
    y: float
    shape: MarkShape
    stroke: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that a template writes down, back to front. `width` and `height` are pixels; no width on a page."""

    height: float
    width: float | None
    boxes: tuple[Rect, ...]
    segments: tuple[Segment, ...]
    marks: tuple[Mark, ...]
    texts: tuple[Text, ...]


@dataclass(slots=True)
class Canvas:
    """Gathers shapes. `room` is the width in pixels that letters may count on."""

    width: float | None
    room: float
    boxes: list[Rect] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    @classmethod
    def of(cls, millimetres: float | None) -> Canvas:
        """For a page without a width, else for paper."""
        if millimetres is None:
            return cls(None, PHONE)
        width = round(millimetres * PIXELS_A_MILLIMETRE, 2)
        return cls(width, width)

    def x(self, share: float) -> str:
        """A place or a width as a share of the whole."""
        return f"{share * 100:.2f}%" if self.width is None else f"{share * self.width:.2f}"

    def box(
        self, x: float, y: float, width: float, height: float, *, fill: str, stroke: str = "none"
    ) -> None:
        """A box; x and width are shares."""
        self.boxes.append(Rect(self.x(x), y, self.x(width), height, fill, stroke))

    def sample(self, y: float, fill: str) -> None:
        """The small box of a legend, at the left."""
        self.boxes.append(Rect("0.5", y, "13", 13, fill, EDGE))

    def segment(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        stroke: str = LINE,
        thick: float = 1.0,
        dash: str = "",
    ) -> None:
        """A line; x1 and x2 are shares."""
        self.segments.append(Segment(self.x(x1), y1, self.x(x2), y2, stroke, thick, dash))

    def pixels(self, x: float, y: float, width: float, *, stroke: str, dash: str) -> None:
        """A level line measured in pixels."""
        self.segments.append(Segment(f"{x:g}", y, f"{x + width:g}", y, stroke, 2, dash))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: Anchor = "start",
        size: float = TEXT,
        fill: str = INK,
        bold: bool = False,
        dx: float = 0,
    ) -> None:
        """Letters; x is a share."""
        self.texts.append(Text(self.x(x), y, text, anchor, size, fill, bold, dx))

    def done(self, height: float) -> Drawing:
        """The drawing."""
        return Drawing(
            height, self.width, tuple(self.boxes), tuple(self.segments), tuple(self.marks), tuple(self.texts)
        )


def letters_wide(text: str, size: float = TEXT) -> float:
    """About how wide a text is, in pixels."""
    return len(text) * size * _LETTER


def cut(text: str, room: float, size: float = TEXT) -> str:
    """The text, cut where it would not fit; the table has the whole of it."""
    most = max(int(room / (size * _LETTER)), 3)
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def wrapped(text: str, room: float, size: float, lines: int) -> list[str]:
    """The text in at most so many lines, broken between words; a number stays with what it counts."""
    found = [""]
    for word in _AFTER_NUMBER.sub("\N{NO-BREAK SPACE}", text).split(" "):
        longer = f"{found[-1]} {word}".strip()
        if found[-1] and letters_wide(longer, size) > room:
            found.append(word)
        else:
            found[-1] = longer
    if len(found) > lines:
        found = [*found[: lines - 1], " ".join(found[lines - 1 :])]
    return [cut(line, room, size) for line in found]
