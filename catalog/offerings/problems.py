"""What is wrong with an offering file, and where."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
#: A key that can stand in a path; a longer one, such as an English text, is cut and stands in quotes.
_KEY = re.compile(r"[^\n“”]{1,60}")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong. Lines and columns count from 1; `field` is the path in the file, empty for all of it."""

    file: str
    line: int
    column: int
    field: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: "
        return where + (f"{self.field}: " if self.field else "") + self.message


class OfferingFileError(Exception):
    """An offering file is refused; `problems` holds at least one."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem before its place in the file is looked up; `line` and `column` count inside a block of text.

    `at_key` is for what is wrong with a key and not with what stands behind it.
    """

    path: Path
    message: str
    line: int = 1
    column: int = 1
    at_key: bool = False


def path_text(path: Path) -> str:
    """`form.sections[0].fields[2].hint`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _KEY.fullmatch(part) else f"“{cut(part)}”"
            text += f".{key}" if text else key
    return text


def cut(text: str) -> str:
    """A text in one line, short enough to be told by."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def nearest(word: str, words: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the valid word that is most like this one, or nothing."""
    known = sorted(words)
    matches = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if not matches:
        # One that only differs in case, hyphens or a part left out is meant as well.
        folded = word.replace("-", "_").casefold()
        matches = [k for k in known if len(folded) > 2 and folded in k.replace("-", "_").casefold()][:1]  # noqa: PLR2004
    return f"; did you mean {matches[0]!r}?" if matches else ""


def choices_text(words: Iterable[str]) -> str:
    """`a, b or c`, cut when there are many."""
    known = sorted(words)
    if len(known) > 16:  # noqa: PLR2004  (a longer list helps nobody in one line)
        return ", ".join(known[:16]) + " and more"
    return " or ".join(part for part in (", ".join(known[:-1]), known[-1]) if part) if known else ""
