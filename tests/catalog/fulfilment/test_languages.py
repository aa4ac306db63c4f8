"""What is carried out is one thing in every language; what people read of it is in theirs."""

from __future__ import annotations

import dataclasses
import json

import pytest

from catalog.fulfilment.connectors.contract import Plan, PlanLine
from portal.core.language import Said, speaking, spoken
from tests.fixtures_manual import Hands, by_hand

GERMAN = {
    "'Make a badge for ' + answers.word": "'Ausweis für ' + answers.word",
    "The printer stands on the second floor.": "Der Drucker steht im zweiten Stock.",
    "Check the papers\nPrint the badge\nHand it over": "Papiere prüfen\nAusweis drucken\nÜbergeben",
    "Take the badge back and shred it.": "Den Ausweis zurücknehmen und vernichten.",
    "Make the badge": "Den Ausweis herstellen",
}


def plan(text: str) -> Plan:
    """One line, one warning, one effect."""
    return Plan("shelf", "put", "the shelf", (PlanLine("add", text),), {"a": 1}, {}, warnings=(text,))


def test_a_plan_keeps_its_texts_by_language_and_its_effect_has_none():
    english, both = plan("Put it there"), plan(Said({"en": "Put it there", "de": "Leg es hin"}))
    assert english.effect == both.effect
    assert english.to_json()["lines"] == [{"change": "add", "text": "Put it there"}]
    read = Plan.from_json(json.loads(json.dumps(both.to_json())))
    assert read == both
    with speaking("de"):
        assert [spoken(line.text) for line in read.lines] == ["Leg es hin"]
        assert [spoken(text) for text in read.warnings] == ["Leg es hin"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_people_do_by_hand_what_they_read_in_their_language(hands: Hands, cast):
    hands.publish(by_hand(languages={"de": GERMAN}))
    request_id = hands.handed_over(cast)
    [task] = hands.tasks()
    with hands.portal.db.reading() as session:
        items = [item.text for item in session.merge(task, load=False).items]
    [stored] = hands.request(request_id).plans
    assert stored["document"]["title"] == "Make a badge for Rosa"
    assert task.title == "Make a badge for Rosa"
    with speaking("de"):
        assert spoken(task.title) == "Ausweis für Rosa"
        assert spoken(task.instructions) == "Der Drucker steht im zweiten Stock."
        assert [spoken(text) for text in items] == ["Papiere prüfen", "Ausweis drucken", "Übergeben"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_translation_changes_nothing_of_what_is_done(hands: Hands, cast):
    plans = []
    for languages in ({}, {"de": GERMAN}):
        hands.publish(by_hand(languages=languages))
        request = hands.request(hands.handed_over(cast))
        made = Plan.from_json(request.plans[0])
        plans.append(dataclasses.replace(made, document={**made.document, "reference": "SR-000001"}))
    assert plans[0].effect == plans[1].effect
    assert [line.text for line in plans[0].lines] == [line.text for line in plans[1].lines]
