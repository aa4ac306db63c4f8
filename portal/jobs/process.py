"""What a worker or scheduler has in common as a process: it says when it is up, and stops when told to."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType


def stop_on_signals() -> Callable[[], bool]:
    """Whether SIGINT or SIGTERM has come; a flag, so that nothing is torn in the middle. Call in the main thread."""
    told = False

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal told
        told = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    return lambda: told


def ready_file(run_folder: Path, name: str) -> Path:
    """The file that exists once the process of this name is up; whoever starts it removes the old one."""
    return run_folder / f"{name}.ready"


def say_ready(run_folder: Path, name: str) -> None:
    """Make the file."""
    run_folder.mkdir(parents=True, exist_ok=True)
    ready_file(run_folder, name).touch()
