"""The whole portal as a person starts it: `countersign up`, in a folder of its own, with free ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 300
STOP_SECONDS = 30


@dataclass(frozen=True)
class House:
    """Where the running portal and what belongs to it answer."""

    portal: str
    sso: str
    mailbox: str
    home: Path

    @property
    def database(self) -> Path:
        return self.home / "countersign.db"


@contextmanager
def running_house(home: Path) -> Iterator[House]:
    """Start everything, wait until it says where it is, and end it."""
    state = home / "run" / "up.json"
    log = home.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from portal.cli import main; main()",
                "up",
                "--home",
                str(home),
                "--ports",
                "auto",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "200"},
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not state.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"the portal did not start: {log.read_text()}"
            time.sleep(0.1)
        told = json.loads(state.read_text())
        yield House(told["portal"], told["sso"], told["mailbox"], home)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
