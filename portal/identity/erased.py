"""What is left of a person who was erased: a row that others point at, and nothing by which anybody is known."""

from __future__ import annotations

from portal.identity.model import Person

#: No identity provider is called so, so nobody signs in as an erased person and no import finds one.
ISSUER = "countersign:erased"


def name_of_erased(person_id: int) -> str:
    """What is shown in place of the name."""
    return f"Erased person {person_id}"


def is_erased(person: Person) -> bool:
    """Whether the row is what is left of somebody."""
    return person.issuer == ISSUER


def make_shell(person: Person) -> None:
    """Take everything out of the row but its number and the unit that it belonged to."""
    person.issuer = ISSUER
    person.subject = str(person.id)
    person.user_name = f"erased-{person.id}"
    person.name = name_of_erased(person.id)
    # RFC 2606: no mail is ever delivered there.
    person.email = f"erased-{person.id}@erased.invalid"
    person.title = ""
    person.manager_id = None
    person.timezone = "UTC"
    person.locale = "en"
    person.language = ""
    person.active = False
    person.daily_mail = False
