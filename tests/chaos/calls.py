"""Every call that leaves the process is counted, and one of them fails: before it acted, or with its answer lost."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis
from sqlalchemy import Engine

from catalog.fulfilment.connectors.contract import Connector, ConnectorError

BEFORE = "before"
LOST = "answer lost"


@dataclass(frozen=True, slots=True)
class Failure:
    """Which call fails, counted from 1, and how."""

    number: int
    how: str


@dataclass(slots=True)
class Meter:
    """Counts while it is on. Without a failure it only counts: that is the clean run."""

    failure: Failure | None = None
    on: bool = False
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def begin(self, failure: Failure | None) -> None:
        """Count anew, with this call failing or none."""
        self.failure, self.calls = failure, []

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count, and let fail, what is called in the block."""
        self.on = True
        try:
            yield
        finally:
            self.on = False

    def call(
        self,
        name: str,
        act: Callable[[], Any],
        error: Callable[[], Exception],
        *,
        ways: tuple[str, ...] = (BEFORE, LOST),
    ) -> Any:
        """Do it, or fail in its place or after it when its turn has come."""
        if not self.on:
            return act()
        self.calls.append((name, ways))
        if self.failure is None or len(self.calls) != self.failure.number or self.failure.how not in ways:
            return act()
        if self.failure.how == LOST:
            act()
        raise error()

    def failures(self) -> list[Failure]:
        """Everything that can fail of what was counted."""
        return [Failure(n, how) for n, (_, ways) in enumerate(self.calls, 1) for how in ways]

    def name_of(self, failure: Failure) -> str:
        """What the failing call was."""
        return self.calls[failure.number - 1][0]


def meter_database(engine: Engine, meter: Meter) -> None:
    """Count each statement and each commit of this engine; a failing one loses its connection as well."""
    dialect = engine.dialect
    broken = dialect.loaded_dbapi.OperationalError
    on_a_server = dialect.name != "sqlite"
    plain_commit = dialect.do_commit

    def fails(connection: Any) -> Callable[[], Exception]:
        def error() -> Exception:
            if on_a_server:
                connection.close()
                return broken("server closed the connection unexpectedly")
            return broken("disk I/O error")

        return error

    def metered(run: Callable[..., Any]) -> Callable[..., Any]:
        def do(cursor: Any, statement: str, *rest: Any, **more: Any) -> Any:
            name = " ".join(statement.split())[:90]
            return meter.call(name, lambda: run(cursor, statement, *rest, **more), fails(cursor.connection))

        return do

    for name in ("do_execute", "do_executemany", "do_execute_no_params"):
        setattr(dialect, name, metered(getattr(dialect, name)))

    def commit(connection: Any) -> None:
        meter.call("COMMIT", lambda: plain_commit(connection), fails(connection))

    dialect.do_commit = commit  # type: ignore[method-assign]


def meter_redis(client: redis.Redis, meter: Meter) -> None:
    """Count what this client sends."""
    pool = client.connection_pool

    class Metered(pool.connection_class):  # type: ignore[misc,name-defined]
        def send_packed_command(self, command: Any, check_health: bool = True) -> Any:
            def error() -> Exception:
                self.disconnect()
                return redis.ConnectionError("Connection reset by peer")

            return meter.call("redis", lambda: super(Metered, self).send_packed_command(command), error)

    pool.connection_class = Metered


def metered_smtp(meter: Meter) -> type[smtplib.SMTP]:
    """An SMTP client that counts what it sends and what it is answered."""

    class MeteredSmtp(smtplib.SMTP):
        def connect(self, *args: Any, **kwargs: Any) -> Any:
            return meter.call(
                "smtp connect",
                lambda: super(MeteredSmtp, self).connect(*args, **kwargs),
                lambda: ConnectionRefusedError(111, "Connection refused"),
                ways=(BEFORE,),
            )

        def send(self, content: Any) -> None:
            meter.call(
                "smtp send", lambda: super(MeteredSmtp, self).send(content), self._gone, ways=(BEFORE,)
            )

        def getreply(self) -> Any:
            return meter.call("smtp answer", super().getreply, self._gone, ways=(LOST,))

        def _gone(self) -> Exception:
            self.close()
            return smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    return MeteredSmtp


class MeteredConnector:
    """A connector whose every call is counted."""

    def __init__(self, connector: Connector, meter: Meter) -> None:
        self._connector, self._meter = connector, meter
        self.kind = connector.kind

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connector, name)
        if name not in {"choices", "plan", "apply", "read_back", "revert", "live"}:
            return found

        def call(*args: Any) -> Any:
            return self._meter.call(
                f"{self.kind} {name}",
                lambda: found(*args),
                lambda: ConnectorError("The target does not answer."),
            )

        return call
