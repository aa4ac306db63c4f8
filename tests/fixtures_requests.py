"""A small world for requests: one offering on a connector in memory, and stand-ins for what stands above."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, cast

import pytest
from sqlalchemy import CursorResult, Select, bindparam, false, func, select, update
from sqlalchemy.orm import Session

from catalog.entitlements.jobs import end_entitlement, warn_of_ending
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.connectors.contract import (
    Choice,
    ConnectorError,
    Live,
    Order,
    Outcome,
    Plan,
    PlanLine,
    ReadBack,
)
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.jobs import handlers as fulfilment
from catalog.fulfilment.model import Step
from catalog.fulfilment.orders import on_approved
from catalog.fulfilment.set_aside import on_set_aside
from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import Offering, OfferingVersion
from catalog.requests import events
from catalog.requests.checking import Checked, check_draft
from catalog.requests.drafts import get_draft, keep, new_token
from catalog.requests.events import RequestApproved
from catalog.requests.jobs import prepare
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, move
from catalog.requests.route import RouteApprover, RouteStage, StageProgress
from catalog.requests.seal import seal
from catalog.requests.states import Move, State
from catalog.requests.submit import submit
from portal.audit.model import Entry
from portal.core.clock import now
from portal.core.database import Database
from portal.core.events import publish
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.jobs import Job, Task, TaskState, Workshop, run_due
from portal.notifications.model import Message
from portal.notifications.write import SEND_MAIL

KEY = "a key for tests"


@dataclass
class ShelfConnector:
    """A target in memory that keeps words on a shelf, and obeys the whole contract.

    `acts` records every effect in order: what a test counts. `trouble` is raised once by the named call;
    `after` makes the trouble come after the effect, as a cut line does.
    """

    kind: str = "shelf"
    shelf: dict[str, str] = field(default_factory=dict)
    acts: list[tuple[str, str]] = field(default_factory=list)
    trouble: dict[str, ConnectorError] = field(default_factory=dict)
    after: bool = False
    generation: int = 1
    calls: list[str] = field(default_factory=list)

    def choices(self, name: str) -> Sequence[Choice]:
        return (Choice("red", "Red"), Choice("blue", "Blue"))

    def plan(self, order: Order) -> Plan:
        self._called("plan")
        word = str(order.parameters["word"])
        return Plan(
            connector=self.kind,
            action=order.action,
            target=f"the {self.kind}",
            lines=(PlanLine("add", f"Put “{word}” on the {self.kind}"),),
            document={"word": word, "for": order.beneficiary.user_name, "generation": self.generation},
            inverse={"take": word},
            already_true=word in self.shelf,
            warnings=(f"“{word}” is there already",) if word in self.shelf else (),
        )

    def entitlement_key(self, plan: Plan) -> str:
        return f"{self.kind}:{plan.document['word']}"

    def apply(self, plan: Plan, key: str) -> Outcome:
        self._called("apply", late=self.after)
        word = plan.document["word"]
        if word not in self.shelf:
            self.shelf[word] = key
            self.acts.append(("put", word))
        self._late("apply")
        return Outcome({"word": word}, (PlanLine("add", f"“{word}” stands on the {self.kind}"),))

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        self._called("read_back")
        word = plan.document["word"]
        there = word in self.shelf
        return ReadBack(
            there,
            {"word": word, "there": there},
            (PlanLine("note", f"The {self.kind} shows “{word}”"),),
            {f"{word}.txt": word.encode()} if there else {},
        )

    def revert(self, plan: Plan, key: str) -> Outcome:
        self._called("revert")
        word = plan.document["word"]
        if self.shelf.pop(word, None):
            self.acts.append(("take", word))
        return Outcome({"word": word})

    def live(self) -> Iterable[Live]:
        return [Live(f"{self.kind}:{word}", word, {}) for word in self.shelf]

    def _called(self, name: str, *, late: bool = False) -> None:
        self.calls.append(name)
        if name in self.trouble and not late:
            raise self.trouble.pop(name)

    def _late(self, name: str) -> None:
        if self.after and name in self.trouble:
            raise self.trouble.pop(name)


OFFERING: dict[str, Any] = {
    "slug": "words-on-shelves",
    "name": "Words on shelves",
    "summary": "A word is put where people can read it.",
    "description": "For trying the portal's own workings out.",
    "category": "Access",
    "owner": "crm-owners",
    "controls": {"SOC 2 TSC 2017": ["CC6.1"]},
    "undone": "The words are taken down again.",
    "form": {
        "sections": [
            {
                "title": "What",
                "fields": [
                    {"name": "person", "kind": "person", "label": "For whom", "required": False},
                    {"name": "word", "kind": "text", "label": "Word", "at_most": 20},
                    {"name": "second", "kind": "text", "label": "Second word", "required": False},
                    {"name": "reason", "kind": "long_text", "label": "Reason", "at_least": 5},
                    {"name": "until", "kind": "date", "label": "Until when", "required": False},
                ],
            }
        ]
    },
    "beneficiary": "person",
    "reason": "reason",
    "title": "'Word ' + answers.word",
    "risk": {
        "reasons": [{"when": "answers.word == 'root'", "points": 30, "because": "It is a mighty word."}]
    },
    "route": {
        "stages": [
            {
                "slug": "manager",
                "name": "Line manager",
                "approvers": {"relation": "line-manager"},
                "target": "8h",
            }
        ]
    },
    "target": "2d",
    "fulfilment": [
        {
            "step": "first",
            "name": "Put the word up",
            "connector": "shelf",
            "action": "put",
            "with": {"word": {"answer": "word"}},
        },
        {
            "step": "second",
            "name": "Put the second word up",
            "connector": "rack",
            "action": "put",
            "when": "answered.second",
            "with": {"word": {"answer": "second"}},
        },
    ],
    "ends": {"date": "until"},
}


def add_offering(
    session: Session, content: dict[str, Any] = OFFERING, *, publisher_id: int | None = None
) -> int:
    """Publish the document as the next version of its offering; gives the version's id."""
    document = OfferingDocument.model_validate_json(_json(content))
    offering = session.scalars(select(Offering).where(Offering.slug == document.slug)).one_or_none()
    number = 1
    if offering is None:
        offering = Offering(slug=document.slug, retired=False)
        session.add(offering)
        session.flush()
    else:
        count = select(func.count()).where(OfferingVersion.offering_id == offering.id)
        number += session.scalar(count) or 0
    version = OfferingVersion(
        offering_id=offering.id,
        number=number,
        digest=document.digest,
        document=document.to_json(),
        source="",
        publisher_id=publisher_id,
        published_at=now(session),
    )
    session.add(version)
    session.flush()
    return version.id


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content)


