"""The shipped offerings, damaged in one place each as a hand slips: every one is refused at that line and field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from catalog.offerings.problems import Path, path_text
from catalog.offerings.reading import OfferingFileError, read_offering
from portal.core.assets import services_folder
from portal.core.strict_yaml import YamlFile, read_yaml

FILES = sorted(services_folder().glob("*.yaml"))
#: Below these any key may stand: a connector's parameters and the columns of a worked example.
FREE = {"with", "example"}
#: Words whose values are taken from a list, so that a misspelt one has a nearest word or a list to choose from.
CHOSEN = {"kind", "relation", "retention", "then"}
#: Expressions, each of which must name something that is there.
EXPRESSIONS = {"when", "check", "show_when", "title", "audience", "rollback_required", "cel"}
EVERY = 7


@dataclass(frozen=True)
class Damage:
    """One damaged file: its text, the line that was damaged, and the field that must be named."""

    name: str
    text: str
    line: int
    field: str


def value_at(file: YamlFile, path: Path):
    value = file.content
    for part in path:
        value = value[part]
    return value


def is_free(path: Path) -> bool:
    return any(part in FREE for part in path[:-1])


def damages(source: str, name: str) -> Iterator[Damage]:
    file = read_yaml(source)
    lines = source.split("\n")
    keys = [path for path in file.keys if not is_free(path)]
    for path in keys[::EVERY]:
        line, column = file.keys[path]
        text = lines[line - 1]
        end = column - 1 + len(str(path[-1]))
        if text[column - 1 : end] == path[-1]:
            yield put(lines, name, line, f"{text[:end]}q{text[end:]}", (*path[:-1], f"{path[-1]}q"))
    for path in keys:
        value = value_at(file, path)
        line, column = file.values[path]
        text = lines[line - 1]
        if path[-1] in CHOSEN and isinstance(value, str) and text[column - 1 :].startswith(value):
            end = column - 1 + len(value)
            yield put(lines, name, line, f"{text[:end]}zz{text[end:]}", path)
    expressions = [path for path in file.values if path and path[-1] in EXPRESSIONS]
    for path in [path for path in expressions if path[-1] != "title" or len(path) == 1][::3]:
        value = value_at(file, path)
        line, column = file.values[path]
        text = lines[line - 1]
        if isinstance(value, str) and path not in file.blocks and text.rstrip().endswith(value[-6:]):
            yield put(lines, name, line, f"{text[: column - 1]}'answers.no_such_field'", path)


def put(lines: list[str], name: str, line: int, text: str, path: Path) -> Damage:
    damaged = [*lines[: line - 1], text, *lines[line:]]
    return Damage(f"{name}:{line}:{path_text(path)}", "\n".join(damaged), line, path_text(path))


CASES = [damage for file in FILES for damage in damages(file.read_text(encoding="utf-8"), file.stem)]


def test_there_are_more_than_two_hundred_of_them_in_every_file():
    assert len(CASES) > 200
    assert {damage.name.partition(":")[0] for damage in CASES} == {file.stem for file in FILES}


def wrong_with(damage: Damage) -> str:
    """What is wrong with how this damage was told; empty when it was told at its line and field."""
    try:
        read_offering(damage.text, "offering.yaml")
    except OfferingFileError as error:
        told = [problem for problem in error.problems if problem.field == damage.field]
        right = (
            bool(told)
            and told[0].line == damage.line
            and bool(told[0].message)
            and str(told[0]).startswith(f"offering.yaml:{damage.line}:")
        )
        return "" if right else str(error)
    return "it was taken"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_damaged_offering_is_refused_where_it_is_damaged(file):
    cases = [damage for damage in CASES if damage.name.startswith(f"{file.stem}:")]
    assert cases
    assert {damage.name: wrong for damage in cases if (wrong := wrong_with(damage))} == {}
