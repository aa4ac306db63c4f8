"""Queues: each worker has its own connectors' secrets, the others ask through it, and a queue without one is seen."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from catalog.fulfilment.connectors.contract import Beneficiary, ConnectorError, Order, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.elsewhere.ask import Elsewhere
from catalog.fulfilment.elsewhere.wire import decode, encode
from catalog.fulfilment.jobs import handlers
from catalog.fulfilment.model import ConnectorCall, StepState
from catalog.fulfilment.queues import assign
from catalog.requests.states import State
from portal.core.errors import SettingsError
from portal.core.language import Said, spoken
from portal.core.settings import Settings
from portal.jobs import Task, Workshop, run_due
from portal.jobs.attendance import sign, unserved_queues
from portal.wiring import build

QUEUES = (("rack", "cellar"),)
ORDER = Order(
    "SR-000001", "put", {"word": Said({"en": "hello", "de": "hallo"})}, Beneficiary("rosa", "Rosa", "r@x")
)


@pytest.fixture
def cellar(shelves):
    """A worker of the queue `cellar`, which alone speaks to the rack."""
    assign(shelves.db, dict(QUEUES))
    settings = replace(shelves.settings, queues=QUEUES, queue="cellar")
    return Workshop(shelves.db, settings, handlers(Connectors([shelves.rack])))


@pytest.fixture
def elsewhere(shelves, cellar):
    """The rack as other processes have it, while the cellar's worker answers."""
    stop = threading.Event()

    def answer() -> None:
        while not stop.wait(0.01):
            run_due(cellar, "cellar")

    worker = threading.Thread(target=answer)
    worker.start()
    yield Elsewhere("rack", "cellar", shelves.db, type(shelves.rack))
    stop.set()
    worker.join()


def test_each_step_runs_on_its_connectors_queue_and_nowhere_else(shelves, cellar, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester), second="world")

    shelves.work()
    assert [step.state for step in shelves.steps(request_id)] == [StepState.DONE, StepState.WAITING]
    assert shelves.rack.calls.count("apply") == 0
    run_due(cellar, "cellar")
    assert [step.state for step in shelves.steps(request_id)] == [StepState.DONE, StepState.DONE]
    shelves.work()

    assert shelves.request(request_id).state is State.FULFILLED
    with shelves.db.reading() as session:
        rows = session.execute(select(Task.kind, Task.queue).where(Task.kind == "do_step").order_by(Task.id))
        assert rows.all() == [("do_step", "default"), ("do_step", "cellar")]


@pytest.mark.on_sqlite
def test_a_step_that_is_undone_is_undone_on_its_queue(shelves, cellar, cast, actor_of):
    assign(shelves.db, {"shelf": "cellar"})
    shelf = replace(cellar, handlers=handlers(Connectors([shelves.shelf])))
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    shelves.rack.trouble["apply"] = ConnectorError("The rack takes no words.", permanent=True)

    shelves.work()
    run_due(shelf, "cellar")
    shelves.work()
    assert [step.state for step in shelves.steps(request_id)] == [StepState.UNDOING, StepState.FAILED]
    run_due(shelf, "cellar")
    shelves.work()

    assert shelves.request(request_id).state is State.FAILED
    assert shelves.shelf.acts == [("put", "hello"), ("take", "hello")]


@pytest.mark.on_sqlite
def test_a_step_follows_its_connector_to_another_queue(shelves, cellar, cast, actor_of):
    """QUEUES was changed while the step waited."""
    assign(shelves.db, {})
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    run_due(replace(shelves.workshop(), handlers={**shelves.handlers, "do_step": lambda job: None}))
    assign(shelves.db, {"shelf": "cellar"})
    with shelves.db.transaction() as session:
        for task in session.scalars(select(Task).where(Task.kind == "do_step")):
            task.state = "waiting"
    shelves.work()
    assert shelves.steps(request_id)[0].state is StepState.WAITING
    run_due(replace(cellar, handlers=handlers(Connectors([shelves.shelf]))), "cellar")
    assert shelves.steps(request_id)[0].state is StepState.DONE


def test_a_target_is_read_through_its_queue(shelves, elsewhere):
    plan = elsewhere.plan(ORDER)
    assert plan == shelves.rack.plan(ORDER)
    assert elsewhere.entitlement_key(plan) == "rack:hello"
    assert elsewhere.brings_to_life(plan) is True
    assert elsewhere.removes(plan) == ""
    assert elsewhere.read_back(plan, "key").present is False
    assert [choice.value for choice in elsewhere.choices("colours")] == ["red", "blue"]
    shelves.rack.shelf["hello"] = "there"
    assert [live.key for live in elsewhere.live()] == ["rack:hello"]
    assert elsewhere.read_back(plan, "key").artefacts == {"hello.txt": b"hello"}
    with shelves.db.reading() as session:
        assert session.scalars(select(ConnectorCall)).all() == []


@pytest.mark.on_sqlite
def test_errors_arrive_as_they_were_raised(shelves, elsewhere):
    for permanent in (True, False):
        shelves.rack.trouble["plan"] = ConnectorError("The rack is full.", permanent=permanent)
        with pytest.raises(ConnectorError, match="The rack is full") as caught:
            elsewhere.plan(ORDER)
        assert caught.value.permanent is permanent


