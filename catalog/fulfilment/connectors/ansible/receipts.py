"""What Ansible was asked for and did: a target tells nothing of that, so a folder on this machine keeps it.

One file for each effect that is to be there, and one for each call by its key. Workers on several machines share the
folder. Each file is put in its place whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.fulfilment.connectors.ansible.jobs import Job


class HostBusy(Exception):
    """Another playbook runs on the host for too long."""


@dataclass(frozen=True, slots=True)
class Receipts:
    """The files below one folder."""

    folder: Path

    def called(self, key: str) -> str:
        """What the last call with this key did: `apply`, `revert`, or nothing yet."""
        try:
            return str(json.loads(self._path("calls", key).read_text(encoding="utf-8"))["did"])
        except FileNotFoundError:
            return ""

    def note_call(self, key: str, did: str) -> None:
        """Remember what a call with this key did."""
        self._write("calls", key, {"key": key, "did": did})

    def note_effect(self, job: Job, reference: str, document: Mapping[str, Any]) -> None:
        """Remember that the effect is to be there, and by which request."""
        self._write("effects", job.key, {"reference": reference, "document": dict(document)})

    def forget_effect(self, job: Job) -> None:
        """The effect is to be there no more."""
        self._path("effects", job.key).unlink(missing_ok=True)

    def effects(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every effect that is to be there: the request's reference and the plan's document, in a steady order."""
        for path in sorted((self.folder / "effects").glob("*.json")):
            kept = json.loads(path.read_text(encoding="utf-8"))
            yield kept["reference"], kept["document"]

    @contextmanager
    def holding(self, host: str, patience: float) -> Iterator[int]:
        """Hold the host against every other playbook; yields the lock's descriptor. Raises HostBusy.

        The kernel lets go when nobody has the descriptor any more, however they ended.
        """
        folder = self._folder("locks")
        descriptor = os.open(folder / f"{_name(host)}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + patience
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise HostBusy from None
                    time.sleep(0.05)
            yield descriptor
        finally:
            os.close(descriptor)

    def _write(self, kind: str, key: str, content: Mapping[str, Any]) -> None:
        folder = self._folder(kind)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self._path(kind, key))

    def _path(self, kind: str, key: str) -> Path:
        return self.folder / kind / f"{_name(key)}.json"

    def _folder(self, kind: str) -> Path:
        folder = self.folder / kind
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
