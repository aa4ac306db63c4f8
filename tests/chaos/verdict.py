"""The verdict on a run: nothing lost, nothing twice on any target, nothing stuck, and a ledger that verifies."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.scim.plans import KIND as SCIM
from catalog.fulfilment.model import Step, StepState
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.audit.checkpoint import Signer
from portal.audit.verify import verify_ledger
from portal.core.clock import now
from portal.core.database import Database
from portal.core.settings import Settings
from portal.demo_targets import scim
from portal.jobs import Task, TaskState
from portal.notifications.model import Message
from portal.notifications.write import SEND_MAIL
from tests.chaos.counting import CountingConnector
from tests.chaos.estate import kinds

_FAILING = {kind.slug for kind in kinds(0) if kind.fails}
_UNTIL_SETTLED = frozenset({State.PREPARING, State.SCHEDULED, State.FULFILLING})
#: Its models are read from source, and CPython 3.11 cannot parse in two threads at once.
_BUILDING = threading.Lock()


@dataclass
class CountedDirectory:
    """The demo directory, with each change of a membership written down as it happens."""

    application: Any
    changes: Counter[tuple[str, str, str]]

    @classmethod
    def new(cls, file: Path, token: str, people: list[dict[str, str]]) -> CountedDirectory:
        """A directory with these people in it."""
        with _BUILDING:
            application = scim.build(file, token, people)
        changes: Counter[tuple[str, str, str]] = Counter()
        plain = application.storage.update

        def update(resource_type: Any, resource: Any, **more: Any) -> Any:
            before = _members(application.storage.resources).get(resource.id, set())
            updated = plain(resource_type, resource, **more)
            after = _members([updated]).get(resource.id, set())
            changes.update(("added", resource.id, member) for member in after - before)
            changes.update(("removed", resource.id, member) for member in before - after)
            return updated

        application.storage.update = update
        return cls(application, changes)

    def memberships(self) -> int:
        """How many there are now."""
        return sum(len(members) for members in _members(self.application.storage.resources).values())


def _members(resources: Iterable[Any]) -> dict[str, set[str]]:
    return {each.id: {member.value for member in getattr(each, "members", None) or ()} for each in resources}


@dataclass
class Verdict:
    """What was found; `faults` is everything that must not be."""

    settled: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [
            *(f"lost: {each}" for each in self.lost),
            *(f"twice: {each}" for each in self.twice),
            *(f"stuck: {each}" for each in self.stuck),
            *self.others,
        ]


def open_work(db: Database) -> int:
    """How many requests and tasks are under way; a database that does not answer has some."""
    with contextlib.suppress(SQLAlchemyError), db.reading() as session:
        requests = session.scalar(select(func.count()).where(Request.state.in_(_UNTIL_SETTLED))) or 0
        return requests + (
            session.scalar(select(func.count()).select_from(_open_tasks(now(session)).subquery())) or 0
        )
    return 1


def kinds_of_requests(db: Database) -> set[str]:
    """The kinds of task that carry requests on, mails among them."""
    with db.reading() as session:
        kinds = select(Task.kind).where(or_(Task.subject.like("request:%"), Task.kind == SEND_MAIL))
        return set(session.scalars(kinds.distinct()))


def given_up(db: Database) -> bool:
    """Whether a task is set aside: then there is nothing to wait for."""
    with contextlib.suppress(SQLAlchemyError), db.reading() as session:
        return session.scalars(select(Task.id).where(Task.state == TaskState.FAILED)).first() is not None
    return False


def _open_tasks(at: Any) -> Any:
    """Tasks that run, are due, or will be tried again. What waits for its first time waits for the clock, not for us."""
    waiting = and_(Task.state == TaskState.WAITING, or_(Task.run_at <= at, Task.attempts > 0))
    # Rounds come for ever, so an open one says nothing.
    once = or_(Task.subject.is_(None), Task.subject.not_like("periodic:%"))
    return select(Task.id).where(once, or_(Task.state == TaskState.RUNNING, waiting))


def verdict_of(
    db: Database,
    settings: Settings,
    counting: CountingConnector,
    directory: CountedDirectory,
    mails: list[tuple[str, str, str]],
) -> Verdict:
    """Look at the database, the ledger and every target. The processes may still run."""
    verdict = Verdict()
    with db.reading() as session:
        for task in session.scalars(
            select(Task).where(Task.id.in_(_open_tasks(now(session)))).order_by(Task.id)
        ):
            verdict.stuck.append(
                f"task {task.id} ({task.kind}) is {task.state} after {task.attempts}: {task.last_error}"
            )
        for task in session.scalars(select(Task).where(Task.state == TaskState.FAILED).order_by(Task.id)):
            verdict.stuck.append(f"task {task.id} ({task.kind}) is set aside: {task.last_error}")
        for request in session.scalars(select(Request).order_by(Request.id)):
            _judge_request(session, request, verdict)
        expected = _expected(session)
        sent = set(session.scalars(select(Message.message_id)))
        unsent = session.scalar(select(func.count()).where(Message.sent_at.is_(None))) or 0
    _judge_targets(settings, counting, directory, expected, verdict)
    strangers = {message_id for message_id, _, _ in mails} - sent
    missing = sent - {message_id for message_id, _, _ in mails}
    if strangers or missing or unsent:
        verdict.others.append(f"mails: {len(strangers)} strange, {len(missing)} missing, {unsent} not sent")
    signer = Signer.from_settings(settings)
    ledger = verify_ledger(db, name=signer.name, keys=signer.public_keys, folder=signer.folder)
    verdict.others += [f"ledger: {finding.sentence}" for finding in ledger.findings]
    return verdict


def _judge_request(session: Any, request: Request, verdict: Verdict) -> None:
    fails = request.version.document["slug"] in _FAILING
    steps = session.scalars(
        select(Step.state).where(Step.request_id == request.id).order_by(Step.position)
    ).all()
    live = session.scalar(
        select(func.count()).where(
            Entitlement.request_id == request.id, Entitlement.state == EntitlementState.LIVE
        )
    )
    wanted = (
        [StepState.REVERTED, StepState.REVERTED, StepState.FAILED]
        if fails
        else [StepState.DONE] * len(request.plans)
    )
    right = (
        request.state is (State.FAILED if fails else State.FULFILLED),
        list(steps) == wanted,
        live == (0 if fails else len(wanted)),
    )
    if all(right):
        verdict.settled += 1
    else:
        verdict.lost.append(
            f"{request.reference} ({request.version.document['slug']}) is {request.state}: {request.outcome}"
            f" {[str(state) for state in steps]}, {live} live"
        )


@dataclass(frozen=True)
class _Expected:
    references: dict[str, list[str]]
    memberships: int


def _expected(session: Any) -> _Expected:
    references: dict[str, list[str]] = {}
    memberships = 0
    for request in session.scalars(select(Request).order_by(Request.id)):
        kind = request.version.document["slug"]
        references.setdefault(kind, []).append(request.reference)
        if kind not in _FAILING:
            memberships += sum(step["connector"] == SCIM for step in request.version.document["fulfilment"])
    return _Expected(references, memberships)


def _judge_targets(
    settings: Settings,
    counting: CountingConnector,
    directory: CountedDirectory,
    expected: _Expected,
    verdict: Verdict,
) -> None:
    """Each target is asked itself how often each thing was done."""
    effects = [*counting.effects().items(), *directory.changes.items()]
    verdict.twice += [f"{effect} {count} times" for effect, count in effects if count > 1]
    if directory.memberships() != expected.memberships:
        verdict.others.append(
            f"the directory has {directory.memberships()} memberships, not {expected.memberships}"
        )
    records = CertificateAuthority(settings.ca_folder, settings.public_url).records.every()
    issued = Counter(record.reference for record in records)
    log = subprocess.run(
        ["git", "-C", str(settings.firewall_repository), "log", "--all", "--format=%B"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    committed = Counter(
        line.removeprefix("Request: ") for line in log.splitlines() if line.startswith("Request: SR-")
    )
    for kind, counted in (("certificate", issued), ("rule", committed)):
        for reference in expected.references.get(kind, []):
            count = counted.pop(reference, 0)
            if count > 1:
                verdict.twice.append(f"{kind} of {reference} {count} times")
            elif not count:
                verdict.lost.append(f"no {kind} of {reference} on its target")
        verdict.others += [f"a {kind} of {reference}, which asks for none" for reference in counted]
