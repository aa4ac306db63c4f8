"""Tools that answer oddly, die after acting, know nothing of a call or finish never."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.fulfilment.connectors.contract import ConnectorError, ConnectorPending
from catalog.fulfilment.connectors.http import HttpConnector
from portal.core.database import Database
from portal.core.settings import Settings
from portal.tables import METADATA
from portal.wiring.connectors import connectors_of
from tests.catalog.fulfilment.connectors.cases.http import ORDER, connector_to
from tests.catalog.fulfilment.connectors.tool import SECRET, Tool, running, targets_file
from tests.fixtures_people import StandingClock

KEY = "sha256:" + "5e" * 32


@pytest.fixture(scope="module")
def shared() -> Iterator[Tool]:
    with running() as tool:
        yield tool


@pytest.fixture
def tool(shared: Tool, clock: StandingClock) -> Tool:
    fresh = Tool()
    for name in ("runs", "effects", "refused", "asked", "instead", "dies_after_acting", "at_once"):
        setattr(shared, name, getattr(fresh, name))
    shared.now = lambda: clock().timestamp()
    return shared


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def database(tmp_path: Path, clock: StandingClock) -> Iterator[Database]:
    db = Database(f"sqlite:///{tmp_path / 'portal.db'}", clock=clock)
    METADATA.create_all(db.engine)
    yield db
    db.dispose()


@pytest.fixture
def connector(tool: Tool, database: Database, tmp_path: Path) -> HttpConnector:
    return connector_to(targets_file(tmp_path, tool), database)


def answer(status: int, content: object = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    body = content if isinstance(content, bytes) else json.dumps(content or {}).encode()
    return status, {"Content-Type": "application/json", **headers}, body


def test_the_plan_says_exactly_what_is_sent(connector: HttpConnector, tool: Tool) -> None:
    plan = connector.plan(ORDER)
    shown = [line.text for line in plan.lines]
    assert "Response platform: isolate_host" in shown
    assert "host: app1.meridian.example" in shown
    assert "It says what it would do: Would isolate app1.meridian.example" in shown
    with pytest.raises(ConnectorPending) as pending:
        connector.apply(plan, KEY)
    assert pending.value.waits_for == "Response platform"
    (run,) = tool.runs.values()
    assert run["order"] == plan.document == json.loads(shown[-1])
    assert list(tool.runs) == [KEY]
    assert tool.refused == []


def test_a_tool_that_dies_after_acting_acts_once(connector: HttpConnector, tool: Tool) -> None:
    plan = connector.plan(ORDER)
    tool.dies_after_acting = 2
    with pytest.raises(ConnectorError) as raised:
        connector.apply(plan, KEY)
    assert not raised.value.permanent
    with pytest.raises(ConnectorPending):
        connector.apply(plan, KEY)
    tool.finish(ticket="INC-7")
    assert connector.apply(plan, KEY).facts["ticket"] == "INC-7"
    assert tool.effects == 1


def test_a_failure_is_told_in_the_tools_words_and_nothing_is_sent_again(
    connector: HttpConnector, tool: Tool
) -> None:
    plan = connector.plan(ORDER)
    with pytest.raises(ConnectorPending):
        connector.apply(plan, KEY)
    tool.finish("failed")
    for _ in range(2):
        with pytest.raises(ConnectorError, match="says that it failed: As you wish") as raised:
            connector.apply(plan, KEY)
        assert raised.value.permanent
    assert tool.effects == 1
    assert not connector.read_back(plan, KEY).present


def test_silence_is_a_failure_when_its_time_is_over(
    connector: HttpConnector, tool: Tool, clock: StandingClock
) -> None:
    plan = connector.plan(ORDER)
    with pytest.raises(ConnectorPending):
        connector.apply(plan, KEY)
    clock.time += timedelta(minutes=59)
    with pytest.raises(ConnectorPending):
        connector.apply(plan, KEY)
    clock.time += timedelta(minutes=1)
    with pytest.raises(ConnectorError, match="did not finish in the time") as raised:
        connector.apply(plan, KEY)
    assert raised.value.permanent


@pytest.mark.parametrize(
    ("instead", "permanent", "words"),
    [
        (answer(302, Location="http://169.254.169.254/"), True, "redirect"),
        (answer(401), True, "signature"),
        (answer(403), True, "signature"),
        (answer(404), True, "refused"),
        (answer(422, {"message": "No such host\r\n\u202eevil"}), True, "422: No such host evil"),
        (answer(429), False, "just now"),
        (answer(500), False, "just now"),
        (answer(501), True, "refused"),
        (answer(200, {"status": "odd\nword"}), True, "“odd word”, which nobody"),
        (answer(200, {"status": 7}), True, "nobody has explained"),
        (answer(202, {"status_url": "https://evil.test/status"}), True, "not below"),
        (answer(202, Location="https://evil.test/status"), True, "not below"),
        (answer(200, b"x" * 2_000_000), False, "more than 1048576 bytes"),
        (answer(200, gzip.compress(b"{}"), **{"Content-Encoding": "gzip"}), False, "packed"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_odd_answer_to_the_call_is_said_in_a_sentence(
    tool: Tool, database: Database, tmp_path: Path, instead: object, permanent: bool, words: str
) -> None:
    connector = connector_to(targets_file(tmp_path, tool, paths={"undo": "undo"}), database)
    plan = connector.plan(ORDER)
    tool.instead = instead  # type: ignore[assignment]
    with pytest.raises(ConnectorError, match=words) as raised:
        connector.apply(plan, KEY)
    assert raised.value.permanent is permanent
    assert raised.value.message.endswith(".")


@pytest.mark.parametrize("content", [b"", b"no json", b"[]", b"null", b'{"status": "done"', b"[" * 100_000])
def test_what_is_no_answer_as_agreed_is_not_taken_for_one(
    connector: HttpConnector, tool: Tool, content: bytes
) -> None:
    plan = connector.plan(ORDER)
    tool.instead = answer(200, content)
    with pytest.raises(ConnectorError) as raised:
        connector.read_back(plan, KEY)
    assert raised.value.permanent
    with pytest.raises(ConnectorError):
        list(connector.live())


def test_what_a_tool_tells_is_cut_to_plain_short_facts(connector: HttpConnector, tool: Tool) -> None:
    plan = connector.plan(ORDER)
    facts = {f"n{number}": number for number in range(50)} | {"a\x00b": "x\u202ey" * 500, "deep": {"a": 1}}
    tool.instead = answer(200, {"status": "done", "facts": facts})
    told = connector.read_back(plan, KEY).facts
    assert len(told) <= 22
    assert len(str(told["a b"])) == 200
    assert "\u202e" not in str(told)
    assert "deep" not in told


def test_a_wrong_secret_is_refused_by_the_tool_and_told(
    tool: Tool, database: Database, tmp_path: Path
) -> None:
    connector = connector_to(targets_file(tmp_path, tool, secret=f"{SECRET[:-4]}AAA="), database)
    with pytest.raises(ConnectorError, match="refuses the portal's signature") as raised:
        connector.plan(ORDER)
    assert raised.value.permanent
    assert tool.runs == {}


def test_a_tool_that_only_calls_back_is_believed_by_its_signed_word(
    tool: Tool, database: Database, tmp_path: Path
) -> None:
    connector = connector_to(targets_file(tmp_path, tool, mode="callback", paths={}), database)
    plan = connector.plan(ORDER)
    assert plan.inverse == {"undo": ""}
    assert not connector.brings_to_life(plan)
    with pytest.raises(ConnectorPending):
        connector.apply(plan, KEY)
    assert not connector.read_back(plan, KEY).present
    assert [path for _, path in tool.asked] == ["/hooks/countersign"]


def test_what_cannot_be_undone_by_the_tool_is_said_and_not_claimed(
    tool: Tool, database: Database, tmp_path: Path
) -> None:
    tool.at_once = "done"
    connector = connector_to(targets_file(tmp_path, tool, paths={"status": "status/{key}"}), database)
    plan = connector.plan(ORDER)
    connector.revert(plan, KEY)
    assert tool.effects == 0
    connector.apply(plan, KEY)
    with pytest.raises(ConnectorError, match="by hand") as raised:
        connector.revert(plan, KEY)
    assert raised.value.permanent
    assert connector.read_back(plan, KEY).present


def test_what_a_tool_does_not_list_is_live_by_the_portals_record(
    tool: Tool, database: Database, tmp_path: Path
) -> None:
    tool.at_once = "done"
    paths = {"undo": "undo", "status": "status/{key}"}
    connector = connector_to(targets_file(tmp_path, tool, paths=paths), database)
    plan = connector.plan(ORDER)
    connector.apply(plan, KEY)
    (live,) = connector.live()
    assert live.key == connector.entitlement_key(plan)
    expected = connector.expected_facts(plan)
    assert expected
    assert {name: live.facts[name] for name in expected} == expected
    assert connector.plan(ORDER).already_true
    connector.revert(plan, KEY)
    assert list(connector.live()) == []
    assert not connector.plan(ORDER).already_true


def test_a_tool_names_nothing_that_is_anothers(connector: HttpConnector, tool: Tool) -> None:
    """Else an owner who adopts what the directory shows would adopt what the tool calls so, or the other way."""
    ours = connector.entitlement_key(connector.plan(ORDER))
    target = ours.split(":")[1]
    foreign = ("scim:directory:1:rosa.requester", "http:another:5e")
    items = [{"entitlement": ours}, {"id": "7", "entitlement": foreign[0]}, {"entitlement": foreign[1]}]
    tool.instead = answer(200, {"items": items})
    assert [live.key for live in connector.live()] == [
        ours,
        f"http:{target}:7",
        f"http:{target}:{foreign[1]}",
    ]


def test_what_only_happens_is_not_there_afterwards(tool: Tool, database: Database, tmp_path: Path) -> None:
    tool.at_once = "done"
    connector = connector_to(targets_file(tmp_path, tool, paths={"status": "status/{key}"}), database)
    connector.apply(connector.plan(ORDER), KEY)
    assert list(connector.live()) == []


def test_what_happens_and_is_not_undone_happens_for_each_request(
    tool: Tool, database: Database, tmp_path: Path
) -> None:
    connector = connector_to(targets_file(tmp_path, tool, paths={"status": "status/{key}"}), database)
    other = connector.plan(ORDER.__class__("SR-000008", ORDER.action, ORDER.parameters, ORDER.beneficiary))
    assert connector.entitlement_key(connector.plan(ORDER)) != connector.entitlement_key(other)


def test_a_target_inside_is_called_only_where_its_network_is_listed(
    settings: Settings, tool: Tool, database: Database, tmp_path: Path
) -> None:
    file = targets_file(tmp_path, tool)
    for networks, reached in (((), False), (("127.0.0.1/32",), True)):
        told = settings.__class__(
            **{
                **{name: getattr(settings, name) for name in settings.__slots__},
                "http_targets": file,
                "outgoing_networks": networks,
            }
        )
        connector = connectors_of(told, database, None).get("http")  # type: ignore[arg-type]
        if reached:
            assert connector.plan(ORDER).lines
        else:
            with pytest.raises(ConnectorError, match=r"may not be called: .* not a public address") as raised:
                connector.plan(ORDER)
            assert raised.value.permanent
