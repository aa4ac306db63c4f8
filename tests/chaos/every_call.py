"""Each flow once without a fault, and then once for each call of it, with that call failing."""

from __future__ import annotations

import copy
import email
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from portal.core.development import listen_on_loopback
from portal.notifications.development_mailbox.receiver import receiving
from tests.chaos.calls import Failure, Meter, metered_smtp
from tests.chaos.end_state import EndState, broken_ledger, differences, end_state, volatile
from tests.chaos.flows import Flow, moments
from tests.chaos.keepers import Keeper
from tests.chaos.small_world import Moment, SmallWorld, small_world


@dataclass
class MailsInMemory:
    """What arrived: Message-ID, recipient and subject of each mail, copies too."""

    mails: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, raw: bytes, mail_from: str, recipients: Sequence[str]) -> None:
        """As the development mailbox keeps a mail."""
        mail = email.message_from_bytes(raw)
        self.mails += [(str(mail["Message-ID"]), to, str(mail["Subject"])) for to in recipients]


@dataclass
class Rehearsal:
    """All moments of one database's story, and what each flow calls and comes to when nothing fails."""

    world: SmallWorld
    moments: dict[str, Moment]
    arrived: MailsInMemory
    clean: dict[str, EndState] = field(default_factory=dict)
    ignored: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    calls: dict[str, Meter] = field(default_factory=dict)

    def learn(self, flow: Flow) -> Meter:
        """Play the flow twice without a fault; what differs between the two is left to chance."""
        if flow.name not in self.calls:
            clean, wrong = self._play(flow, None)
            self.calls[flow.name] = copy.copy(self.world.meter)
            again, wrong_again = self._play(flow, None)
            self.clean[flow.name], self.ignored[flow.name] = clean, volatile(clean, again)
            if said := [*wrong, *wrong_again, *differences(clean, again, self.ignored[flow.name])]:
                raise AssertionError(f"two runs without a fault differ: {said}")
        return self.calls[flow.name]

    def faults_of(self, flow: Flow, failure: Failure) -> list[str]:
        """Play it with this call failing; what is not as it is without the failure, in words."""
        self.learn(flow)
        found, wrong = self._play(flow, failure)
        said = [*wrong, *differences(self.clean[flow.name], found, self.ignored[flow.name])]
        name = self.world.meter.name_of(failure)
        return [f"{flow.name}, call {failure.number} ({name}), {failure.how}: {each}" for each in said]

    def played_again(self, flow: Flow) -> EndState:
        """What another run without a fault comes to."""
        return self._play(flow, None)[0]

    def _play(self, flow: Flow, failure: Failure | None) -> tuple[EndState, list[str]]:
        world = self.world
        world.bring_back(self.moments[flow.name])
        world.meter.begin(failure)
        self.arrived.mails.clear()
        try:
            with _metered_mail(world.meter):
                with world.meter.counting():
                    flow.act(world)
                world.settle()
            wrong = broken_ledger(world)
        except Exception as error:  # noqa: BLE001  (whatever is raised is what was wrong)
            wrong = [f"{type(error).__name__}: {error}"]
        return end_state(world, self.arrived.mails), wrong


@contextmanager
def rehearsing(folder: Path, keeper: Keeper, **environment: str) -> Iterator[Rehearsal]:
    """Everything made ready in this folder, with a mail server; ended with the block."""
    listener = listen_on_loopback("mailbox", "127.0.0.1", 0)
    arrived = MailsInMemory()
    environment = {"SMTP_URL": f"smtp://127.0.0.1:{listener.getsockname()[1]}", **environment}
    with (
        receiving(listener, arrived),  # type: ignore[arg-type]
        small_world(folder / "home", keeper, **environment) as world,
    ):
        yield Rehearsal(world, moments(world), arrived)


@contextmanager
def _metered_mail(meter: Meter) -> Iterator[None]:
    plain = smtplib.SMTP
    smtplib.SMTP = metered_smtp(meter)  # type: ignore[misc]
    try:
        yield
    finally:
        smtplib.SMTP = plain  # type: ignore[misc]


def sampled(failures: list[Failure], most: int) -> list[Failure]:
    """At most so many, spread evenly, the last one always."""
    if len(failures) <= most:
        return failures
    return [failures[(number + 1) * len(failures) // most - 1] for number in range(most)]
