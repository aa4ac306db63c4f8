"""What the macros promise beside their looks: escaping, states told apart without colour, and their documentation."""

from __future__ import annotations

import re
from datetime import timedelta

import html5lib
import jinja2
import pytest
from wtforms import Form, RadioField, SelectChoice, StringField

from tests.look.stage import NOW, ROOT, environment

MACROS = ROOT / "templates" / "macros"
NASTY = "<img src=x>{{7*7}}"
STATES = ["draft", "preparing", "pending", "approved", "scheduled", "fulfilling", "fulfilled", "rejected", "withdrawn",
          "failed", "ended"]  # fmt: skip
CALLS = {
    "content.html": [
        "page_title(x, x, x)", "summary_list(((x, x, x),), x)", "data_table(x, (x, (x, 'number')), ((x, (x, x)),))",
        "inset(x)", "warning(x)", "panel(x, x)", "details(x, x)", "empty_state(x, x, x, x)", "breadcrumbs(((x, x),))",
        "back_link(x, x)", "pagination(x, x, x, x)", "task_list(((x, x, x, x),))", "code(x)", "code_block(x)", "digest(x)",
    ],
    "status.html": ["tag(x)", "risk('low', x, (x,))"],
    "work.html": [
        "offering_card(x, x, x, (x,), x)", "baton(x, what_follows=x)", "plan((('add', x, x),))",
        "route(((x, 'open', (x,), x),))", "timeline(((now, x, x, x, ''),), now)",
    ],
    "forms.html": [
        "field(form.text, hint=x, example=x, prefix=x, suffix=x)", "field(form.radio, hints={x: x})", "error_summary(form, ((x, x),))",
        "search(x, x, x, x, x)", "hidden(x, x)",
    ],
    "buttons.html": ["button(x, x, x, x, {'data-x': x})", "button_link(x, x, x)"],
}  # fmt: skip


class NastyForm(Form):
    text = StringField(NASTY, description=NASTY, default=NASTY)
    radio = RadioField(NASTY, choices=[SelectChoice(NASTY, NASTY)])


@pytest.mark.parametrize(("file", "call"), [(file, call) for file, calls in CALLS.items() for call in calls])
def test_what_a_person_wrote_stays_text(file: str, call: str) -> None:
    form = NastyForm()
    form.text.errors = [NASTY]
    name = call.partition("(")[0]
    source = f'{{% from "macros/{file}" import {name} %}}{{{{ {call} }}}}'
    html = environment().from_string(source).render(x=NASTY, form=form, now=NOW)
    document = html5lib.parseFragment(html, namespaceHTMLElements=False)
    assert "{{7*7}}" in html
    assert document.findall(".//img") == []


def test_a_decision_card_escapes_all_it_is_given() -> None:
    source = """{% from "macros/work.html" import decision_card %}
    {% call decision_card(x, x, x, x, action=x, csrf_token=x, seal=x, comment=x, comment_error=x) %}{{ x }}{% endcall %}"""
    html = environment().from_string(source).render(x=NASTY)
    assert html.count("&lt;img src=x&gt;") == 10
    assert "<img" not in html


def _macro(name: str, *values: object) -> str:
    return str(getattr(environment().get_template("macros/status.html").module, name)(*values))


def test_states_are_told_apart_by_words_and_not_by_colour() -> None:
    words = {re.sub(r"<[^>]+>", "", _macro("request_state", state)) for state in STATES}
    assert len(words) == len(STATES)


def test_a_state_that_nobody_named_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        _macro("request_state", "lost")


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"), (timedelta(minutes=1), "1 minute ago"), (timedelta(hours=3), "3 hours ago"),
        (timedelta(days=2), "2 days ago"), (timedelta(seconds=-5), "in a moment"), (-timedelta(hours=6), "in 6 hours"),
    ],
)  # fmt: skip
def test_a_moment_is_absolute_and_relative(ago: timedelta, text: str) -> None:
    html = _macro("moment", NOW - ago, NOW)
    assert f"({text})" in html
    assert f'datetime="{(NOW - ago).isoformat(timespec="seconds")}"' in html
    assert "2026" in html


def test_every_macro_is_documented() -> None:
    guide = (MACROS / "README.md").read_text()
    inner = {"cell_text", "example_text", "choices", "control", "describe", "label_tag", "label_text", "hint_and_error", "single_checkbox",
             "textarea", "counting", "decision_head", "header", "messages", "footer", "nav_list", "sign_out"}  # fmt: skip
    names = {
        name for path in MACROS.glob("*.html") for name in re.findall(r"{% macro (\w+)\(", path.read_text())
    }
    assert inner < names
    assert {name for name in names - inner if f"{name}(" not in guide} == set()
