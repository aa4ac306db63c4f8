"""`countersign up`: one command from an empty folder to a portal with people in it, and back to nothing running."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from portal.core.errors import PortalError, SettingsError
from portal.supervisor.house import House, address, furnish, insist_ports_free
from portal.supervisor.lock import only_one
from portal.supervisor.stack import Stack
from portal.supervisor.table import table_of

#: Written when everything is up and removed when it stops; says where a running portal is.
STATE_FILE = "up.json"
FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """`home` is the data folder (default: COUNTERSIGN_HOME); `ports` a first port or `auto`."""

    home: Path | None = None
    ports: str | None = None
    verbose: bool = False


@contextmanager
def running(
    options: UpOptions,
    environ: Mapping[str, str] | None = None,
    *,
    tell: Callable[[str], None] = lambda text: None,
    hurry: Callable[[], bool] = lambda: False,
    settled: Callable[[], None] = lambda: None,
) -> Iterator[House]:
    """Everything embedded, up and watched while the block runs, and gone after it.

    `tell` gets a sentence when a part ends by itself, `settled` is called when all is up, and `hurry` says that
    nobody waits for an orderly end any more. Call in the main thread. Raises SettingsError.
    """
    given = address(os.environ if environ is None else environ, options.home)
    run_folder = Path(given["COUNTERSIGN_HOME"]) / "run"
    with only_one(run_folder / "up.lock"):
        house = furnish(given, options.ports)
        insist_ports_free(house)
        stack = Stack(house.home / "logs", verbose=options.verbose, tell=tell)
        state = run_folder / STATE_FILE
        state.unlink(missing_ok=True)  # a killed run left its own
        try:
            stack.start(house.targets, house.environment)
            _prepare_database(house)
            stack.wait_ready()
            _prepare_content(house)
            stack.start(house.portal, house.environment)
            stack.wait_ready()
            stack.watch()
            settled()
            _write_whole(state, json.dumps(_state(house, stack), indent=1))
            yield house
        finally:
            state.unlink(missing_ok=True)
            stack.stop(hurry)


def up(options: UpOptions) -> int:
    """Run until SIGINT, SIGTERM or the terminal's end and print one table when all is ready. Gives the exit status."""
    console = Console(stderr=False)
    signals = _Signals()
    try:
        with (
            console.status("Starting Countersign…") as status,
            running(
                options, tell=_complain, hurry=lambda: signals.count > 1, settled=signals.settle
            ) as house,
        ):
            status.stop()
            console.print(table_of(house))
            signals.wait()
            status.update("Stopping: the pages first, then the worker, then the rest…")
            status.start()
    except (SettingsError, PortalError, ImportError, OSError, SQLAlchemyError) as error:
        _complain(_sentence(error))
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    return 0


class _Signals:
    """The first signal ends the wait, or the start if that is still under way; the second ends all patience."""

    def __init__(self) -> None:
        self.count = 0
        self._come = threading.Event()
        self._settled = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def settle(self) -> None:
        self._settled = True

    def wait(self) -> None:
        while not self._come.wait(1.0):
            pass

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self._come.set()
        if self.count == 1 and not self._settled:
            raise KeyboardInterrupt


def _prepare_database(house: House) -> None:
    from portal.core.migrate import upgrade  # noqa: PLC0415  (takes a second, which the targets use to start)

    upgrade(house.settings)


def _prepare_content(house: House) -> None:
    from portal.demo.prepare import prepare_demo  # noqa: PLC0415  (as above)

    prepare_demo(house.settings)


def _state(house: House, stack: Stack) -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "run": stack.run,
        "portal": house.settings.public_url,
        "sso": house.sso_url,
        "mailbox": house.mailbox_url,
        "scim": house.settings.scim_url,
        "home": str(house.home),
        "parts": stack.pids,
    }


def _write_whole(file: Path, content: str) -> None:
    """Whoever reads the file sees all of it or none."""
    new = file.with_suffix(".new")
    new.write_text(content, encoding="utf-8")
    new.replace(file)


def _complain(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _sentence(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"The library {error.name} is missing; install what requirements.lock names, for example with: make run"
    if isinstance(error, ImportError):
        return f"A library cannot be loaded ({error}); countersign doctor says which, and how to mend it."
    if isinstance(error, OSError | SQLAlchemyError):
        return f"The start failed: {str(error).splitlines()[0].rstrip('.')}."
    return str(error)
