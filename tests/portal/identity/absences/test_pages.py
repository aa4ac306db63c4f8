"""People say themselves when they are away; what was imported stays as it is."""

from __future__ import annotations

from datetime import timedelta

import html5lib
import pytest
from sqlalchemy import select

from portal.audit.model import Entry, PersonalValue
from portal.core.clock import now
from portal.identity.model import Absence, Person

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def send(site):
    """Posts a form of the page with what changed."""

    def sent(visitor, path="/me/absences", **fields):
        page = html5lib.parse(visitor.get(f"{site.url}/me/absences").text, namespaceHTMLElements=False)
        token = next(field.get("value") for field in page.iter("input") if field.get("name") == "csrf_token")
        return visitor.post(f"{site.url}{path}", data={"csrf_token": token, **fields}, allow_redirects=False)

    return sent


def absences(site):
    with site.portal.db.reading() as session:
        return session.execute(
            select(Absence.id, Person.user_name, Absence.first_day, Absence.last_day, Absence.imported)
            .join(Person, Person.id == Absence.person_id)
            .order_by(Absence.id)
        ).all()


def test_an_absence_is_added_shown_recorded_and_removed_by_its_owner_alone(site, send):
    visitor, other = site.visitor("beatriz.sousa"), site.visitor("marcus.johnson")
    with site.portal.db.reading() as session:
        today = now(session).date()
    before = len(absences(site))
    days = {"first_day": (today + timedelta(1)).isoformat(), "last_day": (today + timedelta(3)).isoformat()}
    for wrong, sentence in (
        ({"first_day": ""}, "Enter the first day."),
        ({"last_day": "soon"}, "Enter the day like"),
        ({"last_day": today.isoformat()}, "not before the first"),
        ({"last_day": (today + timedelta(900)).isoformat()}, "two years at most"),
        ({"first_day": "2020-01-01", "last_day": "2020-01-02"}, "over already"),
    ):
        answer = send(visitor, **{**days, **wrong})
        assert answer.status_code == 422
        assert sentence in answer.text
    assert send(visitor, **days, more="1").status_code == 400
    assert send(visitor, **days).status_code == 303
    assert "stands there already" in send(visitor, **days).text
    number, name, first, last, imported = absences(site)[-1]
    assert (name, first, last, imported) == (
        "beatriz.sousa",
        today + timedelta(1),
        today + timedelta(3),
        False,
    )
    with site.portal.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == "absence:added")).one()
        value = session.scalars(select(PersonalValue).where(PersonalValue.entry_number == entry.number)).one()
    assert first.isoformat() not in entry.body
    assert value.value == f"{first.isoformat()}/{last.isoformat()}"
    assert send(other, f"/me/absences/{number}/remove").status_code == 404
    assert send(visitor, f"/me/absences/{number}/remove").status_code == 303
    assert len(absences(site)) == before


def test_an_imported_one_is_shown_and_cannot_be_removed(site, send):
    with site.portal.db.transaction() as session:
        person = session.scalars(select(Person).where(Person.user_name == "beatriz.sousa")).one()
        day = now(session).date() + timedelta(10)
        absence = Absence(person_id=person.id, first_day=day, last_day=day, imported=True)
        session.add(absence)
        session.flush()
        number = absence.id
    visitor = site.visitor("beatriz.sousa")
    text = visitor.get(f"{site.url}/me/absences").text
    assert day.strftime("%B") in text
    assert "directory" in text
    assert f"/me/absences/{number}/remove" not in text
    assert send(visitor, f"/me/absences/{number}/remove").status_code == 404
    assert number in {row[0] for row in absences(site)}
