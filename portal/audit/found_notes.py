"""Checkpoints as they are found in the folder and in the database, whatever lies there; portal.audit.verify judges them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.audit.checkpoint import LATEST
from portal.audit.fitting import Rows
from portal.audit.notes import Head, NoteError, raw_public_key, verify_head_by
from portal.audit.vouched import Vouched


@dataclass(frozen=True, slots=True)
class FoundNote:
    """A checkpoint as it was found, and the size that it states, signed or not; 0 when it states none."""

    source: str
    text: str
    size: int


def stored_in(checkpoints: Rows) -> list[FoundNote]:
    """Those of the database, each given as size, root and note."""
    return [
        # SQLite may hold what is no text: nobody signed that.
        _note(f"{size} in the database", note if isinstance(note, str) else "")
        for size, _, note in checkpoints
    ]


def published_in(folder: Path | None) -> list[FoundNote]:
    """Those of the folder, the newest one's copy too; none when there is no folder."""
    if not folder or not folder.is_dir():
        return []
    outside = [path for path in folder.iterdir() if path.suffix == ".note" or path.name == LATEST]
    return [_note(_written(path.name), _content(path)) for path in sorted(outside)]


def signed_heads(
    notes: Sequence[FoundNote],
    *,
    name: str,
    keys: Sequence[Ed25519PublicKey],
    after: int = 0,
    vouched: Vouched | None = None,
) -> tuple[list[tuple[Head, str]], list[str]]:
    """The heads that the ledger's keys signed, each with its source, by size; then sentences about those they did not.

    What states at most `after` was verified before and is left out, but for the newest one's copy. What is `vouched`
    for by an entry is taken as signed, if a head that is verified here covers that entry.
    """
    heads: list[tuple[Head, str]] = []
    refused: list[str] = []
    known = dict(vouched.heads) if vouched else {}
    for note in sorted(notes, key=lambda one: one.size):
        if 0 < note.size <= after and note.source != LATEST:
            continue
        try:
            # The folder's file repeats what the database holds.
            head = known.get(note.text) or verify_head_by(note.text, [(name, key) for key in keys])
        except NoteError as error:
            refused.append(f"Checkpoint {note.source}: {error}.")
            continue
        known[note.text] = head
        heads.append((head, note.source))
    if vouched and not any(
        head.size >= vouched.entry for text, head in known.items() if text not in vouched.heads
    ):
        return signed_heads(notes, name=name, keys=keys, after=after)
    # Of heads of one size the folder's numbered file, which stands first, is compared first: nobody reaches it from
    # the database.
    return sorted(heads, key=lambda signed: signed[0].size), refused


def digest_of(notes: Iterable[FoundNote], size: int, keys: Sequence[Ed25519PublicKey]) -> str:
    """Of the checkpoints over at most so many entries, and of the keys; the newest one's copy changes all the time."""
    digest = hashlib.sha256(b"".join(raw_public_key(key) for key in keys))
    for note in sorted((note for note in notes if note.size <= size), key=lambda one: one.source):
        if note.source != LATEST:
            digest.update(hashlib.sha256(note.source.encode()).digest())
            digest.update(hashlib.sha256(note.text.encode()).digest())
    return digest.hexdigest()


def _note(source: str, text: str) -> FoundNote:
    stated = text.split("\n", 2)[1:2]
    # Sixteen digits are more than any ledger has, and less than would be slow to read.
    return FoundNote(source, text, int(stated[0]) if stated and _SIZE.fullmatch(stated[0]) else 0)


_SIZE = re.compile("[0-9]{1,16}")


def _written(name: str) -> str:
    """A file's name as it can be printed, whatever bytes it is of."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _content(path: Path) -> str:
    """Empty when it is no file, or nobody lets us read it: that carries no signature either."""
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""
