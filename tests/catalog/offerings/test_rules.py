from dataclasses import replace
from datetime import date
from types import MappingProxyType

import pytest

from catalog.offerings.expressions import NotAnExpression, check_expression, number_of
from catalog.offerings.facts import gather
from catalog.offerings.names import names_of
from catalog.offerings.rules import (
    Risk,
    RuleFailed,
    assess_risk,
    broken_rules,
    facts_for,
    holds,
    last_day,
    owning_group,
    parameters_of,
    text_of,
)
from tests.catalog.offerings.conftest import JOSE, ROSA, TODAY

ANSWERS = {
    "person": "jose.almeida",
    "colour": "red",
    "amount": 25,
    "reason": "For a test.",
    "until": "2026-12-18",
}


def facts_of(document, answers=ANSWERS, **changes):
    people = {"requester": ROSA, "beneficiary": JOSE} | changes
    return facts_for(document, answers, today=TODAY, **people)


def test_facts_hold_answers_people_day_and_risk_as_json(offering_with):
    facts = facts_of(offering_with())
    assert facts["answers"]["until"] == "2026-12-18"
    assert facts["beneficiary"]["unit"] == "energia"
    assert facts["beneficiary"]["is_self"] is False
    assert facts["today"] == "2026-11-18"
    assert facts["risk"] == {
        "level": "high",
        "score": 60,
        "reasons": [
            {"points": 30, "because": "Red is seen from afar"},
            {"points": 30, "because": "It is many"},
        ],
    }
    assert set(facts) == {
        *(
            "answers",
            "answered",
            "asset",
            "unit",
            "derived",
            "requester",
            "beneficiary",
            "today",
            "risk",
            "kind",
            "held",
            "score",
        )
    }


@pytest.mark.parametrize(
    ("colour", "amount", "level", "score"),
    [("blue", 1, "low", 0), ("red", 1, "medium", 30), ("blue", 21, "medium", 30), ("red", 21, "high", 60)],
)
def test_risk_is_the_sum_of_the_reasons_that_hold(offering_with, colour, amount, level, score):
    document = offering_with()
    risk = assess_risk(document, facts_of(document, {**ANSWERS, "colour": colour, "amount": amount}))
    assert (risk.level, risk.score) == (level, score)
    assert Risk.from_json(risk.to_json()) == risk


def test_points_below_zero_lessen_the_risk_and_never_below_zero(offering_with):
    document = offering_with("points: 30\n      because: Red", "points: -100\n      because: Red")
    assert assess_risk(document, facts_of(document)).score == 0


def test_every_level_is_reached_at_its_number(offering_with):
    for points, level in (
        (19, "low"),
        (20, "medium"),
        (49, "medium"),
        (50, "high"),
        (89, "high"),
        (90, "critical"),
    ):
        document = offering_with("points: 30\n      because: Red", f"points: {points}\n      because: Red")
        risk = assess_risk(document, facts_of(document, {**ANSWERS, "amount": 1}))
        assert (risk.score, risk.level) == (points, level)


def test_a_broken_rule_says_its_message_at_its_field(offering_with):
    document = offering_with()
    assert broken_rules(document, facts_of(document)) == ()
    (error,) = broken_rules(document, facts_of(document, {**ANSWERS, "colour": "blue", "amount": 11}))
    assert (error.field, error.message) == ("amount", "Blue ones come in tens at most.")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("answers.until <= today + days(30)", True),
        ("answers.until <= today + days(29)", False),
        ("days_between(today, answers.until) == 30", True),
        ("answers.until.getFullYear() == 2026", True),
        ("beneficiary.unit == requester.unit", False),
        ("answered.amount", True),
        ("answers.reason.lowerAscii().contains('test')", True),
        ("answers.reason.matches('^For .*$')", True),
        ("['red', 'blue'].exists(c, c == answers.colour)", True),
        ("derived.colour.label == 'Red'", True),
    ],
)
def test_expressions_read_answers_dates_people_and_lists(offering_with, expression, value):
    assert holds(expression, facts_of(offering_with())) is value


def test_an_answer_that_was_not_given_is_empty_to_expressions(offering_with):
    facts = facts_of(offering_with(), {})
    assert holds("!answered.amount && answers.amount == 0 && answers.colour == ''", facts)
    assert holds("!answered.until && answers.until.getFullYear() == 1970", facts)


def test_a_text_and_a_number_come_out_as_such(offering_with):
    document = offering_with()
    facts = facts_of(document)
    assert text_of(document.title, facts) == "A red thing for José Almeida"
    assert number_of("answers.amount * 2", facts) == 50
    assert text_of("day_text(answers.until)", facts) == "18 December 2026"


