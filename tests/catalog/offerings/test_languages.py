"""Offerings in other languages: texts are found by the English one, and nothing that is decided hangs on them."""

from __future__ import annotations

from typing import get_args

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.offerings.answers import check_answers
from catalog.offerings.checks import check_files, lacking
from catalog.offerings.facts import Facts
from catalog.offerings.form_context import FormContext
from catalog.offerings.forms import build_form
from catalog.offerings.language import Translated
from catalog.offerings.presenters import asked_sections
from catalog.offerings.reading import OfferingFileError, read_offering
from catalog.offerings.rules import assess_risk, facts_for, parameters_of, say_text
from catalog.offerings.search import search
from catalog.offerings.translating import folded, texts_in
from portal.cli import cli
from portal.core.assets import services_folder
from portal.core.errors import FieldErrors
from portal.core.language import LANGUAGES, SOURCE, speaking, spoken
from tests.catalog.offerings.conftest import ROSA, SMALL, TODAY, StaticPeople

FILES = sorted(services_folder().glob("*.yaml"))
DOCUMENTS = [read_offering(file.read_bytes(), file.name) for file in FILES]
GERMAN = {
    "A small thing": "Ein kleines Ding",
    "Who is it for?": "Für wen ist es?",
    "Colour": "Farbe",
    "Red": "Rot",
    "Blue": "Blau",
    "Blue ones come in tens at most.": "Blaue gibt es höchstens zu zehnt.",
    "Red is seen from afar": "Rot sieht man von weitem",
    "'A ' + answers.colour + ' thing for ' + beneficiary.name": "derived.colour.label + 'es Ding: ' + beneficiary.name",
}
ANSWERS = {"person": "rosa.requester", "colour": "red", "reason": "For a test.", "until": "2026-12-01"}


def in_german(translations, text=SMALL):
    return text + yaml.safe_dump({"languages": {"de": translations}}, allow_unicode=True, width=10_000)


@pytest.fixture(scope="module")
def small_thing():
    return read_offering(in_german(GERMAN), "small.yaml")


def facts_of(document, **answers) -> Facts:
    return facts_for(document, {**ANSWERS, **answers}, requester=ROSA, beneficiary=ROSA, today=TODAY)


def refusal(text):
    with pytest.raises(OfferingFileError) as refused:
        read_offering(text, "small.yaml")
    (problem,) = refused.value.problems
    return problem


def test_every_language_of_the_portal_but_the_source_can_be_written():
    assert set(get_args(Translated)) == set(LANGUAGES) - {SOURCE}


def test_texts_are_spoken_and_what_is_not_translated_stays_english(small_thing):
    german = small_thing.in_language("de")
    assert (german.name, german.summary) == ("Ein kleines Ding", "One small thing for a day.")
    assert german.find_field("colour").choices[0].label == "Rot"
    assert german.find_field("colour").choices[0].value == "red"
    assert small_thing.in_language("en") is small_thing
    assert small_thing.in_language("xx") is small_thing
    with speaking("de"):
        assert small_thing.spoken() is german
        assert german.spoken() is german
        assert small_thing.speak("Red is seen from afar") == "Rot sieht man von weitem"
        assert small_thing.speak("written by somebody") == "written by somebody"
    assert small_thing.speak("Red is seen from afar") == "Red is seen from afar"


def test_the_digest_covers_the_translations_and_is_the_same_in_every_language(small_thing):
    german = small_thing.in_language("de")
    assert german.digest == small_thing.digest
    assert german.source is small_thing
    others = [read_offering(text, "x") for text in (SMALL, in_german({**GERMAN, "Red": "Blutrot"}))]
    assert len({small_thing.digest, *(other.digest for other in others)}) == 3


