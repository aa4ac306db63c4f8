"""WCAG 2.2 contrast of the palette, from its source: 4.5 for text, 3 for the edge of a control."""

from __future__ import annotations

import re

import pytest

from tests.look.stage import ROOT

SOURCE = (ROOT / "static/build/scss/_settings.scss").read_text()
COLOURS = dict(re.findall(r"^\$([a-z-]+): (#[0-9a-f]{6});", SOURCE, re.MULTILINE))
TEXT_PAIRS = [
    ("ink", "paper"), ("ink", "white"), ("muted", "paper"), ("muted", "white"), ("muted", "quiet-tint"),
    ("petrol", "paper"), ("petrol", "white"), ("petrol", "petrol-tint"), ("white", "petrol"), ("white", "petrol-dark"),
    ("white", "ink"), ("brass", "ink"), ("ink", "brass"), ("ink", "focus"), ("good", "good-tint"), ("warn", "warn-tint"),
    ("bad", "bad-tint"), ("bad", "white"), ("bad", "paper"), ("bad", "petrol-tint"), ("white", "bad"),
    ("white", "bad-dark"), ("note", "note-tint"),
]  # fmt: skip
EDGE_PAIRS = [("line-strong", "white"), ("line-strong", "paper"), ("focus", "ink"), ("petrol", "paper")]


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(COLOURS[one]), luminance(COLOURS[other])))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_can_be_read_on_its_ground(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
def test_the_edge_of_a_control_can_be_seen(edge: str, ground: str) -> None:
    assert contrast(edge, ground) >= 3