@dataclass
class ManagerRouter:
    """A route of one stage, the line manager's; stands in for the approvals above."""

    manager_id: int
    visible_to: set[int] = field(default_factory=set)

    def stages(self) -> tuple[RouteStage, ...]:
        manager = RouteApprover(
            self.manager_id,
            "https://sso.test",
            "s-manager",
            "Milo Manager",
            "line manager",
            "line-manager:beneficiary",
        )
        return (RouteStage("manager", "Line manager", 1, (manager,), "Asked as line manager.", 480),)

    def preview(self, session: Session, proposal: Any) -> tuple[RouteStage, ...]:
        return self.stages()

    def promised_by(self, session: Session, stages: Any, start: Any) -> Any:
        return start

    def outlook(self, session: Session, person_id: int, documents: Any, start: Any) -> dict[str, Any]:
        return {document.slug: start for document in documents}

    def progress(self, session: Session, request_id: int) -> tuple[StageProgress, ...]:
        return (StageProgress("Line manager", "open", 1, ("Milo Manager",), "Asked.", None, None, ()),)

    def may_see(self, session: Session, request_id: int, person_id: int) -> bool:
        return person_id in self.visible_to

    def seen_by(self, person_id: int, at: datetime) -> Select[Any]:
        return select(Request.id) if person_id in self.visible_to else select(Request.id).where(false())

    def on_planned(self, session: Session, event: Any) -> None:
        """Seal the request, as the approvals do."""
        request = get_locked(session, event.request_id)
        request.route = [stage.sealed() for stage in self.stages()]
        request.seal = seal(request)
        request.sealed_at = now(session)


_MAILS_ARE_DONE = (
    update(Task)
    .where(Task.kind == SEND_MAIL, Task.state == TaskState.WAITING, Task.run_at <= bindparam("at"))
    .values(
        state=TaskState.DONE,
        attempts=Task.attempts + 1,
        fence=Task.fence + 1,
        finished_at=bindparam("at"),
    )
    .execution_options(synchronize_session=False)
)


def run_but_mail(workshop: Workshop) -> int:
    """As run_due, but mail, which is most of what is due and is not sent here, is done by one statement for all.

    Each mail counts as a try. For a workshop whose handler of mail does nothing.
    """
    mails = 0

    def do_mails() -> bool:
        nonlocal mails
        with workshop.db.transaction() as session:
            result = session.execute(_MAILS_ARE_DONE, {"at": now(session)})
            mails += cast("CursorResult[Any]", result).rowcount
        return False

    # It asks before each task whether it should stop.
    return run_due(workshop, stop=do_mails) + mails


