"""The difference between two versions in plain words."""

from __future__ import annotations

import pytest

from catalog.offerings.reading import read_offering
from catalog.versions.difference import difference, unified
from tests.catalog.offerings.conftest import SMALL


def told(*pairs: str) -> dict[str, tuple[str, ...]]:
    text = SMALL
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text, old
        text = text.replace(old, new)
    found = difference(read_offering(SMALL, "old.yaml"), read_offering(text, "new.yaml"))
    return {chapter.title: chapter.sentences for chapter in found}


def test_the_same_meaning_has_no_difference():
    assert told("target: 2d", "target: 2d # a comment") == {}


@pytest.mark.parametrize(
    ("old", "new", "chapter", "sentence"),
    [
        (
            "name: A small thing",
            "name: A thing",
            "What the catalogue says",
            "The name changes from “A small thing” to “A thing”.",
        ),
        (
            "category: Tests",
            "category: Tests\nkeywords: [one, two]",
            "What the catalogue says",
            "The words that find it now has “one, two”.",
        ),
        (
            "label: Amount",
            "label: How many",
            "Questions",
            "The question “Amount”: the label changes from “Amount” to “How many”.",
        ),
        (
            "          required: false\n",
            "",
            "Questions",
            "The question “Amount”: whether it must be answered changes from no to yes.",
        ),
        (
            "        - kind: number\n",
            "        - {kind: text, name: cost, label: Cost}\n        - kind: number\n",
            "Questions",
            "The question “Cost” is added. It must be answered.",
        ),
        (
            "            - {value: blue, label: Blue}\n",
            "            - {value: blue, label: Blue}\n            - {value: green, label: Green}\n",
            "Questions",
            "Green",
        ),
        ("answers.amount <= 10", "answers.amount <= 9", "Rules", "the condition changes from"),
        (
            "longest_days: 60",
            "longest_days: 30",
            "Rules",
            "The longest duration in days changes from “60” to “30”.",
        ),
        (
            "points: 30\n      because: It is many",
            "points: 10\n      because: It is many",
            "Risk",
            "The reason for risk “It is many”: points changes from “30” to “10”.",
        ),
        (
            "because: Red is seen from afar",
            "because: Red shines",
            "Risk",
            "The reason for risk “Red is seen from afar” is removed.",
        ),
        (
            "approvers: {group: crm-owners}",
            "approvers: {group: erp-owners}",
            "Who decides",
            "The stage “Owners”: who decides changes from “group crm-owners” to “group erp-owners”.",
        ),
        (
            "      target: 1d\n",
            "      target: 1d\n      quorum: 2\n",
            "Who decides",
            "The stage “Owners”: how many must agree changes from “1” to “2”.",
        ),
        (
            "action: put",
            "action: place",
            "What is done, and how it ends",
            "action changes from “put” to “place”.",
        ),
        ("      days: 3", "      days: 4", "What is done, and how it ends", "what the connector is given"),
        (
            "target: 2d\n",
            'target: 2d\ncalendar: {hours: "08:00-16:00"}\n',
            "Time",
            "Calendar: the working hours changes from “09:00-17:00” to “08:00-16:00”.",
        ),
        ("[CC6.1]", "[CC6.2]", "Controls", "SOC 2 TSC 2017: it now supports CC6.2."),
        (
            "undone: The thing is taken away.",
            "irreversible: It is burnt.",
            "What is done, and how it ends",
            "How it is undone is gone; it was “The thing is taken away.”.",
        ),
    ],
)
def test_each_part_is_told_in_its_chapter(old, new, chapter, sentence):
    found = told(old, new)
    assert chapter in found, found
    assert any(sentence in one for one in found[chapter]), found[chapter]


def test_a_stage_that_is_added_removed_or_moved_is_told():
    stage = '    - slug: owners\n      name: Owners\n      when: risk.level != "low"\n      approvers: {group: crm-owners}\n      target: 1d\n'
    first = "    - slug: line-manager\n      name: Line manager\n      approvers: {relation: line-manager}\n      target: 8h\n"
    assert told(stage, "")["Who decides"] == ("The stage “Owners” is removed.",)
    assert told(first + stage, stage + first)["Who decides"] == (
        "The order is now: The stage “Owners”, then The stage “Line manager”.",
    )
    added = stage.replace("owners", "again", 1).replace("Owners", "Again")
    (sentence,) = told(stage, stage + added)["Who decides"]
    assert sentence.startswith(
        "The stage “Again” is added. Asked: group crm-owners; 1 must agree within 1d, when"
    )


def test_the_lines_that_differ_are_those_of_the_texts():
    lines = unified("a\nb\nc\n", "a\nB\nc\n", names=("version 1", "draft.yaml"))
    assert lines.splitlines() == [
        "--- version 1",
        "+++ draft.yaml",
        "@@ -1,3 +1,3 @@",
        " a",
        "-b",
        "+B",
        " c",
    ]


GERMAN = "languages:\n  de:\n    Colour: Farbe\n    Amount: Menge\n"


def test_translations_are_told_as_such():
    before = read_offering(SMALL + GERMAN, "old.yaml")
    after = read_offering(
        SMALL + GERMAN.replace("Farbe", "Anstrich").replace("Amount: Menge", "Red: Rot"), "new"
    )
    (chapter,) = difference(before, after)
    assert chapter.title == "Translations"
    assert chapter.sentences == (
        "In Deutsch “Colour” changes from “Farbe” to “Anstrich”.",
        "In Deutsch “Amount” is no longer translated.",
        "In Deutsch “Red” is now “Rot”.",
    )
    (chapter,) = difference(read_offering(SMALL, "x"), before)
    assert len(chapter.sentences) == 2


def test_a_stage_with_parts_names_everybody_who_is_asked():
    owners = "approvers: {group: crm-owners}"
    parts = """parts:
        - {slug: one, name: One, approvers: {group: crm-owners}}
        - {slug: two, name: Two, approvers: {relation: line-manager}}"""
    said = " ".join(told(owners, parts)["Who decides"])
    assert "“group crm-owners; line manager of the beneficiary”" in said
