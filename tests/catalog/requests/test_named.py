"""Answers hold keys; whoever reads them reads names."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalog.offerings.reading import read_offering
from catalog.requests.answers import answer_lines
from catalog.requests.named import named_in
from portal.core.assets import services_folder
from portal.identity.model import Person, Unit

DOCUMENT = read_offering(
    (services_folder() / "security-exception.yaml").read_bytes(), "security-exception.yaml"
)


@pytest.mark.on_sqlite
def test_other_people_and_units_are_called_by_their_names(db, cast):
    with db.reading() as session:
        unit = session.scalars(select(Unit).order_by(Unit.id)).first()
        manager = session.get_one(Person, cast.manager)
        answers = {"unit": unit.slug, "answers_for": manager.user_name, "rule": "patching"}
        shown = {
            line.field: line.text
            for line in answer_lines(DOCUMENT, answers, named_in(session, DOCUMENT, answers))
        }
        assert shown == {
            "rule": "Patches within their time",
            "unit": unit.name,
            "answers_for": f"{manager.name} ({manager.user_name})",
        }


def test_a_key_that_nothing_has_any_more_is_shown_as_it_was_answered(db, cast):
    answers = {"unit": "sold-last-year", "answers_for": "left.longago"}
    with db.reading() as session:
        called = named_in(session, DOCUMENT, answers)
    assert [line.text for line in answer_lines(DOCUMENT, answers, called)] == [
        "sold-last-year",
        "left.longago",
    ]
