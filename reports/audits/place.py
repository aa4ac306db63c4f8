"""Where the files of audits lie: finished ones by their digest, those of a draw under way in a folder of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.core.settings import Settings

REPORT, BUNDLE, REGISTER, WORKBOOK, SAMPLE = (
    "report.pdf",
    "bundle.zip",
    "population.csv",
    "population.xlsx",
    "sample.csv",
)
#: What can be downloaded by itself once a draw is made, and how browsers take it.
KEPT = {
    REPORT: "application/pdf",
    BUNDLE: "application/zip",
    REGISTER: "text/csv; charset=utf-8",
    WORKBOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    SAMPLE: "text/csv; charset=utf-8",
}


def folder(settings: Settings) -> Path:
    """Where audits' files lie."""
    return settings.home / "audits"


def path_of(settings: Settings, name: str, digest: str) -> Path:
    """Where the finished file of this name and digest lies."""
    return folder(settings) / f"{digest.removeprefix('sha256:')}{Path(name).suffix}"


def workplace(settings: Settings, reference: str, draw: int) -> Path:
    """The folder in which a draw's members are gathered, made if it is not there."""
    found = folder(settings) / "making" / f"{reference}-{draw}"
    for part in ("evidence", "checkpoints", "tables"):
        (found / part).mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


def clear(settings: Settings, reference: str, draw: int) -> None:
    """Let go of what a finished draw was made from."""
    shutil.rmtree(folder(settings) / "making" / f"{reference}-{draw}", ignore_errors=True)


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A path to write to; it takes the other's place, durably, when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
