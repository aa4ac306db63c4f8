"""The page of language and mail."""

from __future__ import annotations

import html5lib
import pytest
from sqlalchemy import select

from portal.audit.model import Entry
from portal.identity.model import Person
from portal.notifications import notify
from portal.notifications.model import Message
from tests.fixtures_notifications import MESSAGES

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def save(site):
    """Sends the form as the page gave it, with changes; gives the answer."""

    def sent(visitor, **changed):
        page = html5lib.parse(visitor.get(f"{site.url}/me/mail").text, namespaceHTMLElements=False)
        token = next(field.get("value") for field in page.iter("input") if field.get("name") == "csrf_token")
        fields = {"csrf_token": token, "language": "en", "mails": "each", **changed}
        return visitor.post(f"{site.url}/me/mail", data=fields, allow_redirects=False)

    return sent


def test_language_and_mail_are_kept_and_the_rest_is_refused(site, save):
    visitor = site.visitor("beatriz.sousa")
    assert save(visitor, language="fr").status_code == 422
    assert save(visitor, mails="never").status_code == 422
    assert save(visitor, more="1").status_code == 400
    assert save(visitor, language="de", mails="daily").status_code == 303
    with site.portal.db.transaction() as session:
        person = session.scalars(select(Person).where(Person.user_name == "beatriz.sousa")).one()
        assert (person.language, person.daily_mail) == ("de", True)
        entry = session.scalars(select(Entry.body).where(Entry.tag == "person:mail-chosen")).one()
        assert '"daily":true' in entry
        held = notify(session, "request_approved", person, MESSAGES["request_approved"])
        assert held.held_until is not None
        number = held.id
    assert '<html lang="de"' in visitor.get(f"{site.url}/me/mail").text
    assert save(visitor, language="de", mails="each").status_code == 303
    with site.portal.db.reading() as session:
        waiting = session.get_one(Message, number)
        assert waiting.held_until <= site.portal.db.clock(), "the next round sends it"
