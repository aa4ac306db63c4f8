"""Which language a reader is answered in, and how they choose another."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from portal.identity.model import Person

pytestmark = pytest.mark.on_sqlite


def language_of(answer):
    found = re.search(r'<html lang="([a-z]+)"', answer.text).group(1)
    assert answer.headers["Content-Language"] == found
    return found


def test_a_stranger_is_answered_as_their_browser_asks(site):
    visitor = site.visitor()
    assert language_of(visitor.get(site.url)) == "en"
    assert (
        language_of(visitor.get(site.url, headers={"Accept-Language": "fr, de-CH;q=0.8, en;q=0.5"})) == "de"
    )
    assert language_of(visitor.get(site.url, headers={"Accept-Language": "fr, \x00"})) == "en"


def test_a_stranger_chooses_a_language_that_the_browser_keeps(site):
    visitor = site.visitor()
    assert language_of(visitor.get(f"{site.url}/language/de?next=/")) == "de"
    assert language_of(visitor.get(site.url)) == "de"
    away = visitor.get(f"{site.url}/language/en?next=//elsewhere.example/", allow_redirects=False)
    assert away.headers["Location"] == "/"
    assert visitor.get(f"{site.url}/language/xx").status_code == 404


def test_a_person_chooses_a_language_for_every_browser_and_for_mails(site):
    visitor = site.visitor("beatriz.sousa")
    page = visitor.get(f"{site.url}/catalogue")
    assert language_of(page) == "en"
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text).group(1)
    chosen = visitor.post(f"{site.url}/language/de", data={"csrf_token": token, "next": "/requests"})
    assert chosen.url == f"{site.url}/requests"
    assert language_of(chosen) == "de"
    assert language_of(site.visitor("beatriz.sousa").get(f"{site.url}/catalogue")) == "de"
    with site.portal.db.reading() as session:
        assert session.scalar(select(Person.language).where(Person.user_name == "beatriz.sousa")) == "de"


def test_a_person_reads_the_language_of_their_account_until_they_choose(site):
    assert language_of(site.visitor("ingrid.vogel").get(f"{site.url}/catalogue")) == "de"


def test_nothing_is_chosen_without_the_forms_token(site):
    visitor = site.visitor("beatriz.sousa")
    assert visitor.post(f"{site.url}/language/de").status_code == 400
    assert language_of(visitor.get(f"{site.url}/catalogue")) == "en"
