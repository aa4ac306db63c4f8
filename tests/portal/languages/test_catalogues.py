"""The catalogues hold what the code and the templates say, all of it, in every language, with the same values."""

from __future__ import annotations

import ast
import gettext
import io
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from portal.core.assets import ROOT, languages_folder
from portal.core.language import DOMAIN, LANGUAGES, SOURCE

TRANSLATED = [code for code in LANGUAGES if code != SOURCE]
#: Babel gives these by itself where a message is for a number; a translator may write the number as a word.
NUMBERS = {"number", "num"}
_VALUE = re.compile(r"%(?:\((\w+)\)s|%\{(\w+)\})")
_TAG = re.compile(r"</?\w+")


def po_of(code: str) -> Path:
    return languages_folder() / code / "LC_MESSAGES" / f"{DOMAIN}.po"


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What `make languages` collects."""
    target = tmp_path_factory.mktemp("languages") / "messages.pot"
    line = next(
        line
        for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
        if "pybabel -q extract" in line
    )
    command = shlex.split(line.replace("$(BIN)/", f"{Path(sys.executable).parent}/"))
    command[command.index("-o") + 1] = str(target)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr, done.stderr
    with target.open("rb") as file:
        return read_po(file)


def catalogue(code: str) -> Catalog:
    with po_of(code).open("rb") as file:
        return read_po(file)


def keys(messages: Catalog) -> set[tuple[str | None, str, str]]:
    return {(m.context, *pair(m.id)) for m in messages if m.id}


def pair(texts: str | tuple[str, ...] | list[str]) -> tuple[str, str]:
    return (texts, "") if isinstance(texts, str) else (texts[0], texts[1])


def each(code: str) -> Iterator[tuple[Message, tuple[str, ...], tuple[str, ...]]]:
    """Every message with its English and its translated texts."""
    for message in catalogue(code):
        if message.id:
            english = (message.id,) if isinstance(message.id, str) else tuple(message.id)
            said = (message.string,) if isinstance(message.string, str) else tuple(message.string)
            yield message, english, said


def values_in(text: str) -> set[str]:
    return {first or second for first, second in _VALUE.findall(text)}


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_catalogue_has_what_is_said_and_nothing_else(collected: Catalog, code: str) -> None:
    assert len(collected) > 1000
    found = catalogue(code)
    assert keys(found) == keys(collected), "run `make languages` and translate what is new"
    assert not found.obsolete


def test_every_message_that_the_code_names_is_collected(collected: Catalog) -> None:
    known = {text for message in collected if message.id for text in pair(message.id)}
    missing = []
    for package in ("portal", "catalog", "approvals", "reports"):
        for path in (ROOT / package).rglob("*.py"):
            if re.search(r"development_|/(demo|doctor|supervisor)/", str(path)):
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            missing += [f"{path}: {text}" for text in _named(tree) if text not in known]
    assert missing == [], "a message inside an f-string is not seen: name it before"


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = {"_": 0, "gettext": 0, "N_": 0, "say": 0, "ngettext": 0, "pgettext": 1}.get(node.func.id)
            if place is not None and len(node.args) > place:
                text = node.args[place]
                assert not isinstance(text, ast.JoinedStr), f"a message is an f-string: {ast.unparse(node)}"
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield text.value


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_message_is_translated_and_none_is_a_guess(code: str) -> None:
    assert [m.id for m, _, _ in each(code) if m.fuzzy] == []
    assert [
        m.id for m, english, said in each(code) if not all(said) or (len(english) > 1) != (len(said) > 1)
    ] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_has_the_values_of_its_message(code: str) -> None:
    wrong = []
    for message, english, said in each(code):
        free = NUMBERS if len(english) > 1 else set()
        # One thing and several may be told with other values.
        wrong += [
            (message.id, text)
            for text, form in zip(said, english, strict=False)
            if values_in(text) | free != values_in(form) | free
        ]
    assert wrong == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_can_be_filled_in_wherever_its_message_can(code: str) -> None:
    wrong = []
    for message, english, said in each(code):
        given = {name: "x" for text in english for name in values_in(text)} | dict.fromkeys(NUMBERS, 1)
        for text in said:
            try:
                english[-1] % given
            except (ValueError, TypeError):
                continue  # a lone percent sign, which is never filled in
            try:
                text % given
            except (ValueError, TypeError, KeyError) as error:
                wrong.append((message.id, text, str(error)))
    assert wrong == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_has_the_marks_of_its_message(code: str) -> None:
    wrong = [
        (message.id, text)
        for message, english, said in each(code)
        for text in said
        if Counter(_TAG.findall(text)) != Counter(_TAG.findall(english[-1]))
    ]
    assert wrong == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_is_shipped_is_what_the_catalogue_compiles_to(code: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(code))
    compiled.seek(0)
    with po_of(code).with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file)._catalog == gettext.GNUTranslations(compiled)._catalog