@dataclass
class Shelves:
    """The offering's version, both connectors, and the router."""

    db: Database
    settings: Settings
    version_id: int
    shelf: ShelfConnector
    rack: ShelfConnector
    router: ManagerRouter
    told: list[Any]

    @property
    def connectors(self) -> Connectors:
        return Connectors([self.shelf, self.rack])

    @property
    def handlers(self) -> dict[str, Callable[[Job], None]]:
        """Every task of this part, as portal.wiring binds them."""
        return {
            "prepare": partial(prepare, connectors=self.connectors),
            **fulfilment(self.connectors),
            "end_entitlement": partial(end_entitlement, connectors=self.connectors),
            "warn_of_ending": warn_of_ending,
            SEND_MAIL: lambda job: None,
        }

    def workshop(self, **others: Callable[[Job], None]) -> Workshop:
        """A worker's workshop; a handler may be replaced by name."""
        return Workshop(self.db, self.settings, {**self.handlers, **others}, on_set_aside=on_set_aside)

    def work(self, **others: Callable[[Job], None]) -> int:
        """Run what is due, and say how many tries were made."""
        workshop = self.workshop(**others)
        return run_due(workshop) if SEND_MAIL in others else run_but_mail(workshop)

    def request(self, request_id: int) -> Request:
        """The request as it is now."""
        with self.db.reading() as session:
            return session.get_one(Request, request_id)

    def steps(self, request_id: int) -> Sequence[Step]:
        """All its steps, of every attempt, in order."""
        with self.db.reading() as session:
            return session.scalars(select(Step).where(Step.request_id == request_id).order_by(Step.id)).all()

    def entitlements(self, request_id: int) -> Sequence[Entitlement]:
        """What it brought to life."""
        with self.db.reading() as session:
            statement = select(Entitlement).where(Entitlement.request_id == request_id)
            return session.scalars(statement.order_by(Entitlement.id)).all()

    def tags(self, request_id: int) -> list[str]:
        """What the ledger says of it, in order."""
        with self.db.reading() as session:
            reference = session.get_one(Request, request_id).reference
            statement = select(Entry.tag).where(Entry.subject == f"request:{reference}")
            return list(session.scalars(statement.order_by(Entry.number)))

    def drafted(self, actor: Actor, **answers: Any) -> str:
        """A draft with these answers; gives its token."""
        token = new_token(actor.person_id or 0, KEY)
        answers = {"word": "hello", "reason": "To be read.", **answers}
        with self.db.transaction() as session:
            keep(session, token, session.get_one(OfferingVersion, self.version_id), answers, key=KEY)
        return token

    def checked(self, actor: Actor, **answers: Any) -> Checked:
        """A draft whose answers were checked."""
        token = self.drafted(actor, **answers)
        with self.db.reading() as session:
            version = session.get_one(OfferingVersion, self.version_id)
            return check_draft(session, actor, get_draft(session, actor, token), version, self.connectors)

    def mails(self) -> list[tuple[str, int | None]]:
        """Every mail that was written, by event and to whom, in order."""
        with self.db.reading() as session:
            rows = session.execute(select(Message.event, Message.person_id).order_by(Message.id))
            return [(event, person_id) for event, person_id in rows]

    def submitted(self, actor: Actor, **answers: Any) -> int:
        """A request that waits to be prepared."""
        checked = self.checked(actor, **answers)
        with self.db.transaction() as session:
            return submit(session, actor, checked).id

    def prepared(self, actor: Actor, **answers: Any) -> int:
        """A request that waits for its approval."""
        request_id = self.submitted(actor, **answers)
        self.work()
        assert self.request(request_id).state is State.PENDING
        return request_id

    def approve(self, request_id: int) -> None:
        """Say the last yes, as the approvals do."""
        with self.db.transaction() as session:
            request = get_locked(session, request_id)
            move(session, request, Move.APPROVE)
            request.decided_at = now(session)
            publish(session, RequestApproved(request_id))

    def approved(self, actor: Actor, **answers: Any) -> int:
        """A request whose fulfilment is due."""
        request_id = self.prepared(actor, **answers)
        self.approve(request_id)
        return request_id

    def fulfilled(self, actor: Actor, **answers: Any) -> int:
        """A request that is done."""
        request_id = self.approved(actor, **answers)
        self.work()
        assert self.request(request_id).state is State.FULFILLED
        return request_id


@pytest.fixture
def shelves(db: Database, settings: Settings, cast: Any) -> Shelves:
    """An offering with one step, or two where a second word is asked for; its events go to `told`."""
    router = ManagerRouter(cast.manager)
    told: list[Any] = []

    def tell(session: Session, event: Any) -> None:
        told.append(event)

    kinds = [kind for name, kind in vars(events).items() if name.startswith(("Request", "Fulfilment"))]
    handlers: dict[type[Any], list[Callable[[Session, Any], None]]] = {kind: [tell] for kind in kinds}
    handlers[events.RequestPlanned].append(router.on_planned)
    handlers[events.RequestApproved].append(on_approved)
    db.handlers = handlers
    db.info["handlers"] = handlers
    with db.transaction() as session:
        version_id = add_offering(session, publisher_id=cast.operator)
    return Shelves(db, settings, version_id, ShelfConnector(), ShelfConnector(kind="rack"), router, told)
