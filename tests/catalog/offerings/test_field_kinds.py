"""Answers of each further kind: what is kept, and the sentence for what is refused."""

import json
from dataclasses import replace

import pytest
import yaml
from werkzeug.datastructures import MultiDict

from catalog.fulfilment.connectors.contract import Choice, ConnectorError
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings import choice_cache
from catalog.offerings.answers import check_answers, facts_in
from catalog.offerings.choice_cache import remembered
from catalog.offerings.forms import build_form
from catalog.offerings.posted import posted
from catalog.offerings.presenters import asked_sections
from catalog.offerings.reading import OfferingFileError, read_offering
from catalog.offerings.rules import holds
from portal.core.errors import FieldErrors
from tests.catalog.offerings.conftest import SMALL


@pytest.fixture
def asking(context):
    """Gives a document that asks for one more thing, and a context that knows groups and units."""

    def choices(connector, name):
        if connector == "portal":
            return [Choice("soc", "Security operations"), Choice("sales", "Sales")]
        return []

    known = replace(context, choices=choices, actor=replace(context.actor, timezone="Europe/Berlin"))

    def make(**field):
        content = yaml.safe_load(SMALL)
        asked = {"name": "it", "label": "It", "hint": "It.", **field}
        content["form"]["sections"].append({"title": "More", "fields": [asked]})
        return read_offering(json.dumps(content), "more.yaml"), known

    return make


def answered(document, context, value):
    raw = {"person": "rosa.requester", "colour": "red", "reason": "For a test.", "until": "2026-12-01"}
    return check_answers(document, {**raw, "it": value}, context)


ROWS = {
    "kind": "table",
    "at_most": 3,
    "columns": [
        {"kind": "host_name", "name": "host", "label": "Host"},
        {"kind": "number", "name": "amount", "label": "Amount", "maximum": 9, "required": False},
    ],
}
TAKEN = [
    ({"kind": "email"}, "Jana.Kral@Würmer.example", "Jana.Kral@xn--wrmer-kva.example"),
    ({"kind": "host_name"}, "App1.Meridian.Example.", "app1.meridian.example"),
    ({"kind": "date_time"}, "2026-12-01T22:00", "2026-12-01T22:00+01:00"),
    ({"kind": "date_time"}, "2026-12-01T21:00:00Z", "2026-12-01T22:00+01:00"),
    ({"kind": "duration"}, "90 minutes", "90m"),
    ({"kind": "duration"}, "4 Hours", "4h"),
    ({"kind": "duration", "at_most": "2d"}, "48h", "48h"),
    ({"kind": "group"}, "soc", "soc"),
    ({"kind": "unit"}, "sales", "sales"),
    (ROWS, [{"host": "a.b", "amount": "3"}, {"host": "", "amount": ""}], [{"host": "a.b", "amount": 3}]),
    ({"kind": "some_of", "choices": [{"value": "a", "label": "A"}]}, ["a"], ["a"]),
    ({"kind": "boolean"}, "y", True),
]
REFUSED = [
    ({"kind": "email"}, "jana", "is not a mail address"),
    ({"kind": "email"}, "a@b@c.example, d@e.example", "is not a mail address"),
    ({"kind": "email"}, "x\r\nBcc: y@z.example", ""),
    ({"kind": "host_name"}, "10.1.2.3", "is not a host name"),
    ({"kind": "host_name"}, "a.example b.example", "is not a host name"),
    ({"kind": "date_time"}, "tomorrow", "is not a date and time"),
    ({"kind": "date_time"}, "2026-11-17T10:00", "too early"),
    ({"kind": "date_time", "latest_days": 3650}, "2027-03-28T02:30", "does not exist"),
    ({"kind": "date_time", "latest_days": 5}, "2026-12-01T10:00", "too late"),
    ({"kind": "duration"}, "soon", "is not a duration"),
    ({"kind": "duration", "at_most": "12h"}, "13h", "from 1 minute to 12 hours"),
    ({"kind": "group"}, "no-such", "not one of the groups"),
    ({"kind": "unit"}, "no-such", "not one of the units"),
    (ROWS, [{"host": "a.b"}] * 4, "These are 4 rows; fill in 1 to 3"),
    (ROWS, [{"host": "not a host", "amount": "12"}], "Row 1, Host: “not a host” is not a host name"),
    (ROWS, [{"amount": "1"}], "Row 1, Host: this cell is empty"),
    (ROWS, [{"host": "a.b", "other": "x"}], "Row 1 has no column “other”"),
    (ROWS, [{"host": ""}], "Fill in at least 1 row of “It”"),
    (ROWS, "a.b", "Fill in the rows"),
]