@pytest.mark.on_sqlite
def test_nothing_is_carried_out_for_whoever_only_asks(shelves, elsewhere, cast, actor_of):
    plan = elsewhere.plan(ORDER)
    with pytest.raises(ConnectorError, match="by the worker of the queue"):
        elsewhere.apply(plan, "key")
    shelves.rack.shelf["hello"] = "somebody else's"
    with pytest.raises(ConnectorError, match="No step of this portal"):
        elsewhere.revert(plan, "key")
    assert "apply" not in shelves.rack.calls
    assert "revert" not in shelves.rack.calls


@pytest.mark.on_sqlite
def test_what_a_step_did_can_be_taken_back_through_its_queue(shelves, cellar, elsewhere, cast, actor_of):
    request_id = shelves.approved(actor_of(cast.requester), second="world")
    shelves.work()
    wait_until(lambda: shelves.steps(request_id)[1].state is StepState.DONE)
    step = shelves.steps(request_id)[1]
    elsewhere.revert(Plan.from_json(step.plan), step.key)
    assert shelves.rack.acts == [("put", "world"), ("take", "world")]


@pytest.mark.on_sqlite
def test_a_worker_that_is_not_there_is_a_passing_trouble(shelves):
    with pytest.raises(ConnectorError, match="does not answer just now") as caught:
        Elsewhere("rack", "cellar", shelves.db)._ask("plan", ORDER, seconds=0.05)
    assert not caught.value.permanent


@pytest.mark.on_sqlite
def test_what_goes_over_the_wire_comes_back_as_it_was(shelves):
    there = decode(encode(ORDER))
    assert there == ORDER
    assert there.parameters["word"].languages == {"en": "hello", "de": "hallo"}
    assert spoken(there.parameters["word"]) == "hello"
    with pytest.raises(TypeError):
        encode(shelves)
    with pytest.raises(KeyError):
        decode({"$": "Popen", "value": {}})


def test_a_queue_that_nobody_serves_is_named_until_somebody_does(shelves, cellar, cast, actor_of, clock):
    shelves.approved(actor_of(cast.requester), second="world")
    shelves.work()
    clock.pass_time(minutes=2)
    with shelves.db.reading() as session:
        assert [(line.queue, line.tasks) for line in unserved_queues(session)] == [("cellar", 1)]
    sign(shelves.db, "cellar")
    sign(shelves.db, "cellar")
    with shelves.db.reading() as session:
        assert unserved_queues(session) == []


def environment(tmp_path, **more) -> dict[str, str]:
    return {
        "COUNTERSIGN_HOME": str(tmp_path / "home"),
        "QUEUES": "directory=scim,ldap database=postgresql",
        "SCIM_TOKEN_FILE": str(tmp_path / "missing"),
        "LDAP_URL": "ldap://directory.example",
        "LDAP_PASSWORD_FILE": str(tmp_path / "missing"),
        "POSTGRESQL_TARGET_FILE": str(tmp_path / "missing"),
        **more,
    }


@pytest.mark.on_sqlite
def test_a_secret_of_another_queue_may_be_missing(tmp_path, database_url):
    settings = Settings.from_environment(environment(tmp_path))
    portal = build(settings)
    kinds = {connector.kind: type(connector).__name__ for connector in portal.connectors}
    assert {kinds[kind] for kind in ("scim", "ldap", "postgresql")} == {"Elsewhere"}
    assert kinds["firewall"] == "FirewallConnector"
    portal.db.dispose()
    with pytest.raises(SettingsError, match="SCIM_TOKEN_FILE"):
        Settings.from_environment(environment(tmp_path), queue="directory")


@pytest.mark.on_sqlite
def test_a_worker_builds_its_own_connectors_alone(tmp_path, database_url):
    token = tmp_path / "token"
    token.write_text("the directory's")
    env = environment(tmp_path, SCIM_TOKEN_FILE=str(token), LDAP_PASSWORD_FILE=str(token))
    portal = build(Settings.from_environment(env, queue="directory"))
    kinds = {connector.kind: type(connector).__name__ for connector in portal.connectors}
    assert (kinds["scim"], kinds["ldap"]) == ("ScimConnector", "LdapConnector")
    assert kinds["postgresql"] == "Elsewhere"
    assert portal.settings.scim_token == "the directory's"
    portal.db.dispose()


@pytest.mark.on_sqlite
@pytest.mark.parametrize("text", ["directory", "directory=", "=scim", "Directory=scim", "a=scim b=scim"])
def test_queues_that_say_nothing_clear_are_refused(text, tmp_path):
    with pytest.raises(SettingsError, match="QUEUES"):
        Settings.from_environment({"COUNTERSIGN_HOME": str(tmp_path), "QUEUES": text})


@pytest.mark.on_sqlite
def test_no_worker_waits_on_a_queue_that_there_is_not(tmp_path):
    with pytest.raises(SettingsError, match="There is no queue 'cellar'; QUEUES names: default"):
        Settings.from_environment({"COUNTERSIGN_HOME": str(tmp_path)}, queue="cellar")


def wait_until(condition, seconds: float = 60.0) -> None:
    ended = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        ended.wait(0.02)
    pytest.fail("It did not come to pass.")
