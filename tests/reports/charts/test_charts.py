"""What a chart tells those who see it, those who do not, and those who print it in grey."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pytest

from portal.core.language import speaking
from reports.charts.bars import bars, shares, spreads
from reports.charts.chart import Amount, Chart, Line, Spread, Stack
from reports.charts.distribution import distribution
from reports.charts.drawing import PHONE, STEPS, letters_wide
from reports.charts.lines import lines
from reports.charts.stacked import stacked
from reports.charts.words import hours, percent
from reports.evidence.html import page_environment

SVG = "{http://www.w3.org/2000/svg}"
LONG = "Firewall rule for the production zone of the finance systems in the second data centre"


def every_chart() -> tuple[Chart, ...]:
    """One of each kind."""
    return (
        bars("a", "Bars", "F", (Amount(LONG, 12), Amount("<b>&", 3), Amount("C", 0)), measured="N"),
        shares("b", "Shares", "F", (Amount("A", 0.25), Amount("B", 1)), measured="N"),
        spreads("c", "Spreads", "F", (Spread("A", 60, 120), Spread("B", 0, 0)), words=("Mid", "Far")),
        stacked("d", "Stacked", "F", (Stack("A", (3, 1)), Stack("B", (0, 2))), words=("P", "Q")),
        lines("e", "Lines", "F", ("Jan", "Feb", "Mar"), (Line("A", (1, None, 3)), Line("B", (2, 2, 2)))),
        distribution("f", "Spread", "F", (Amount("low", 2), Amount("high", 8)), measured="N"),
    )


def written(chart: Chart, width: float | None = None) -> ET.Element:
    """The chart's SVG, parsed."""
    source = '{% from "reports/charts/svg.html" import svg %}{{ svg(chart, width) }}'
    return ET.fromstring(page_environment().from_string(source).render(chart=chart, width=width))


def boxes(drawn: ET.Element, fill: str) -> list[float]:
    """The widths of the boxes of one fill, in per cent."""
    return [
        float(box.attrib["width"].rstrip("%")) for box in drawn.iter(f"{SVG}rect") if box.get("fill") == fill
    ]


def lightness(colour: str) -> float:
    """The relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2)."""
    darker, lighter = sorted((lightness(one), lightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.heading)
def test_a_chart_is_an_image_with_a_name_and_its_finding(chart: Chart) -> None:
    drawn = written(chart)
    names = {element.get("id"): element.text for element in drawn}
    assert drawn.get("role") == "img"
    assert names[drawn.attrib["aria-labelledby"]] == chart.heading
    assert names[drawn.attrib["aria-describedby"]] == chart.finding


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.heading)
@pytest.mark.parametrize("width", [None, 170])
def test_a_strict_policy_has_nothing_to_refuse(chart: Chart, width: float | None) -> None:
    for element in written(chart, width).iter():
        assert "style" not in element.attrib
        assert not any(name.startswith("on") or name.endswith("href") for name in element.attrib)
        assert element.tag.removeprefix(SVG) in {
            "svg", "title", "desc", "rect", "line", "circle", "text"
        }  # fmt: skip


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.heading)
def test_on_a_page_every_place_is_a_share_and_on_paper_a_number(chart: Chart) -> None:
    page, paper = written(chart), written(chart, 170)
    assert page.get("width") == "100%"
    assert "viewBox" not in page.attrib
    assert paper.get("width") == "170mm"
    assert "%" in "".join(text.attrib["x"] for text in page.iter(f"{SVG}text"))
    assert not any(value.endswith("%") for element in paper.iter() for value in element.attrib.values())
    assert paper[0].text == f"{chart.heading}: {chart.finding}"


def test_bars_are_as_long_as_their_numbers_are_great() -> None:
    drawn = written(every_chart()[0])
    assert boxes(drawn, STEPS[0][0]) == [100, 25, 0]


def test_shares_are_measured_against_the_whole() -> None:
    drawn = written(every_chart()[1])
    assert boxes(drawn, STEPS[0][0]) == [25, 100]


def test_the_parts_of_a_stacked_bar_stand_one_behind_the_other_and_say_their_numbers() -> None:
    drawn = written(every_chart()[3])
    places = [
        (float(box.attrib["x"].rstrip("%")), float(box.attrib["width"].rstrip("%")))
        for box in drawn.iter(f"{SVG}rect")
        if box.attrib["x"].endswith("%")
    ]
    assert places == [(0, 75), (75, 25), (0, 50)]
    assert [text.text for text in drawn.iter(f"{SVG}text") if text.get("text-anchor") == "middle"] == [
        "3", "1", "2"
    ]  # fmt: skip


def test_a_line_is_broken_where_there_is_no_number_and_the_table_shows_the_gap() -> None:
    chart = every_chart()[4]
    drawn = chart.drawing()
    assert [line.dash for line in drawn.segments if line.thick == 2] == ["", "7 4", "7 4", "7 4"]
    assert chart.table.rows[1] == ("Feb", "—", "2")
    shapes = {mark.shape for mark in drawn.marks}
    assert shapes == {"dot", "frame"}


def test_a_name_that_is_too_long_is_cut_in_the_drawing_and_whole_in_the_table() -> None:
    chart = every_chart()[0]
    shown = chart.drawing().texts[0].text
    assert shown.endswith("…")
    assert letters_wide(shown) < PHONE
    assert chart.table.rows[0] == (LONG, "12")
    assert chart.drawing(170).texts[0].text != shown


def test_what_people_wrote_stays_text() -> None:
    texts = [text.text for text in written(every_chart()[0]).iter(f"{SVG}text")]
    assert "<b>&" in texts


def test_neighbouring_parts_differ_in_lightness_and_letters_on_them_are_legible() -> None:
    assert all(contrast(fill, letters) >= 4.5 for fill, letters in STEPS)
    assert all(contrast(one[0], other[0]) >= 1.5 for one, other in pairwise(STEPS))
    assert all(contrast(one[0], other[0]) > 1.15 for one, other in combinations(STEPS, 2))


def test_numbers_are_written_in_the_readers_language() -> None:
    with speaking("de"):
        german = bars("a", "B", "F", (Amount("A", 1234.5),), measured="N")
        assert (percent(0.975), hours(150)) == ("97,5\xa0%", hours(150))
    english = bars("a", "B", "F", (Amount("A", 1234.5),), measured="N")
    assert (german.table.rows[0][1], english.table.rows[0][1]) == ("1.234,5", "1,234.5")
    assert (percent(0.975), percent(0.97), hours(150), hours(2400)) == ("97.5%", "97%", "2.5 h", "40 h")


def test_almost_everything_is_never_called_everything() -> None:
    assert (percent(0.99999), percent(1), percent(0.00001), percent(0)) == ("99.9%", "100%", "0.1%", "0%")


def test_a_chart_of_nothing_is_its_sentence_alone() -> None:
    source = '{% from "reports/charts/chart.html" import chart %}{{ chart(figure) }}'
    empty = lines("e", "Requests", "No request in this period.", ("Jan",), (Line("A", (None,)),))
    page = page_environment().from_string(source).render(figure=empty)
    assert "No request in this period." in page
    assert "<svg" not in page
    assert "<table" not in page
    shown = page_environment().from_string(source).render(figure=every_chart()[0])
    assert "<svg" in shown
    assert "<table" in shown


def test_more_parts_or_lines_than_people_tell_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 5"):
        stacked("d", "S", "F", (), words=tuple("abcdef"))
    with pytest.raises(ValueError, match="every point"):
        lines("e", "L", "F", ("Jan", "Feb"), (Line("A", (1,)),))