def test_text_that_looks_like_code_stays_text(offering_with):
    document = offering_with()
    for text in ("{{7*7}}", "{0.__class__}", "' + today + '", '" || true || "'):
        beneficiary = replace(JOSE, name=text)
        assert (
            text_of(document.title, facts_of(document, beneficiary=beneficiary)) == f"A red thing for {text}"
        )


def test_parameters_are_answers_expressions_and_literals(offering_with):
    document = offering_with()
    (step,) = document.fulfilment
    assert parameters_of(step, facts_of(document)) == {
        "colour": "red",
        "label": "for jose.almeida",
        "days": 3,
    }


def test_a_date_from_an_expression_is_an_iso_day(offering_with):
    document = offering_with("\"'for ' + beneficiary.user_name\"", "answers.until + days(1)")
    (step,) = document.fulfilment
    assert parameters_of(step, facts_of(document))["label"] == "2026-12-19"


def test_the_last_day_comes_from_a_date_or_from_a_number_of_days(offering_with):
    document = offering_with()
    assert last_day(document, facts_of(document)) == date(2026, 12, 18)
    assert last_day(document, facts_of(document, {})) is None
    counted = offering_with("ends: {date: until}", "ends: {days: answers.amount}")
    assert last_day(counted, facts_of(counted)) == date(2026, 12, 13)
    endless = offering_with("ends: {date: until}\nlongest_days: 60\n", "")
    assert last_day(endless, facts_of(endless)) is None


def test_the_owner_of_what_was_chosen_is_the_first_resource_that_fits(offering_with):
    document = offering_with(
        "target: 2d",
        "resources:\n  colour:\n    - {name: Reds, values: ['r.*'], owner: crm-owners, sensitivity: critical}\n"
        "    - {name: All, values: ['.+'], owner: erp-owners}\ntarget: 2d",
    )
    assert owning_group(facts_of(document), "colour") == "crm-owners"
    assert owning_group(facts_of(document, {**ANSWERS, "colour": "blue"}), "colour") == "erp-owners"
    assert owning_group(facts_of(document, {**ANSWERS, "colour": ""}), "colour") is None
    assert holds(
        "derived.colour.sensitivity == 'critical' && derived.colour.resource == 'Reds'", facts_of(document)
    )


@pytest.mark.parametrize(
    "expression",
    [
        "1 / answers.amount == 1",
        "['a'][5] == 'a'",
        "answers.reason.matches(answers.reason + '(')",
        "days(99999999) < days(1)",
    ],
)
def test_an_expression_that_gives_no_value_fails_and_is_never_an_answer(offering_with, expression):
    facts = facts_of(offering_with(), {**ANSWERS, "amount": 0})
    with pytest.raises(RuleFailed) as caught:
        holds(expression, facts)
    assert caught.value.expression == expression
    assert caught.value.why
    assert "Tell the offering's owner" in caught.value.sentence


def test_an_expression_that_would_run_long_is_stopped_by_its_budget(offering_with):
    ten = "[0,1,2,3,4,5,6,7,8,9]"
    expression = f"{ten}.all(a, {ten}.all(b, {ten}.all(c, {ten}.all(d, {ten}.all(e, a >= 0)))))"
    with pytest.raises(RuleFailed, match="cannot be worked out") as caught:
        holds(expression, facts_of(offering_with()))
    assert "budget" in caught.value.why


def test_a_value_of_the_wrong_type_is_no_answer(offering_with):
    with pytest.raises(RuleFailed):
        holds("answers.amount", facts_of(offering_with()))
    with pytest.raises(RuleFailed):
        number_of("true", facts_of(offering_with()))


def test_facts_that_are_a_plain_mapping_are_refused(offering_with):
    facts = facts_of(offering_with())
    with pytest.raises(TypeError, match="facts_for"):
        holds("true", MappingProxyType(dict(facts)))


def test_risk_cannot_be_read_before_it_is_known(offering_with):
    document = offering_with()
    facts = gather(document, ANSWERS, requester=ROSA, beneficiary=JOSE, today=TODAY)
    assert not facts.with_risk
    with pytest.raises(RuleFailed):
        holds("risk.level == 'low'", facts)


def test_an_unknown_name_is_refused_when_it_is_compiled(offering_with):
    names = names_of(offering_with())
    check_expression("answers.amount > 1", names, "bool")
    with pytest.raises(NotAnExpression) as caught:
        check_expression("answers.amount > 1 &&\n  answers.amuont > 1", names, "bool")
    assert caught.value.unknown == "answers.amuont"
    assert caught.value.line == 2
