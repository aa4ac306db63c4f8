"""The pages of one sign-in, in order, and what an answer to each changes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from enum import StrEnum

from portal.identity.development_sso.people import Person
from portal.identity.development_sso.store import Attempt

MAXIMUM_WRONG = 5


class Step(StrEnum):
    """The pages, by the names of their templates."""

    PEOPLE = "people"
    PASSWORD = "password"  # noqa: S105  (a page's name)
    SECOND_FACTOR = "second_factor"
    CONSENT = "consent"
    DONE = "done"


class TooManyTries(Exception):
    """The attempt is over; the person starts again from the application."""


class ConsentRefused(Exception):
    """The person does not want the client to know who they are."""


def current_step(attempt: Attempt) -> Step:
    """The first page that still wants an answer."""
    if attempt.needs_login and attempt.subject is None:
        return Step.PEOPLE
    if attempt.needs_login and not attempt.password_given:
        return Step.PASSWORD
    if attempt.needs_second_factor and not attempt.second_factor_given:
        return Step.SECOND_FACTOR
    if attempt.needs_consent and not attempt.consent_given:
        return Step.CONSENT
    return Step.DONE


def take_answer(
    attempt: Attempt, form: Mapping[str, str], people: Mapping[str, Person], password: str
) -> str | None:
    """Take what the form holds; returns the sentence to show beside the field when it is wrong.

    `people` is by user name. Raises TooManyTries after five wrong answers, ConsentRefused when told so.
    """
    step = current_step(attempt)
    if step is Step.PASSWORD and "choose" in form:
        attempt.subject = None
        return None
    if step is Step.PEOPLE:
        problem = _take_person(attempt, people.get(form.get("person", "")))
        # A client without pages may send name and password at once.
        if problem or "password" not in form:
            return problem
        step = Step.PASSWORD
    if step is Step.PASSWORD:
        return _take_password(attempt, form.get("password", ""), password)
    if step is Step.SECOND_FACTOR:
        return _take_one_time_code(attempt, form.get("one_time_code", ""))
    if form.get("consent") == "no":
        raise ConsentRefused
    attempt.consent_given = form.get("consent") == "yes"
    return None


def _take_person(attempt: Attempt, person: Person | None) -> str | None:
    if person is None:
        return "Choose who you are"
    if not person.active:
        return f"The account of {person.name} is closed. Choose somebody else"
    attempt.subject = person.subject
    return None


def _take_password(attempt: Attempt, given: str, password: str) -> str | None:
    if not given:
        return "Enter the password"
    if secrets.compare_digest(given.encode(), password.encode()):
        attempt.password_given = True
        return None
    _count(attempt)
    return "This is not the password. It is shown on this page"


def _take_one_time_code(attempt: Attempt, given: str) -> str | None:
    given = "".join(given.split())
    if not given:
        return "Enter the six digits"
    if secrets.compare_digest(given.encode(), attempt.one_time_code.encode()):
        attempt.second_factor_given = True
        return None
    _count(attempt)
    return "These are not the six digits. They are shown on this page"


def _count(attempt: Attempt) -> None:
    attempt.wrong += 1
    if attempt.wrong >= MAXIMUM_WRONG:
        raise TooManyTries
