"""What a run of a playbook did, read from the events that were written while it ran."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Lines of one task's difference that are shown, and characters of one line.
SHOWN, WIDEST = 60, 200
STRAYED = 70
_SECRET = re.compile(
    r"(?i)((?:pass(?:word|wd|phrase)?|secret|token|private[_ ]?key|api[_ ]?key)[\w-]*[\"']?\s*[:=]\s*)\S.*"
)
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Task:
    """One task that changed something on a host, or would: its name and the lines that differ.

    `hidden` says that the playbook keeps them to itself.
    """

    name: str
    lines: tuple[str, ...] = ()
    hidden: bool = False


@dataclass(slots=True)
class OnHost:
    """What was done on one host, in order. `untried` are tasks that can only be run for real."""

    changed: list[Task] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    unreachable: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did on each host that it came to. `code` is ansible-playbook's status, `words` its complaint.

    `strayed` names hosts that the playbook would have touched beside those that it may.
    """

    code: int
    words: str
    hosts: Mapping[str, OnHost]
    strayed: str = ""


def read_report(code: int, words: str, events: Path) -> Report:
    """Read the events of a run that ended with this status."""
    hosts: dict[str, OnHost] = {}
    strayed = ""
    for event in _events(events):
        if event["status"] == "strayed":
            strayed = event["task"]
            continue
        found = hosts.setdefault(event["host"], OnHost())
        name, said = plain(event["task"]), plain(event["words"])
        if event["status"] == "unreachable":
            found.unreachable = said or "no answer"
        elif event["status"] == "failed":
            found.failed.append((name, HIDDEN if event["hidden"] else without_secrets(said)))
        elif event["untried"]:
            found.untried.append(name)
        elif event["changed"]:
            found.changed.append(Task(name, tuple(_lines(event["differences"])), event["hidden"]))
    return Report(code, plain(words, 1_000), hosts, strayed)


def _events(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _lines(differences: list[dict[str, str]]) -> Iterator[str]:
    """The lines that go and that come, without those around them; file names of a run mean nothing to anybody."""
    lines = [line for difference in differences for line in _differing(difference)]
    yield from (plain(line) for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"… {len(lines) - SHOWN}"


def _differing(difference: dict[str, str]) -> Iterator[str]:
    if difference["prepared"]:
        yield from without_secrets(difference["prepared"]).splitlines()
        return
    before, after = (without_secrets(difference[side]).splitlines() for side in ("before", "after"))
    if before == after:
        # What differs is nothing but a secret.
        yield f"~ {HIDDEN}"
    for line in difflib.unified_diff(before, after, n=0, lineterm=""):
        if not line.startswith(("---", "+++", "@@")):
            yield f"{line[0]} {line[1:]}"


def without_secrets(text: str) -> str:
    """The text with what stands behind words like password or token, and private keys, hidden."""
    return _SECRET.sub(rf"\1{HIDDEN}", _KEY_BLOCK.sub(HIDDEN, text))


def plain(text: str, longest: int = WIDEST) -> str:
    """One line that shows as what it is: nothing in it controls a terminal or turns the writing round."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:longest] if longest != WIDEST else shown.rstrip()[:longest]