@pytest.mark.parametrize(("field", "typed", "kept"), TAKEN, ids=lambda part: str(part)[:30])
def test_an_answer_is_kept_in_one_form_and_checks_the_same_again(asking, field, typed, kept):
    document, context = asking(**field)
    answers = answered(document, context, typed)
    assert answers["it"] == kept
    assert answered(document, context, kept) == answers


@pytest.mark.parametrize(("field", "typed", "sentence"), REFUSED, ids=lambda part: str(part)[:30])
def test_an_answer_that_does_not_fit_is_refused_at_its_field(asking, field, typed, sentence):
    document, context = asking(**field)
    with pytest.raises(FieldErrors) as caught:
        answered(document, context, typed)
    (error,) = caught.value.errors
    assert error.field == "it"
    assert sentence in error.message


def test_rows_are_typed_cell_by_cell_or_pasted_and_more_are_added_without_a_script(asking):
    document, context = asking(**{**ROWS, "at_most": 20, "shown": 2})
    sent = MultiDict(
        {"it-0-host": "a.b", "it-0-amount": "1", "it-1-host": "", "it-paste": "Host;Amount\nc.d;2\ne.f"}
    )
    taken = posted(document, sent)
    assert taken.raw["it"] == [
        {"host": "a.b", "amount": "1"},
        {"host": "c.d", "amount": "2"},
        {"host": "e.f"},
    ]
    assert taken.more_rows == ""
    more = posted(document, MultiDict({"it-0-host": "a.b", "_rows-it": "1"}))
    assert more.more_rows == "it"
    form = build_form(document, context)(raw=more.raw)
    asked = asked_sections(form)[-1].fields[0].table
    assert len(asked.rows) == 6
    assert asked.rows[0][0].value == "a.b"


def test_pasted_rows_with_too_many_cells_say_which_line(asking):
    document, _ = asking(**ROWS)
    taken = posted(document, MultiDict({"it-paste": "a.b,1\nc.d,2,3"}))
    assert [error.field for error in taken.errors] == ["it"]
    assert "Line 2" in taken.errors[0].message


def test_rules_read_columns_durations_moments_and_scores(asking):
    document, context = asking(**ROWS)
    facts = facts_in(document, answered(document, context, [{"host": "a.b", "amount": "3"}]), context)
    assert holds('derived.it.count == 1 && derived.it.host == ["a.b"] && answers.it == ["a.b · 3"]', facts)
    document, context = asking(kind="duration")
    assert holds(
        'derived.it.minutes == 240 && derived.it.label == "4 hours"',
        facts_in(document, answered(document, context, "4h"), context),
    )
    document, context = asking(kind="date_time")
    assert holds(
        'answers.it == timestamp("2026-12-01T21:00:00Z")',
        facts_in(document, answered(document, context, "2026-12-01T22:00"), context),
    )
    scored = [{"value": "no", "label": "No", "points": 1}, {"value": "yes", "label": "Yes", "points": 4}]
    document, context = asking(kind="one_of", choices=scored)
    assert holds(
        "score.points == 1 && score.most == 4 && score.percent == 25 && derived.it.points == 1",
        facts_in(document, answered(document, context, "no"), context),
    )


def test_a_targets_list_is_remembered_for_a_minute_and_its_trouble_is_not(monkeypatch):
    connectors, asked = Connectors([]), []

    def read():
        asked.append("asked")
        if len(asked) == 1:
            raise ConnectorError("Away.")
        return [Choice("a", "A")]

    with pytest.raises(ConnectorError):
        remembered(connectors, ("scim", "roles"), read)
    for _ in range(3):
        assert remembered(connectors, ("scim", "roles"), read) == (Choice("a", "A"),)
    assert len(asked) == 2
    later = choice_cache.time.monotonic() + 61
    monkeypatch.setattr(choice_cache.time, "monotonic", lambda: later)
    remembered(connectors, ("scim", "roles"), read)
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ([{"kind": "text", "name": "count", "label": "C"}], "count is the number of rows"),
        ([{"kind": "text", "name": "a", "label": "A"}] * 2, "a column 'a' already"),
        ([{"kind": "text", "name": "a", "label": "A", "show_when": "true"}], "always shown"),
        ([{"kind": "text", "name": "a", "label": "A", "pattern": "("}], "no RE2 pattern"),
        ([{"kind": "txt", "name": "a", "label": "A"}], "did you mean 'text'?"),
    ],
)
def test_columns_that_cannot_be_are_refused_with_their_place(asking, columns, sentence):
    with pytest.raises(OfferingFileError) as caught:
        asking(kind="table", columns=columns)
    (problem,) = caught.value.problems
    assert "columns[" in problem.field
    assert sentence in problem.message
