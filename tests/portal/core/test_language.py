"""Languages: the reader's own, in requests, mails and texts that are kept."""

from __future__ import annotations

import json
import pickle

import pytest
from jinja2 import Environment
from sqlalchemy import select

from portal.core import language
from portal.core.language import (
    LANGUAGES,
    Said,
    _,
    every_language,
    kept,
    locale,
    ngettext,
    said,
    say,
    speaking,
    spoken,
    supported,
)
from portal.core.templates import teach

MESSAGE = "The portal does not speak that language."
GERMAN = "Diese Sprache spricht das Portal nicht."


def test_a_message_is_spoken_in_the_language_of_the_moment():
    assert _(MESSAGE) == MESSAGE
    with speaking("de-AT"):
        assert _(MESSAGE) == GERMAN
        assert locale().language == "de"
    assert _(MESSAGE) == MESSAGE
    assert str(locale()) == "en_GB"


def test_a_language_that_is_not_ours_is_english():
    with speaking("de"), speaking("pt-PT"):
        assert _(MESSAGE) == MESSAGE


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_de.UTF-8", "de"),
        ("en-US", "en"),
        ("pt", None),
        ("", None),
        ("*", None),
    ],
)
def test_our_language_for_a_code(code, ours):
    assert supported(code) == ours


def test_values_go_in_by_name_and_a_percent_sign_alone_stays():
    assert _("100 %") == "100 %"
    assert _("%(who)s has 5 %%", who="Ana") == "Ana has 5 %"
    assert ngettext("%(number)s day", "%(number)s days", 1) == "1 day"
    assert ngettext("%(number)s day", "%(number)s days", 3) == "3 days"


def test_a_counted_number_is_written_as_the_language_writes_numbers():
    page = Environment(autoescape=True)
    teach(page)
    counted = page.from_string(
        "{{ ngettext('%(num)s day & %(what)s', '%(num)s days & %(what)s', n, what='<b>') }}"
    )
    assert counted.render(n=3650) == "3,650 days & &lt;b&gt;"
    assert ngettext("%(number)s day", "%(number)s days", 3650) == "3,650 days"
    with speaking("de"):
        assert ngettext("%(number)s day", "%(number)s days", 3650) == "3.650 Tage"
        within = page.from_string("{{ ngettext('Within %(num)s day', 'Within %(num)s days', 3650) }}")
        assert within.render() == "Innerhalb von 3.650 Tagen"


def test_what_is_said_in_every_language_reads_as_english_and_is_spoken_in_the_readers():
    text = say(MESSAGE)
    assert text == MESSAGE
    assert set(text.languages) == set(LANGUAGES)
    with speaking("de"):
        assert spoken(text) == GERMAN
        assert spoken(kept(text)) == GERMAN
        assert spoken("plain") == "plain"
    assert said(json.loads(json.dumps(kept(text)))).languages == text.languages
    assert pickle.loads(pickle.dumps(text)).languages == text.languages


def test_a_text_inside_a_text_goes_in_by_language():
    inner = say(MESSAGE)
    outer = say("Note: %(what)s", what=inner)
    assert outer == f"Note: {MESSAGE}"
    assert GERMAN in outer.languages["de"]
    assert every_language(lambda: f"({_(MESSAGE)})").languages["de"] == f"({GERMAN})"


def test_a_column_keeps_every_language(db):
    from sqlalchemy import Column, Integer, MetaData, Table

    table = Table(
        "said", MetaData(), Column("id", Integer, primary_key=True), Column("text", language.SaidText())
    )
    with db.transaction() as session:
        table.create(session.connection())
        session.execute(table.insert(), [{"id": 1, "text": say(MESSAGE)}, {"id": 2, "text": "plain"}])
        found, plain = session.scalars(select(table.c.text).order_by(table.c.id)).all()
        assert isinstance(found, Said)
        assert found.languages["de"] == GERMAN
        assert plain == "plain"
        table.drop(session.connection())
