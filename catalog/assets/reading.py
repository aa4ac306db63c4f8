"""Reading a list of assets from CSV or YAML: every problem at once, each with its row and its column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from catalog.assets.model import CRITICALITIES
from portal.core.errors import PortalError
from portal.core.networks import parse_networks
from portal.core.strict_yaml import NotYaml, read_yaml
from portal.core.text import clean_line

COLUMNS = ("id", "name", "kind", "owner", "criticality", "zone", "addresses", "unit")
REQUIRED = frozenset({"id", "name", "kind", "owner", "criticality"})
_LONGEST = {
    "id": 60,
    "name": 200,
    "kind": 60,
    "owner": 120,
    "criticality": 10,
    "zone": 60,
    "unit": 80,
    "addresses": 2000,
}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")
_SLUG_LIKE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MOST_ASSETS = 50_000
LARGEST_FILE = 20 * 1024 * 1024
#: What people read of many problems; the rest are of the same kind.
MOST_PROBLEMS = 50


class AssetFileError(PortalError):
    """The file holds no list of assets; `problems` name row and column."""

    status = 422
    title = "This list of assets cannot be taken"

    def __init__(self, problems: Sequence[str]) -> None:
        shown = list(problems[:MOST_PROBLEMS])
        if len(problems) > MOST_PROBLEMS:
            shown.append(f"… and {len(problems) - MOST_PROBLEMS} more.")
        super().__init__("\n".join(shown))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class AssetLine:
    """One row. `owner` is a group's slug or a person's user name, `unit` a unit's slug or empty."""

    row: int
    id: str
    name: str
    kind: str
    owner: str
    criticality: str
    zone: str
    addresses: tuple[str, ...]
    unit: str


def read_assets(content: bytes, filename: str) -> tuple[AssetLine, ...]:
    """The assets in the file: CSV with a heading line, or YAML with a list `assets`. Raises AssetFileError."""
    if len(content) > LARGEST_FILE:
        raise AssetFileError(
            (f"{filename}: larger than {LARGEST_FILE // 1024 // 1024} MiB. Split the list.",)
        )
    as_yaml = filename.lower().endswith((".yaml", ".yml"))
    rows = list(_yaml_rows(content, filename) if as_yaml else _csv_rows(content, filename))
    problems: list[str] = []
    lines = [line for number, row in rows if (line := _line(number, row, problems)) is not None]
    seen: dict[str, int] = {}
    for line in lines:
        if line.id in seen:
            problems.append(f"row {line.row}, id: {line.id} stands in row {seen[line.id]} already.")
        seen.setdefault(line.id, line.row)
    if not rows:
        problems.append("The file names no asset.")
    if len(rows) > MOST_ASSETS:
        problems.append(f"These are {len(rows):,} assets; at most {MOST_ASSETS:,} can be taken.")
    if problems:
        raise AssetFileError([f"{filename}: {problem}" for problem in problems])
    return tuple(lines)


def _csv_rows(content: bytes, filename: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        text = content.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        _check_columns(reader.fieldnames or (), filename)
        for row in reader:
            yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise AssetFileError((f"{filename}: not UTF-8 at byte {error.start}. Save it as UTF-8.",)) from error
    except csv.Error as error:
        raise AssetFileError((f"{filename}: no readable CSV: {error}.",)) from error


def _yaml_rows(content: bytes, filename: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        read = read_yaml(content, largest=LARGEST_FILE).content
    except NotYaml as error:
        raise AssetFileError((f"{filename}:{error.mark[0]}:{error.mark[1]}: {error.message}",)) from error
    found = read.get("assets") if isinstance(read, Mapping) else None
    if not isinstance(found, list) or set(read) != {"assets"}:
        raise AssetFileError((f"{filename}: The file must hold a list called assets, and nothing else.",))
    for number, row in enumerate(found, start=1):
        if not isinstance(row, Mapping):
            raise AssetFileError((f"{filename}: row {number}: This is no asset: give {', '.join(COLUMNS)}.",))
        unknown = sorted(set(map(str, row)) - set(COLUMNS))
        if unknown:
            raise AssetFileError((f"{filename}: row {number}, {unknown[0]}: {_unknown_column(unknown[0])}",))
        yield number, row


def _check_columns(names: Sequence[str], filename: str) -> None:
    problems = [f"{filename}: heading: {_unknown_column(name)}" for name in names if name not in COLUMNS]
    problems += [
        f"{filename}: heading: The column {name} is missing."
        for name in COLUMNS
        if name in REQUIRED - set(names)
    ]
    problems += [
        f"{filename}: heading: The column {name} stands there twice."
        for name in COLUMNS
        if list(names).count(name) > 1
    ]
    if problems:
        raise AssetFileError(problems)


def _unknown_column(name: str) -> str:
    near = get_close_matches(name, COLUMNS, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There is {', '.join(COLUMNS)}."
    return f"There is no column {name!r}. {hint}"


def _line(number: int, row: Mapping[str, Any], problems: list[str]) -> AssetLine | None:
    found: dict[str, Any] = {}
    before = len(problems)
    if None in row:
        problems.append(
            f"row {number}: This row has more cells than the heading. Quote cells that hold a comma."
        )
    for name in COLUMNS:
        try:
            found[name] = _cell(name, row.get(name))
        except ValueError as error:
            problems.append(f"row {number}, {name}: {error}")
    return AssetLine(row=number, **found) if len(problems) == before else None


def _cell(name: str, value: Any) -> Any:
    if name == "addresses":
        return _addresses(value)
    if value is not None and not isinstance(value, str):
        raise ValueError("This is no text.")
    try:
        text = clean_line(value or "")
    except ValueError as error:
        raise ValueError(f"{error}.") from error
    if not text and name in REQUIRED:
        raise ValueError("This is empty.")
    if len(text) > _LONGEST[name]:
        raise ValueError(f"This is longer than {_LONGEST[name]} characters.")
    if name == "criticality" and text not in CRITICALITIES:
        raise ValueError(f"{text!r} is none of {', '.join(CRITICALITIES)}.")
    if name == "id" and not _ID.fullmatch(text):
        raise ValueError(f"{text!r} is no id: write letters, digits and . _ : / - only.")
    if name == "unit" and text and not _SLUG_LIKE.fullmatch(text):
        raise ValueError(f"{text!r} is no unit: write its short name, such as group-it.")
    return text


def _addresses(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else re.split(r"[;,\s]+", value or "")
    if not all(isinstance(part, str) for part in parts):
        raise ValueError("Write addresses as texts.")
    given = [part for part in parts if part]
    if sum(map(len, given)) > _LONGEST["addresses"]:
        raise ValueError("These are too many addresses for one asset.")
    return tuple(str(network) for network in parse_networks(given)) if given else ()