@settings(max_examples=40)
@given(st.sampled_from(DOCUMENTS), st.data())
def test_a_document_in_another_language_has_each_translation_at_its_place_and_nothing_else(document, data):
    texts = [text for text in texts_in(document) if text.kind != "sentence"]
    chosen = data.draw(st.lists(st.sampled_from(texts), max_size=8))
    given_ = {text.text: f"[{number}] ÄÖ" for number, text in enumerate(chosen)}
    changed = document.model_copy(update={"languages": {"de": given_}})
    changed.__dict__.pop("digest", None)
    changed.__dict__.pop("_translations", None)
    by_text = {folded(english): text for english, text in given_.items()}
    before, after = texts_in(document), texts_in(changed.in_language("de"))
    assert [(text.path, text.kind) for text in before] == [(text.path, text.kind) for text in after]
    assert [text.text for text in after] == [by_text.get(folded(text.text), text.text) for text in before]
    plain = changed.in_language("de").model_dump(exclude={"languages"})
    assert plain["slug"] == document.slug
    assert plain["example"] == document.model_dump()["example"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_ships_is_complete_in_every_language(file):
    assert [str(problem) for problem in check_files([file], complete=True)] == []


def test_what_decides_reads_the_published_text_whoever_asks(small_thing):
    strict = read_offering(
        in_german(GERMAN).replace('answers.colour == "red"', "derived.colour.label == 'Red'"), "x"
    )
    with speaking("de"):
        risk = assess_risk(strict, facts_of(strict.spoken()))
        assert [reason.because for reason in risk.reasons] == ["Red is seen from afar"]
        assert [strict.speak(reason.because) for reason in risk.reasons] == ["Rot sieht man von weitem"]
        answers = check_answers(strict, ANSWERS, context_of_rosa())
    assert risk.to_json() == assess_risk(strict, facts_of(strict)).to_json()
    assert answers == check_answers(strict, ANSWERS, context_of_rosa())


def context_of_rosa():
    return FormContext(ROSA, TODAY, StaticPeople())


def test_rules_and_forms_speak_the_language_of_whoever_fills_them_in(small_thing):
    context = context_of_rosa()
    with speaking("de"):
        with pytest.raises(FieldErrors) as refused:
            check_answers(small_thing, {**ANSWERS, "colour": "blue", "amount": "11"}, context)
        form = build_form(small_thing, context)(None)
        questions = [
            str(asked.field.label.text) for section in asked_sections(form) for asked in section.fields
        ]
    assert [error.message for error in refused.value.errors] == ["Blaue gibt es höchstens zu zehnt."]
    assert questions[:2] == ["Für wen ist es?", "Farbe"]


def test_a_title_is_said_in_every_language_with_choices_called_as_each_calls_them(small_thing):
    title = say_text(small_thing.title, facts_of(small_thing), longest=300)
    assert title == "A red thing for Rosa Requester"
    with speaking("de"):
        assert spoken(title) == "Rotes Ding: Rosa Requester"
        assert say_text(small_thing.title, facts_of(small_thing), longest=300) == title
        assert spoken(say_text(small_thing.title, facts_of(small_thing), longest=6)) == "Rotes…"


def test_what_people_are_asked_to_do_is_said_in_every_language():
    document = read_offering((services_folder() / "endpoint-agent.yaml").read_bytes(), "endpoint-agent.yaml")
    hosts = [{"host": f"app{n}.meridian.example", "system": "linux", "use": "test"} for n in (1, 2)]
    facts = facts_for(document, {"hosts": hosts}, requester=ROSA, beneficiary=ROSA, today=TODAY)
    parameters = parameters_of(document.fulfilment[0], facts)
    assert parameters["title"] == "Endpoint agent on 2 servers"
    with speaking("de"):
        assert spoken(parameters["title"]) == "Endpoint-Agent auf 2 Servern"
        assert spoken(parameters["checklist"][0]) == "Installiert und gemeldet: app1.meridian.example"
        assert parameters_of(document.fulfilment[0], facts)["group"] == parameters["group"]


def test_an_entry_for_a_text_that_is_nowhere_is_refused_with_the_nearest_one():
    problem = refusal(in_german({**GERMAN, "Colr": "Farbe"}))
    assert problem.message == "there is no text 'Colr' in this offering; did you mean 'Colour'?"
    assert problem.field == "languages.de.Colr"
    line = in_german({**GERMAN, "Colr": "Farbe"}).splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("Colr:")


@pytest.mark.parametrize(
    ("translations", "message"),
    [
        ({"Colour": "Far\nbe"}, "this text stands in one line of at most 300 characters"),
        ({"Colour": "F" * 301}, "this text stands in one line of at most 300 characters"),
        ({"Red": "Rot", "Red ": "Blutrot"}, "this text is translated twice; keep one of them"),
        (
            {"'A ' + answers.colour + ' thing for ' + beneficiary.name": "answers.color"},
            "there is no name 'answers.color' here; did you mean 'answers.colour'?",
        ),
        (
            {"'A ' + answers.colour + ' thing for ' + beneficiary.name": "answers.amount"},
            "this gives a whole number, and a text is needed",
        ),
    ],
)
def test_a_translation_that_does_not_fit_its_place_is_refused(translations, message):
    assert refusal(in_german(translations)).message == message


def test_an_unknown_language_is_refused_with_the_nearest_one():
    text = SMALL + "languages:\n  dee:\n    Colour: Farbe\n"
    assert refusal(text).message == "'dee' is not known here; did you mean 'de'?"
    assert refusal(text).line == len(SMALL.splitlines()) + 2


def test_the_check_counts_what_is_not_translated_and_refuses_it_where_everything_must_be(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(in_german(GERMAN), encoding="utf-8")
    (told,) = lacking([file])
    assert told.startswith(f"{file}: de: ")
    assert told.endswith(" texts are not translated")
    shown = CliRunner().invoke(cli, ["offerings", "check", str(file)])
    assert (shown.exit_code, "texts are not translated" in " ".join(shown.output.split())) == (0, True)
    strict = CliRunner().invoke(cli, ["offerings", "check", "--complete", str(file)])
    assert strict.exit_code == 1
    place = next(number for number, line in enumerate(SMALL.splitlines(), 1) if line.startswith("summary:"))
    problems = check_files([file], complete=True)
    assert (problems[0].line, problems[0].field) == (place, "summary")
    assert problems[0].message == "de: 'One small thing for a day.' is not translated"


@pytest.mark.parametrize(
    ("term", "first"),
    [
        ("Serverzertifikat", "tls-certificate"),
        ("Zertifikat", "certificate-renewal"),
        ("Zertifkat erneuren", "certificate-renewal"),
        ("Firewall-Regel", "firewall-rule"),
        ("Passwort zurücksetzen", "password-reset"),
        ("passwort zuruecksetzen", "password-reset"),
        ("Paswort zurücksetzten", "password-reset"),
        ("Kennwort", "password-reset"),
        ("prüfung", "account-audit"),
        ("dienstleister", "vendor-access"),
        ("certificate revocation", "certificate-revocation"),
    ],
)
def test_a_german_reader_finds_it_by_german_words_and_by_english_ones(term, first):
    found = search([document.in_language("de") for document in DOCUMENTS], term)
    assert found[0].slug == first, [document.slug for document in found]


def test_a_word_is_found_inside_a_german_compound():
    documents = [document.in_language("de") for document in DOCUMENTS]
    assert search(documents, "einschätzung")[0].slug == "security-self-assessment"
    found = {document.slug for document in search(documents, "zertifikat")}
    assert found >= {"tls-certificate", "certificate-renewal", "certificate-revocation"}
    assert "account-audit" not in found
