"""What is wrong with an offering file, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]


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
    """A problem before its place in the file is looked up; `line` and `column` count inside a block of text."""

    path: Path
    message: str
    line: int = 1
    column: int = 1


def path_text(path: Path) -> str:
    """`form.sections[0].fields[2].hint`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


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
