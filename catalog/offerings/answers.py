"""Checking answers: once when they are reviewed, and again, from what was typed, when they are submitted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.offerings.choices import silent
from catalog.offerings.derived import find_resource
from catalog.offerings.facts import Facts, PersonFacts, day_text, gather
from catalog.offerings.fields import FormField
from catalog.offerings.form_context import FormContext
from catalog.offerings.kinds import CHECKS, find_person
from catalog.offerings.language import OfferingDocument
from catalog.offerings.rules import broken_rules, facts_for, holds, last_day, lasts, starts_at
from catalog.offerings.typed import is_empty
from portal.core.errors import FieldError, FieldErrors
from portal.core.language import SOURCE, _, language, ngettext, spoken

__all__ = [
    "WHOLE_FORM",
    "check_answers",
    "check_with_facts",
    "facts_in",
    "is_asked",
    "is_empty",
    "missing_sentence",
]

#: Errors of the form as a whole carry this instead of a field's name.
WHOLE_FORM = ""


def check_answers(document: OfferingDocument, raw: Mapping[str, Any], context: FormContext) -> dict[str, Any]:
    """The answers as JSON values by field name, ready to be kept: ISO dates, lists, user names.

    `raw` holds what was typed, or answers that were checked before: both come out the same. What was not answered,
    or is not asked because of `show_when`, is left out. Raises FieldErrors with every problem, in the form's order.
    """
    answers, _facts = check_with_facts(document, raw, context)
    return answers


def check_with_facts(
    document: OfferingDocument, raw: Mapping[str, Any], context: FormContext
) -> tuple[dict[str, Any], Facts]:
    """As `check_answers`, with the facts that the answers were judged by."""
    document = document.spoken()
    errors = [
        FieldError(
            WHOLE_FORM,
            _("This form has no field “%(name)s”. Open it again and send it from there.", name=name[:60]),
        )
        for name in raw
        if document.find_field(name) is None
    ]
    answers: dict[str, Any] = {}
    for field in document.fields:
        if not is_asked(document, field, answers, context):
            continue
        try:
            answer = _checked(document, field, raw.get(field.name), context)
        except ValueError as error:
            errors.append(FieldError(field.name, _sentence(str(error))))
        else:
            if answer is not None:
                answers[field.name] = answer
    if errors:
        raise FieldErrors(tuple(errors))
    facts = facts_in(document, answers, context)
    errors.extend(_across(document, facts, context))
    if not errors:
        # Only what stands on its own is judged on the live target.
        errors.extend(_on_targets(document, answers, context))
    if errors:
        raise FieldErrors(tuple(errors))
    return answers, facts


def is_asked(
    document: OfferingDocument, field: FormField, answers: Mapping[str, Any], context: FormContext
) -> bool:
    """Whether the form asks this, given the answers above it."""
    if field.show_when is None:
        return True
    facts = gather(document, answers, requester=context.actor, beneficiary=context.actor, today=context.today)
    return holds(field.show_when, facts)


def facts_in(document: OfferingDocument, answers: Mapping[str, Any], context: FormContext) -> Facts:
    """The facts of checked answers, with risk, as the person in the context would submit them now."""
    beneficiary = _beneficiary(document, answers, context)
    return facts_for(
        document,
        answers,
        requester=context.actor,
        beneficiary=beneficiary,
        today=context.today,
        held=context.held(beneficiary.user_name) if document.conflicts else None,
    )


def missing_sentence(field: FormField) -> str:
    """What is said when a required field was not answered."""
    if field.missing:
        return field.missing
    if field.label.endswith("?"):
        return _("Answer “%(question)s”.", question=field.label)
    if field.kind == "table":
        return ngettext(
            "Fill in at least %(number)s row of “%(table)s”.",
            "Fill in at least %(number)s rows of “%(table)s”.",
            field.at_least,
            table=field.label,
        )
    label = field.label
    if language() == SOURCE and not label[1:2].isupper():  # other languages write nouns as they write them
        label = label[:1].lower() + label[1:]
    if field.kind in {"one_of", "some_of", "protocol", "date", "date_time", "group", "unit"}:
        return _("Choose the %(label)s.", label=label)
    return _("Enter the %(label)s.", label=label)


def _checked(document: OfferingDocument, field: FormField, typed: Any, context: FormContext) -> Any:
    if field.kind == "boolean":
        ticked = CHECKS["boolean"](field, typed, context)
        if field.required and not ticked:
            raise ValueError(field.missing or _("Tick “%(label)s” to go on.", label=field.label))
        return ticked
    if is_empty(typed):
        if field.required:
            raise ValueError(missing_sentence(field))
        return None
    answer = CHECKS[field.kind](field, typed, context)
    if field.name in document.resources and find_resource(document, field.name, answer) is None:
        raise ValueError(
            _(
                "“%(answer)s” has no owner in the catalogue yet, so nobody could approve it. Choose another.",
                answer=answer,
            )
        )
    return answer


def _across(document: OfferingDocument, facts: Facts, context: FormContext) -> list[FieldError]:
    errors = list(broken_rules(document, facts))
    last = last_day(document, facts)
    if last is not None and document.ends is not None:
        field = document.ends.date or WHOLE_FORM
        if last < context.today:
            errors.append(FieldError(field, _("The end lies in the past. Choose a later one.")))
        elif document.longest_days is not None and (last - context.today).days > document.longest_days:
            latest = date.fromordinal(context.today.toordinal() + document.longest_days)
            errors.append(
                FieldError(
                    field,
                    _(
                        "This lasts at most %(days)s days. Choose %(latest)s or earlier.",
                        days=document.longest_days,
                        latest=day_text(latest),
                    ),
                )
            )
    return errors + _by_the_clock(document, facts, context)


def _by_the_clock(document: OfferingDocument, facts: Facts, context: FormContext) -> list[FieldError]:
    """What is wrong with an end that is counted from a moment."""
    duration, start = lasts(document, facts), starts_at(document, facts)
    if duration is None or document.ends is None:
        return []
    field = document.ends.lasting or WHOLE_FORM
    if document.longest_days is not None and duration > timedelta(days=document.longest_days):
        message = _("This lasts at most %(days)s days. Choose a shorter time.", days=document.longest_days)
        return [FieldError(field, message)]
    if start is not None and (start + duration).date() < context.today:
        return [FieldError(document.starts or field, _("The end lies in the past. Choose a later start."))]
    return []


def _on_targets(
    document: OfferingDocument, answers: Mapping[str, Any], context: FormContext
) -> list[FieldError]:
    errors = []
    for check in document.checked_by:
        try:
            problems = context.judge(check.connector, answers)
        except ConnectorError as error:
            message = silent(_("This cannot be checked now."), error)
            return [FieldError(WHOLE_FORM, message)]
        errors += [
            FieldError(
                problem.field if document.find_field(problem.field) else WHOLE_FORM, spoken(problem.message)
            )
            for problem in problems
            if problem.severity != "wide" or check.wide == "stop"
        ]
    return errors


def _beneficiary(document: OfferingDocument, answers: Mapping[str, Any], context: FormContext) -> PersonFacts:
    named = answers.get(document.beneficiary) if document.beneficiary else None
    return find_person(named, context) if named else context.actor


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!", "”")) else text + "."
