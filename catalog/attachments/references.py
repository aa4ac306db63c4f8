"""How an answer names a file: its name and the digest of its content, in one readable line.

Answers are under the seal, so the digest in them is what approvers agreed to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.core.language import _

_WRITTEN = re.compile(r"(?P<name>.{1,120}) \((?P<digest>sha256:[0-9a-f]{64})\)")


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file by name and by the digest of its content."""

    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name} ({self.digest})"


def read_reference(text: str) -> FileReference:
    """The file that this text names. Raises ValueError for any other text."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(_("This names no file. Choose the file again."))
    return FileReference(found["name"], found["digest"])


def references_in(answer: object) -> tuple[FileReference, ...]:
    """The files that an answer names; none for an answer of another kind."""
    if not isinstance(answer, list | tuple):
        return ()
    found = []
    for text in answer:
        try:
            found.append(read_reference(str(text)))
        except ValueError:
            continue
    return tuple(found)
