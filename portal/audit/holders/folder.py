"""A folder outside the database: every checkpoint as a file by its size, and the last one as `latest`.

The file is written when the checkpoint is signed. Here it is looked at again, and what is missing after the folder was
away is written then.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from portal.audit.checkpoint import LATEST
from portal.audit.holders.contract import Handover, Held, HolderFailed
from portal.core.language import N_, say


@dataclass(frozen=True, slots=True)
class FolderHolder:
    """A folder, best on another machine's disk."""

    kind: ClassVar[str] = N_("Folder")
    folder: Path
    every: timedelta = timedelta(0)

    @property
    def key(self) -> str:
        """There is one."""
        return "folder"

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.folder)

    def hand(self, handover: Handover) -> Held:
        """Write whatever is missing, after what is there was compared with the ledger."""
        try:
            return self._hand(handover)
        except OSError as error:
            raise HolderFailed(
                say("%(folder)s cannot be written: %(why)s.", folder=self.name, why=error.strerror or error)
            ) from error

    def reach(self) -> str:
        """Whether it is there and may be written to."""
        there = next(path for path in (self.folder, *self.folder.absolute().parents) if path.exists())
        if there != self.folder and os.access(there, os.W_OK):
            return self.name  # made with the first checkpoint
        if not self.folder.is_dir():
            raise HolderFailed(say("%(folder)s is not there.", folder=self.name))
        if not os.access(self.folder, os.W_OK):
            raise HolderFailed(say("%(folder)s may not be written to.", folder=self.name))
        return self.name

    def _hand(self, handover: Handover) -> Held:
        latest = self.folder / LATEST
        has = 0
        if latest.exists():
            has = handover.insist_on_our_past(_read(latest), str(latest)).size
        self.folder.mkdir(parents=True, exist_ok=True)
        for size, note in handover.notes_after(min(handover.known, has)):
            path = self.folder / f"{size:012d}.note"
            if path.exists():
                handover.insist_on_our_past(_read(path), str(path))
            else:
                _write(path, note)
        if has < handover.head.size:
            _write(latest, handover.note)
        return Held(max(has, handover.head.size))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _write(path: Path, text: str) -> None:
    """All of it or nothing, and durable."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.held")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
