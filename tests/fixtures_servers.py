"""Real servers for tests: PostgreSQL and Redis, each on a unix socket of its own, gone with the test run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import sql

NOBODY = "nobody"
START_SECONDS = 60
#: The least that any condition is waited for.
PATIENCE_SECONDS = 60


@dataclass
class PostgresServer:
    """A PostgreSQL that can be killed and started again; trust authentication, no fsync."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def execute(self, statement: sql.Composable | str) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(
            host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
        ) as db:
            db.execute(statement if isinstance(statement, sql.Composable) else sql.SQL(statement))

    def execute_many(self, statements: str) -> None:
        """Run several statements in one transaction."""
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres") as db:
            db.execute(statements)  # type: ignore[call-overload]

    def create(self) -> None:
        """Make the files of a new cluster."""
        self.own()
        command = [
            required("initdb"),
            "-D",
            f"{self.folder}/db",
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
        ]
        subprocess.run(
            dying_with_us([*command, "--locale=C.UTF-8"], NOBODY),
            check=True,
            capture_output=True,
            cwd=self.folder,
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = (
            "listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off", "full_page_writes=off",
            # Without fsync it costs nothing, and what was committed outlives a crash.
            "synchronous_commit=on", "max_connections=60", "shared_buffers=32MB",
        )  # fmt: skip
        flags = [part for option in options for part in ("-c", option)]
        self.process = subprocess.Popen(
            dying_with_us([required("postgres"), "-D", f"{self.folder}/db", *flags], NOBODY),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )

        def answers() -> bool:
            with contextlib.suppress(psycopg.OperationalError):
                self.execute("SELECT 1")
                return True
            return False

        wait_until(answers, "PostgreSQL answers", START_SECONDS)

    def own(self) -> None:
        """Give its files to whom it runs as: PostgreSQL refuses to run as root."""
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, NOBODY, _group(NOBODY))

    def stop(self) -> None:
        """End it at once, as a crash would: what was not committed is lost, and it recovers when it starts."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=START_SECONDS)
            self.process = None


@dataclass
class RedisServer:
    """A Redis that can be killed and started again on the same socket."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        """What REDIS_URL would be."""
        return f"unix://{self.socket}"

    @property
    def client(self) -> redis.Redis:
        """A fresh client; close it."""
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=30)

    def start(self) -> None:
        """Start it and wait until it answers."""
        binary = required("redis-server")
        self.process = subprocess.Popen(
            dying_with_us(
                [binary, "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
            ),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def answers() -> bool:
            with contextlib.suppress(redis.RedisError, OSError), self.client as client:
                return bool(client.ping())
            return False

        wait_until(answers, "redis-server answers", START_SECONDS)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.socket.unlink(missing_ok=True)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Poll until the condition holds; fail the test by name when it does not in time.

    `seconds` is what it may take on a machine that does nothing else; no test fails because another took the time.
    """
    seconds = max(seconds, PATIENCE_SECONDS)
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"After {seconds:.0f} s it does not hold that {what}")
        time.sleep(0.02)


def required(binary: str) -> str:
    """The path of a program that tests cannot do without. A missing one fails the test; it is never skipped."""
    installed = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    path = shutil.which(binary, path=os.pathsep.join([*installed, os.environ["PATH"], "/usr/sbin", "/sbin"]))
    if path is None:
        pytest.fail(f"{binary} is missing; install it with: deploy/setup.sh test")
    return path


def dying_with_us(command: list[str], user: str | None = None) -> list[str]:
    """The command, killed by the kernel when the test run dies, as `user` when we are root."""
    become = (
        ["--reuid", user, "--regid", _group(user), "--clear-groups"] if user and os.geteuid() == 0 else []
    )
    return [required("setpriv"), "--pdeathsig", "KILL", *become, *command]


def _group(user: str) -> str:
    return subprocess.run(["id", "-gn", user], check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A new PostgreSQL while the block runs, on a unix socket in a short path (sun_path holds 107 bytes)."""
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="cs-pg-", dir="/tmp")))
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL per test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def mortal_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own, that it may stop and start."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: PostgresServer) -> Callable[[str], tuple[str, str]]:
    """Makes a database copied from the named template; gives its name and URL."""

    def make(template: str = "template0") -> tuple[str, str]:
        name = f"cs_{uuid.uuid4().hex[:12]}"
        postgres_server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return name, postgres_server.url(name)

    return make


@pytest.fixture
def postgres_url(
    postgres_server: PostgresServer, postgres_databases: Callable[[str], tuple[str, str]]
) -> Iterator[str]:
    """An empty PostgreSQL database of this test's own."""
    name, url = postgres_databases("template0")
    yield url
    postgres_server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind in turn; for a test of `db` or `web`, one whose tables stand already."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    standing = "standing_postgres_url" if {"db", "web"} & set(request.fixturenames) else "postgres_url"
    url: str = request.getfixturevalue(standing)
    return url


@contextlib.contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A new Redis while the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="cs-redis-", dir="/tmp"))
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of this test's own, that it may empty and kill."""
    with running_redis() as server:
        yield server
