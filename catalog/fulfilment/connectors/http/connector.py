"""The HTTP connector: has an automation tool carry out a document, once, and waits for its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import (
    Choice,
    ConnectorError,
    ConnectorPending,
    Json,
    Live,
    Order,
    Outcome,
    Plan,
    PlanLine,
    ReadBack,
)
from catalog.fulfilment.connectors.http import calls, plans
from catalog.fulfilment.connectors.http.calls import DO, UNDO
from catalog.fulfilment.connectors.http.client import Client, Said, plain
from catalog.fulfilment.connectors.http.model import CallState, HttpCall
from catalog.fulfilment.connectors.http.targets import DONE, RUNNING, Target
from portal.core.database import Database
from portal.core.language import say
from portal.core.outgoing import Outgoing

_TYPES = {DO: "countersign.apply", UNDO: "countersign.undo"}


class HttpConnector:
    """Speaks to the targets of the operator's file. `public_url` is where they call back.

    A tool may take hours and tells by a callback, so each call is a row of the portal's database, as a manual task
    is; calls open sessions of their own. The tool acts on an id at most once.
    """

    kind = plans.KIND

    def __init__(
        self, targets: Mapping[str, Target], outgoing: Outgoing, db: Database, public_url: str
    ) -> None:
        self.targets = dict(targets)
        self.db = db
        self._outgoing = outgoing
        self._public_url = public_url

    def choices(self, name: str) -> Sequence[Choice]:
        """`targets`: every tool by name."""
        if name != "targets":
            message = say("There is no list “%(name)s” of automation tools; there is targets.", name=name)
            raise ConnectorError(message, permanent=True)
        return [Choice(key, target.title) for key, target in sorted(self.targets.items())]

    def plan(self, order: Order) -> Plan:
        """Exactly the document that would be sent; with what the target says of it, where it can be asked."""
        document = plans.document_of(order, self.targets)
        target = self.targets[document["target"]]
        client = self._client(target)
        tried: Sequence[str] = ()
        already = False
        if target.paths.plan is not None:
            tried, already = client.try_out(f"plan/{document['entitlement']}", document)
        if target.paths.list is not None:
            already = any(
                _key_of(item, document["target"]) == document["entitlement"] for item in client.listed("list")
            )
        elif target.paths.plan is None:
            already = self._record_says(document["entitlement"])
        return plans.draw(target, document, tried=tried, already=already)

    def entitlement_key(self, plan: Plan) -> str:
        """From the target, the action and the document."""
        return str(plan.document["entitlement"])

    def brings_to_life(self, plan: Plan) -> bool:
        """Whether there is something to undo when it ends."""
        return bool(plan.inverse["undo"])

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Send it, once, and give its outcome; raises ConnectorPending until the tool is done."""
        call = self._proceed(plan, key, DO)
        if call.state is CallState.DONE:
            target = self._target(plan)
            return Outcome(
                facts={"entitlement": call.entitlement_key, **call.facts},
                lines=(PlanLine("add", say("%(target)s says that it is done", target=target.title)),),
            )
        raise self._unfinished(plan, call)

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether the tool says that it is done and not undone."""
        target = self._target(plan)
        with self._reading() as session:
            call = calls.find_live(session, self.entitlement_key(plan)) or calls.latest(session, key, DO)
            undone = call is not None and call.undone_at is not None
        said = self._ask(target, plan, call, key)
        present = said.status == DONE and not undone
        line = (
            say("%(target)s says: done", target=target.title)
            if present
            else say("%(target)s says: not done", target=target.title)
        )
        facts = {"entitlement": self.entitlement_key(plan), "present": present, **said.facts}
        return ReadBack(present, facts, (PlanLine("note", line),))

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Have the tool undo it: ConnectorPending until it has. What was never done is success."""
        target = self._target(plan)
        with self._reading() as session:
            call = calls.latest(session, key, DO) or calls.find_live(session, self.entitlement_key(plan))
            asked = calls.latest(session, key, UNDO)
        under_way = asked is not None and asked.state is CallState.RUNNING
        undone = Outcome({"entitlement": self.entitlement_key(plan), "undone": True})
        if not under_way:
            said = self._ask(target, plan, call, key)
            over = call is not None and call.undone_at is not None
            if over or said.status not in {DONE, RUNNING}:
                return undone
            if not plan.inverse["undo"]:
                message = say(
                    "%(target)s cannot undo this; somebody must do it by hand.", target=target.title
                )
                raise ConnectorError(message, permanent=True)
        call = self._proceed(plan, key, UNDO)
        if call.state is CallState.DONE:
            return undone
        raise self._unfinished(plan, call)

    def live(self) -> Iterable[Live]:
        """What every target lists; what the portal's record says of one that lists nothing."""
        return [item for name, target in sorted(self.targets.items()) for item in self._live_on(name, target)]

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """What was asked for is in its name: something else would be another thing."""
        return {"entitlement": plan.document["entitlement"]}

    def follow(self, call_id: int) -> HttpCall:
        """See how far a call is, and write it down. Raises ConnectorError while the target does not answer."""
        with self._reading() as session:
            call = session.get_one(HttpCall, call_id)
        target = self._named(call.target)
        if call.state is not CallState.RUNNING:
            return call
        return self._settle(call, self._how_far(target, call), target)

    def give_up_if_late(self, call_id: int) -> HttpCall:
        """Without an answer in its time a call has failed, whoever does not answer."""
        with self._reading() as session:
            call = session.get_one(HttpCall, call_id)
        target = self.targets.get(call.target)
        return call if target is None else self._settle(call, Said(RUNNING), target)

    def _proceed(self, plan: Plan, key: str, action: str) -> HttpCall:
        target = self._target(plan)
        call = self._opened(plan, key, action, target)
        if call.state is not CallState.RUNNING:
            return call
        return self._settle(call, self._how_far(target, call), target)

    def _how_far(self, target: Target, call: HttpCall) -> Said:
        """What the target says of a call; it is sent where the target knows nothing of it yet."""
        said = Said("")
        if call.sent_at is not None or target.paths.status is not None:
            # Read before write: an earlier try may have reached the target and died.
            said = self._ask_call(target, call)
        return said if said.status else self._send(target, call)

    def _send(self, target: Target, call: HttpCall) -> Said:
        path = target.paths.undo if call.action == UNDO else target.paths.apply
        message = calls.message_id(call)
        content = {"order": call.document, "key": message}
        if target.mode == "callback":
            content["callback"] = f"{self._public_url}/connectors/http/callback/{call.token}"
        url = target.address(path, action=call.document["action"], key=message)
        return self._client(target).send(url, message, _TYPES[call.action], content)

    def _ask_call(self, target: Target, call: HttpCall) -> Said:
        message = calls.message_id(call)
        url = call.status_url
        if not url and target.paths.status is not None:
            url = target.address(target.paths.status, action=call.document["action"], key=message)
        if url:
            return self._client(target).ask(url, message)
        # Its own signed word is all that there is.
        return Said(**call.claim) if call.claim else Said(RUNNING)

    def _ask(self, target: Target, plan: Plan, call: HttpCall | None, key: str) -> Said:
        if call is not None:
            if call.state is not CallState.RUNNING and target.paths.status is None and not call.status_url:
                return Said(DONE if call.state is CallState.DONE else "", call.facts)
            return replace(self._ask_call(target, call), status_url="")
        if target.paths.status is None:
            return Said("")
        return self._client(target).ask(target.address(target.paths.status, action=plan.action, key=key), key)

    def _opened(self, plan: Plan, key: str, action: str, target: Target) -> HttpCall:
        for _ in range(2):
            try:
                with self._writing() as session:
                    return calls.open_call(
                        session,
                        plan,
                        key,
                        self.entitlement_key(plan),
                        action=action,
                        patience=target.patience,
                    )
            except IntegrityError:
                continue  # another worker opened it at the same instant
        raise ConnectorError(say("The call could not be written down just now."))

    def _settle(self, call: HttpCall, said: Said, target: Target) -> HttpCall:
        with self._writing() as session:
            return calls.settle(session, call.id, said, target)

    def _unfinished(self, plan: Plan, call: HttpCall) -> ConnectorError:
        title = self._target(plan).title
        if call.state is CallState.RUNNING:
            return ConnectorPending(say("“%(target)s” is at work on it.", target=title), waits_for=title)
        with self._writing() as session:
            return calls.told(session, call)

    def _record_says(self, entitlement: str) -> bool:
        with self._reading() as session:
            return calls.find_live(session, entitlement) is not None

    def _live_on(self, name: str, target: Target) -> Iterator[Live]:
        if target.paths.undo is None:
            return  # what only happens is not there afterwards
        if target.paths.list is None:
            with self._reading() as session:
                for call in calls.every_live(session, name):
                    label = say("%(target)s: %(action)s", target=target.title, action=call.document["action"])
                    facts = {**call.facts, "entitlement": call.entitlement_key}
                    yield Live(call.entitlement_key, label, facts, call.reference)
            return
        for item in self._client(target).listed("list"):
            key = _key_of(item, name)
            label = say("%(target)s: %(label)s", target=target.title, label=plain(item.get("label") or key))
            yield Live(key, label, {"entitlement": key}, plain(item.get("reference") or "")[:20])

    def _target(self, plan: Plan) -> Target:
        return self._named(plan.document["target"])

    def _named(self, name: str) -> Target:
        if name not in self.targets:
            message = say("This portal has no automation target “%(name)s” any more.", name=name)
            raise ConnectorError(message, permanent=True)
        return self.targets[name]

    def _client(self, target: Target) -> Client:
        return Client(target, replace(self._outgoing, seconds=target.seconds), self.db.clock())

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with _sentences(), self.db.reading() as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with _sentences(), self.db.transaction() as session:
            yield session


def _key_of(item: Mapping[str, object], target: str) -> str:
    """Under which identity the portal knows what a target lists; what others made there has its own id.

    A tool speaks for itself alone: what it calls by another target's name is no more than an id of its own.
    """
    own = f"{plans.KIND}:{target}:"
    given = plain(item.get("entitlement") or "")
    return given if given.startswith(own) else f"{own}{plain(item.get('id') or given)}"


@contextmanager
def _sentences() -> Iterator[None]:
    """A database that does not answer is a target that is away."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise ConnectorError(say("The portal's database does not answer just now.")) from error
