"""One run: a portal's real processes, a fault at a failpoint, and the wait until everything is settled."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from portal.core.assets import ROOT
from portal.core.database import Database
from portal.core.development import listen_on_loopback
from portal.core.settings import Settings
from portal.jobs.process import ready_file
from portal.notifications.development_mailbox.receiver import receiving
from portal.supervisor.process import WRAPPER
from portal.supervisor.ready import answers_redis
from portal.supervisor.warden import MARK, processes_of
from tests.catalog.fulfilment.connectors.directory import PEOPLE, TOKEN, serving
from tests.chaos.counting import CountingConnector
from tests.chaos.estate import build_estate, environment_of, kinds
from tests.chaos.every_call import MailsInMemory
from tests.chaos.failpoints import ARMED, GO, PASSED, REACHED
from tests.chaos.keepers import Keeper, PostgresKeeper, SqliteKeeper
from tests.chaos.tree import TREE
from tests.chaos.verdict import CountedDirectory, Verdict, given_up, kinds_of_requests, open_work, verdict_of
from tests.chaos.worker import EFFECTS, FOLDER, LEASE
from tests.fixtures_servers import PostgresServer

PROGRAM = (sys.executable, "-P", "-m", "tests.chaos.tree")
#: What the product promises, in seconds from the moment that what was killed is back.
PROMISE = 60.0
#: How long a run is watched; a slow machine is late, which is told and not the same as lost.
PATIENCE = 180.0
BEGINNING = "beginning"
_CONNECTORS = frozenset(connector for kind in kinds(0) for connector, _, _ in kind.steps)


@dataclass(frozen=True)
class Strike:
    """At this point, passed so often by one worker, this fault."""

    point: str
    fault: str
    occurrence: int = 1


@dataclass
class Run:
    """What came of one run. `seconds` is from the return of what was killed until all was settled.

    `points` is how often each point was passed on the requests' way.
    """

    strikes: tuple[Strike, ...]
    seconds: float = 0.0
    struck: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    points: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> list[str]:
        """Everything that must not be, in words."""
        missed = [f"only {self.struck} of {len(self.strikes)} points were reached"] * (
            self.struck < len(self.strikes)
        )
        return [*missed, *self.verdict.faults]


@dataclass
class Ground:
    """Where runs take place one after the other: a database server if there is one, and the estate that they copy."""

    folder: Path
    keeper: Keeper
    server: PostgresServer | None
    lease: float | None

    @property
    def faults(self) -> tuple[str, ...]:
        """What can be done to a portal here."""
        return (
            tuple(FAULTS)
            if self.server
            else tuple(fault for fault in FAULTS if fault != "PostgreSQL restarted")
        )

    def play(self, strikes: Sequence[Strike], *, pause: float = 0.0) -> Run:
        """One run from the beginning, the next strike armed when one has fallen; `pause` is seconds before each."""
        self.keeper.bring_back(BEGINNING)
        with (
            tempfile.TemporaryDirectory(prefix="cs-run-", dir="/tmp") as name,
            _portal(self, Path(name)) as portal,
        ):
            run = Run(tuple(strikes))
            portal.begin(strikes)
            restored = time.monotonic()
            for strike in strikes:
                if not portal.wait(
                    lambda: (portal.folder / REACHED).exists() or not open_work(portal.db), PATIENCE
                ):
                    break
                if not (portal.folder / REACHED).exists():
                    break
                time.sleep(pause)
                FAULTS[strike.fault](portal)
                run.struck += 1
                restored = time.monotonic()
            portal.wait(lambda: not open_work(portal.db) or given_up(portal.db), PATIENCE)
            run.seconds = time.monotonic() - restored
            run.verdict = verdict_of(
                portal.db, portal.settings, portal.counting, portal.directory, portal.mails.mails
            )
            carrying = kinds_of_requests(portal.db)
            run.points = Counter(
                name
                for name in (portal.folder / PASSED).read_text().splitlines()
                if name.partition(":")[0] in carrying or name.partition(" ")[0] in _CONNECTORS
            )
            return run


@dataclass
class RunningPortal:
    """The processes of one run, and what the harness sees of them."""

    ground: Ground
    folder: Path
    environment: dict[str, str]
    settings: Settings
    db: Database
    directory: CountedDirectory
    counting: CountingConnector
    mails: MailsInMemory
    tree: subprocess.Popen[bytes] | None = None
    waiting: list[Strike] = field(default_factory=list)

    def begin(self, strikes: Sequence[Strike]) -> None:
        """Arm the first strike and start everything."""
        self.waiting = list(strikes)
        self.arm()
        self.start()

    def start(self) -> None:
        """Start Redis, scheduler and worker under their supervisor."""
        (self.folder / TREE).unlink(missing_ok=True)
        with (self.folder / "tree.log").open("ab") as log:
            self.tree = subprocess.Popen(
                # It dies with the harness, as its parts die with it.
                [sys.executable, "-I", "-S", WRAPPER, str(os.getpid()), *PROGRAM, str(self.folder)],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def arm(self) -> None:
        """Have the worker stop at the next strike's point."""
        (self.folder / REACHED).unlink(missing_ok=True)
        if self.waiting:
            strike = self.waiting.pop(0)
            new = self.folder / f"{ARMED}.new"
            new.write_text(json.dumps({"name": strike.point, "occurrence": strike.occurrence}))
            new.replace(self.folder / ARMED)

    def go_on(self) -> None:
        """Let the worker pass the point at which it waits."""
        self.arm()
        (self.folder / GO).touch()

    def pids(self) -> dict[str, int]:
        """Each part's process."""
        self.must((self.folder / TREE).exists, "everything is up")
        found: dict[str, int] = json.loads((self.folder / TREE).read_text())
        return found

    def kill_tree(self) -> None:
        """The supervisor dies, and with it, by the kernel and the warden, all that it started."""
        if self.tree is not None:
            self.tree.kill()
            self.tree.wait()
            self.must(lambda: not self._left(), "nothing of the run is left")

    def worker_is_back(self) -> None:
        """Wait until a new worker is up."""
        self.must(ready_file(self.settings.run_folder, "worker").exists, "the worker is back")

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether it holds in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def must(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for what the harness itself depends on."""
        if not self.wait(condition, 120.0):
            raise TimeoutError(f"After 120 s it does not hold that {what}; see {self.folder}")

    def _left(self) -> dict[int, int]:
        return processes_of(self.environment[MARK])


def _kill_worker(portal: RunningPortal) -> None:
    """The worker's process alone: what it had started lives on without it."""
    pid = portal.pids()["worker"]
    ready_file(portal.settings.run_folder, "worker").unlink(missing_ok=True)
    portal.arm()
    os.kill(pid, signal.SIGKILL)
    portal.worker_is_back()


def _kill_tree(portal: RunningPortal) -> None:
    portal.pids()
    portal.kill_tree()
    portal.arm()
    portal.start()
    portal.pids()


def _kill_redis(portal: RunningPortal) -> None:
    os.kill(portal.pids()["redis"], signal.SIGKILL)
    portal.go_on()
    portal.must(answers_redis(portal.folder / "redis.sock"), "Redis is back")


def _empty_redis(portal: RunningPortal) -> None:
    with redis.Redis(unix_socket_path=str(portal.folder / "redis.sock"), socket_timeout=30) as client:
        client.flushall()
    portal.go_on()


def _restart_postgres(portal: RunningPortal) -> None:
    server = portal.ground.server
    assert server is not None
    server.stop()
    portal.go_on()
    time.sleep(1.0)
    server.start()


FAULTS: dict[str, Callable[[RunningPortal], None]] = {
    "worker killed": _kill_worker,
    "tree killed": _kill_tree,
    "Redis killed": _kill_redis,
    "Redis emptied": _empty_redis,
    "PostgreSQL restarted": _restart_postgres,
}


@contextmanager
def ground(
    folder: Path, server: PostgresServer | None, *, rounds: int, lease: float | None
) -> Iterator[Ground]:
    """The estate, built once in the folder; `lease` in seconds takes the place of the product's own."""
    home = folder / "home"
    home.mkdir(parents=True)
    keeper: SqliteKeeper | PostgresKeeper
    if server is None:
        keeper = SqliteKeeper(folder)
    else:
        keeper = PostgresKeeper(server, "chaos")
        keeper.create()
    build_estate(home, keeper.url, rounds)
    keeper.keep(BEGINNING)
    try:
        yield Ground(folder, keeper, server, lease)
    finally:
        if isinstance(keeper, PostgresKeeper):
            keeper.drop()


@contextmanager
def _portal(ground: Ground, folder: Path) -> Iterator[RunningPortal]:
    home = folder / "home"
    shutil.copytree(ground.folder / "home", home)
    listener = listen_on_loopback("mailbox", "127.0.0.1", 0)
    mails = MailsInMemory()
    directory = CountedDirectory.new(folder / "directory.json", TOKEN, PEOPLE)
    with receiving(listener, mails), serving(directory.application) as (address, _stop):  # type: ignore[arg-type]
        told = {
            **environment_of(home, ground.keeper.url),
            "REDIS_URL": f"unix://{folder / 'redis.sock'}",
            "SCIM_URL": f"{address}/v2",
            "SMTP_URL": f"smtp://127.0.0.1:{listener.getsockname()[1]}",
        }
        settings = Settings.from_environment(told)
        marks = {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            MARK: f"chaos-{folder.name}",
            FOLDER: str(folder),
            LEASE: str(ground.lease or ""),
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        database = Database(settings.database_url)
        portal = RunningPortal(
            ground,
            folder,
            {**kept, **told, **marks},
            settings,
            database,
            directory,
            CountingConnector(folder / EFFECTS),
            mails,
        )
        try:
            yield portal
        finally:
            with contextlib.suppress(TimeoutError):
                portal.kill_tree()
            database.dispose()
