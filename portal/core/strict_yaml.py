"""YAML that people write, read strictly: YAML 1.2's core schema, and nothing that unfolds, hides or repeats.

PyYAML's parser gives the events; everything above them is ours. A 332-byte alias bomb passes `safe_load`, `no` is
false to it and of two equal keys the last wins silently: measured. Here each of them is a problem with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from portal.core.language import _
from portal.core.times import number

LARGEST = 256 * 1024
DEEPEST = 20
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = {"", "~", "null", "Null", "NULL"}
_INTEGER = re.compile(r"[-+]?[0-9]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,15}|[0-9]{1,15}(\.[0-9]{0,15})?)([eE][-+]?[0-9]{1,2})?")
#: Control characters but tab and the ends of lines, and halves of characters.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
#: What YAML 1.2 reads as a number and no file of ours needs.
_ODD_NUMBER = re.compile(r"0[ox][0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[-+]?[0-9]{16,}")

#: Line and column, from 1.
Mark = tuple[int, int]
#: The keys and places that lead to a value.
Path = tuple[str | int, ...]
_Events = Iterator[Any]


class NotYaml(Exception):
    """The text is no YAML that is taken."""

    def __init__(self, mark: Mark, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.mark = mark
        self.message = message
        self.path = path


@dataclass(slots=True)
class YamlFile:
    """The content as JSON values, and where each value and each key stands (line and column from 1)."""

    content: Any = None
    values: dict[Path, Mark] = field(default_factory=dict)
    keys: dict[Path, Mark] = field(default_factory=dict)
    #: Values written over several lines with `|` or `>`: their text begins on the line after their mark.
    blocks: set[Path] = field(default_factory=set)


def read_yaml(source: str | bytes, *, largest: int = LARGEST) -> YamlFile:
    """The one document of a file of at most so many bytes.

    Raises NotYaml with the place of the first thing that is refused.
    """
    text = _decoded(source, largest)
    try:
        # The events come one by one, so that what nests too deeply is refused before all of it is read.
        return _document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(_place(mark), _plainly(error)) from error
    except yaml.reader.ReaderError as error:
        raise NotYaml((1, 1), _("a character in this file is not allowed in YAML")) from error


def _decoded(source: str | bytes, largest: int) -> str:
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "surrogatepass"))
    if size > largest:
        message = _(
            "this file has %(size)s bytes; at most %(largest)s are taken",
            size=number(size),
            largest=number(largest),
        )
        raise NotYaml((1, 1), message)
    text = source
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = source[: error.start].count(b"\n") + 1 if isinstance(source, bytes) else 1
            raise NotYaml((line, 1), _("this file is not UTF-8 text; save it as UTF-8")) from error
    unseen = _UNSEEN.search(text)
    if unseen:
        at = unseen.start()
        message = _(
            "there is a character here that cannot be seen (U+%(code)s); remove it",
            code=f"{ord(unseen[0]):04X}",
        )
        raise NotYaml((text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)), message)
    return text


def _document(events: _Events) -> YamlFile:
    file = YamlFile()
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise NotYaml(
                    _place(event.start_mark), _("one file holds one document; this begins a second")
                )
            file.content = _value(next(events), events, (), file)
    if documents == 0:
        raise NotYaml((1, 1), _("this file is empty"))
    return file


def _value(event: Any, events: _Events, path: Path, file: YamlFile) -> Any:
    mark = _place(event.start_mark)
    _refuse_what_unfolds(event, mark, path)
    file.values[path] = mark
    if isinstance(event, yaml.ScalarEvent):
        if event.style in ("|", ">"):
            file.blocks.add(path)
        return _scalar(event, mark, path)
    if len(path) >= DEEPEST:
        raise NotYaml(mark, _("this is nested more than %(most)s deep", most=DEEPEST), path)
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, path, file)
    return _mapping(events, path, file)


def _sequence(events: _Events, path: Path, file: YamlFile) -> list[Any]:
    items: list[Any] = []
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        items.append(_value(event, events, (*path, len(items)), file))
    return items


def _mapping(events: _Events, path: Path, file: YamlFile) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        mark = _place(event.start_mark)
        _refuse_what_unfolds(event, mark, path)
        key = _scalar(event, mark, path) if isinstance(event, yaml.ScalarEvent) else None
        if not isinstance(key, str):
            raise NotYaml(mark, _("a key is a word; put quotes around a number or a true"), path)
        here = (*path, key)
        if key in entries:
            raise NotYaml(
                mark,
                _(
                    "the key %(key)s stands here twice; the first is on line %(line)s",
                    key=repr(key),
                    line=file.keys[here][0],
                ),
                here,
            )
        file.keys[here] = mark
        entries[key] = _value(next(events), events, here, file)
    return entries


def _refuse_what_unfolds(event: Any, mark: Mark, path: Path) -> None:
    if isinstance(event, yaml.AliasEvent):
        raise NotYaml(
            mark, _("aliases are not taken (*%(name)s); write the value again", name=event.anchor), path
        )
    if event.anchor is not None:
        raise NotYaml(
            mark,
            _("anchors are not taken (&%(name)s); write the value where it is needed", name=event.anchor),
            path,
        )
    if event.tag is not None:
        raise NotYaml(mark, _("tags are not taken (%(tag)s); put quotes around a text", tag=event.tag), path)


def _scalar(event: Any, mark: Mark, path: Path) -> Any:
    text: str = event.value
    if _UNSEEN.search(text):
        raise NotYaml(mark, _("this text holds a character that cannot be seen; remove it"), path)
    if event.style:  # quoted or a block: always a text
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _ODD_NUMBER.fullmatch(text):
        raise NotYaml(
            mark, _("%(text)s is no number that is taken; put quotes around a text", text=text[:40]), path
        )
    return text


def _place(mark: Any) -> Mark:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _plainly(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem or "this is not YAML")
    if "found character that cannot start any token" in problem or "tab" in problem:
        return _(
            "a tab or special character stands here; indent with spaces, and put quotes around such a text"
        )
    if "mapping values are not allowed" in problem:
        return _("a colon stands here inside a text; put quotes around the text")
    return _("this is not YAML: %(problem)s", problem=problem)
