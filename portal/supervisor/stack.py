"""The running parts: started, watched and started again, ended in order, and never outliving the supervisor."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from portal.core.errors import SettingsError
from portal.supervisor.process import Part, Process
from portal.supervisor.warden import MARK

WARDEN = str(Path(__file__).with_name("warden.py"))
WATCH_SECONDS = 0.2
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
#: One that ran this long was well, and its next start waits no longer than the first.
WELL_AFTER_SECONDS = 60.0
#: Lines of a log that are worth repeating in a sentence.
TELLING_LINES = 3


class Stack:
    """All parts of one run."""

    def __init__(
        self, logs: Path, *, verbose: bool = False, tell: Callable[[str], None] = lambda text: None
    ) -> None:
        self.run = uuid.uuid4().hex
        self._logs = logs
        self._verbose = verbose
        self._tell = tell
        self._environment: dict[str, str] = {}
        self._processes: dict[str, Process] = {}
        self._pauses: dict[str, float] = {}
        self._due: dict[str, float] = {}
        # Restarts and the stop exclude each other, so that nothing is started behind the stop's back.
        self._restarting = threading.Lock()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._warden = self._start_warden()
        self._watch: threading.Thread | None = None

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each part."""
        return {name: process.pid for name, process in self._processes.items()}

    def start(self, parts: Iterable[Part], environment: Mapping[str, str]) -> None:
        """Start these parts, without waiting for them. Call from the main thread: they die with their starter."""
        self._environment = {**environment, MARK: self.run}
        for part in parts:
            self._processes[part.name] = self._start_process(part)

    def wait_ready(self) -> None:
        """Wait until every part started so far is up. Raises SettingsError that names the part and its log."""
        for process in self._processes.values():
            while not process.part.ready():
                if process.exit_code is not None:
                    raise SettingsError(_why_ended(process))
                if process.age > process.part.start_seconds:
                    message = (
                        f"The {process.part.title} did not come up within {process.part.start_seconds:.0f} "
                        f"seconds; its log is {process.log_file}."
                    )
                    raise SettingsError(message)
                time.sleep(0.05)

    def watch(self) -> None:
        """From now on start parts again that end by themselves."""
        self._watch = threading.Thread(target=self._keep_running, name="watch", daemon=True)
        self._watch.start()

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """End all parts, wave by wave; when `hurry` says so, at once."""
        self._stopping.set()
        with self._restarting:
            processes = list(self._processes.values())
        for wave in sorted({process.part.wave for process in processes}, reverse=True):
            ending = [process for process in processes if process.part.wave == wave]
            for process in ending:
                process.ask_to_stop()
            for process in ending:
                while not process.overdue and not hurry() and not process.wait(0.1):
                    pass
                process.end()
        self._stopped.set()
        if self._watch is not None:
            self._watch.join()
        if self._warden.stdin is not None:
            self._warden.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._warden.wait(timeout=5.0)

    def _keep_running(self) -> None:
        while not self._stopping.wait(WATCH_SECONDS):
            with self._restarting:
                if self._stopping.is_set():
                    break
                if self._warden.poll() is not None:
                    self._warden = self._start_warden()
                for name, process in list(self._processes.items()):
                    if process.exit_code is not None:
                        self._start_again(name, process)
        # The kernel ends a child with the thread that started it: wait until all were asked to stop.
        self._stopped.wait()

    def _start_again(self, name: str, ended: Process) -> None:
        at = time.monotonic()
        if name not in self._due:
            ended.end()
            pause = (
                FIRST_PAUSE_SECONDS
                if ended.age > WELL_AFTER_SECONDS
                else self._pauses.get(name, FIRST_PAUSE_SECONDS)
            )
            self._pauses[name] = min(pause * 2, LONGEST_PAUSE_SECONDS)
            self._due[name] = at + pause
            self._tell(f"{_why_ended(ended)} It is started again in {pause:.1f} seconds.")
        elif at >= self._due[name]:
            del self._due[name]
            self._processes[name] = self._start_process(ended.part)

    def _start_process(self, part: Part) -> Process:
        return Process(part, self._environment, self._logs, verbose=self._verbose)

    def _start_warden(self) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name != MARK}
        return subprocess.Popen(
            [sys.executable, "-I", "-S", WARDEN, self.run],
            stdin=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )


def _why_ended(process: Process) -> str:
    code = process.exit_code or 0
    how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
    said = " ".join(line.strip() for line in list(process.last_lines)[-TELLING_LINES:] if line.strip())
    said = f": {said.rstrip('.')}" if said else ""
    return f"The {process.part.title} {how}{said}. Its log is {process.log_file}."
