"""Filling in an offering's form as a person does, question by question, from a worked example."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Locator, Page

from catalog.offerings.fields import FormField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.questions import FromToday
from tests.browser.journeys import follow

CHOSEN_BY_BUTTONS = {"one_of", "protocol", "some_of"}


def fill(page: Page, document: OfferingDocument, answers: Mapping[str, Any]) -> None:
    """Answer every question that has an answer here, in the form's order.

    A question that hangs on other answers is asked once those were sent.
    """
    known = [field for field in document.fields if field.name in answers]
    for field in list(known):
        if _asked(page, field):
            _answer(page, field, answers[field.name])
            known.remove(field)
    if known:
        follow(page, page.get_by_role("button", name="Continue to review"))
        for field in known:
            _answer(page, field, answers[field.name])


def _asked(page: Page, field: FormField) -> bool:
    return field.show_when is None or page.locator(f"#{field.name}").count() > 0


def _answer(page: Page, field: FormField, answer: Any) -> None:
    if field.kind == "table":
        _fill_rows(page, field, answer)
    elif field.kind == "file":
        _named(page.get_by_role("group"), field).get_by_label("Choose files").set_input_files(answer)
    elif field.kind == "boolean":
        page.get_by_label(field.label).set_checked(answer)
    elif field.kind in CHOSEN_BY_BUTTONS and page.locator(f'input[name="{field.name}"]').count():
        group = page.get_by_role("group", name=field.label)
        ticked = answer if isinstance(answer, list | tuple) else [answer]
        for box in group.locator("input").all():
            if box.get_attribute("value") in ticked:
                box.check()
            elif box.get_attribute("type") == "checkbox":
                box.uncheck()
    else:
        _type(page.get_by_label(_label(field)), answer)


def _type(control: Locator, answer: Any) -> None:
    if control.evaluate("element => element.tagName") == "SELECT":
        control.select_option(str(answer))
    else:
        control.fill(_text(answer))


def _text(answer: Any) -> str:
    """As it is typed; days are counted from today."""
    return answer.from_day(datetime.now(UTC).date()) if isinstance(answer, FromToday) else str(answer)


def _fill_rows(page: Page, field: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    labels = {column.name: column.label for column in field.columns}
    group = page.get_by_role("group", name=field.label)
    for number, row in enumerate(rows, start=1):
        for name, cell in row.items():
            _type(group.get_by_label(f"{labels[name]}, row {number}", exact=True), cell)


def _named(found: Locator, field: FormField) -> Locator:
    return found.filter(has_text=re.compile(rf"^\s*{re.escape(field.label)}"))


def _label(field: FormField) -> re.Pattern[str]:
    return re.compile(rf"^{re.escape(field.label)}( \(optional\))?$")
