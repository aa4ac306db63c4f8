"""A request that an automation tool carries out: sent by the worker, called back over HTTP, undone at its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from catalog.fulfilment.connectors.contract import Connector
from catalog.fulfilment.connectors.http import HttpConnector
from catalog.fulfilment.connectors.http.handing import MOST_WAITING
from catalog.fulfilment.connectors.http.model import HttpCall, HttpCallback
from catalog.fulfilment.elsewhere.ask import Elsewhere
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.app import create_app
from portal.audit.model import Entry
from tests.catalog.fulfilment.connectors.cases.http import connector_to
from tests.catalog.fulfilment.connectors.tool import Tool, running, targets_file

OFFERING = """
slug: isolate-host
name: Isolate a host
summary: Cut a host off the network while it is looked at, until a day you choose.
description: The response platform moves the host into the quarantine network.
category: Incidents
keywords: [quarantine]
owner: catalogue-owners
kind: normal
controls: {SOC 2 TSC 2017: [CC7.1]}
undone: The host goes back into its own network.
form:
  sections:
    - title: Which host
      fields:
        - {kind: host_name, name: host, label: Host, hint: Its name., missing: Enter the host.}
        - {kind: long_text, name: reason, label: Why?, hint: What was seen., at_least: 5, missing: Say why.}
        - {kind: date, name: until, label: Until when?, hint: The last day., missing: Choose the last day.}
reason: reason
title: "'Isolate ' + answers.host"
route:
  stages:
    - {slug: line-manager, name: Line manager, approvers: {relation: line-manager, of: requester}, text: Is it so?}
target: 1d
fulfilment:
  - step: isolate
    name: Isolate the host
    connector: http
    action: isolate_host
    with:
      target: soar
      host: {answer: host}
      ticket: {cel: "'for ' + answers.host"}
ends: {date: until}
example:
  host: app1.meridian.example
  reason: It speaks to an address that is known for malware.
  until: {days_from_today: 3}
"""


#: Two at the same instant is the database's matter; the rest is not.
sqlite = pytest.mark.parametrize("database_url", ["sqlite://"])


@pytest.fixture
def tool(clock) -> Iterator[Tool]:
    with running(now=lambda: clock().timestamp()) as tool:
        yield tool


@pytest.fixture
def mode() -> str:
    return "callback"


@pytest.fixture
def further_connectors(db, tool, tmp_path: Path, mode) -> Sequence[Connector]:
    file = targets_file(tmp_path, tool, mode=mode, actions=["isolate_host"])
    return [connector_to(file, db)]


@pytest.fixture
def offered(tmp_path: Path) -> Path:
    folder = tmp_path / "offered"
    folder.mkdir()
    (folder / "isolate-host.yaml").write_text(OFFERING)
    return folder


@pytest.fixture
def sent(world, cast, actor_of) -> Request:
    """Ordered, approved and sent to the tool, which is at work."""
    request_id = world.ordered(actor_of(cast.requester), "isolate-host")
    world.agree(request_id)
    world.work()
    return world.request(request_id)


@pytest.fixture
def deliver(world) -> Callable[..., int]:
    """Post a callback to the portal's own address, as the tool would; gives the status."""
    client: FlaskClient = create_app(portal=world.portal).test_client()

    def deliver(callback: tuple[str, dict[str, str], bytes]) -> int:
        path, headers, body = callback
        return client.post(path, data=body, headers=headers).status_code

    deliver.client = client  # type: ignore[attr-defined]
    return deliver


def key_of(tool: Tool, *, undo: bool = False) -> str:
    return next(key for key, run in tool.runs.items() if run["undo"] is undo)


def tags(world) -> list[str]:
    with world.db.reading() as session:
        statement = select(Entry.tag).where(Entry.tag.startswith("http-call:")).order_by(Entry.number)
        return list(session.scalars(statement))


def callbacks(world) -> int:
    with world.db.reading() as session:
        return session.scalar(select(func.count()).select_from(HttpCallback)) or 0


@sqlite
def test_a_callback_has_the_request_go_on_and_its_end_undoes_it(world, tool, sent, deliver):
    assert (sent.state, sent.baton) == (State.FULFILLING, "Response platform")
    assert tool.effects == 1
    tool.finish(quarantine="VLAN 66")
    assert deliver(tool.call_back(key_of(tool))) == 204
    world.work()
    request = world.request(sent.id)
    assert request.state is State.FULFILLED, request.outcome
    (entitlement,) = world.entitlements()
    assert [live.key for live in world.portal.connectors.get("http").live()] == [entitlement.key]
    assert tags(world) == ["http-call:sent", "http-call:called-back", "http-call:settled"]

    world.clock.time = entitlement.ends_at + timedelta(seconds=1)
    world.work()
    assert tool.effects == 2
    assert world.request(sent.id).state is State.FULFILLED
    tool.finish()
    assert deliver(tool.call_back(key_of(tool, undo=True))) == 204
    world.work()
    assert world.request(sent.id).state is State.ENDED
    assert list(world.portal.connectors.get("http").live()) == []
    assert tool.refused == []


@sqlite
def test_a_signed_word_that_the_tool_does_not_stand_by_changes_nothing(world, tool, sent, deliver):
    assert deliver(tool.call_back(key_of(tool), status="done")) == 204
    world.work()
    assert world.request(sent.id).state is State.FULFILLING
    # It has the portal look again, after a pause.
    tool.finish()
    world.clock.pass_time(seconds=31)
    world.work()
    assert world.request(sent.id).state is State.FULFILLED


@sqlite
def test_what_the_tool_did_not_sign_now_for_this_call_is_refused(world, tool, sent, deliver):
    key = key_of(tool)
    tool.runs["another"] = {**tool.runs[key]}
    tool.finish()
    path, headers, body = tool.call_back(key)
    now = world.clock().timestamp()
    refused = [
        (path, {**headers, "webhook-signature": "v1,AAAA"}, body),
        (path, {name: value for name, value in headers.items() if name != "webhook-signature"}, body),
        (path, headers, body.replace(b"done", b"DONE")),
        (path, {**headers, "webhook-id": "another"}, body),
        (path.rpartition("/")[0] + "/" + "0" * 32, headers, body),
        tool.call_back(key, at=now - 301),
        tool.call_back(key, at=now + 301),
        tool.call_back(key, secret="whsec_" + "A" * 43 + "="),
    ]
    assert [deliver(callback) for callback in refused] == [401] * len(refused)
    assert deliver((path, headers, b"x" * 70_000)) == 413
    # Signed, but about another call; and signed, but in words that nobody knows.
    assert deliver(tool.call_back("another")) == 400
    assert deliver(tool.call_back(key, status="hooray")) == 400
    assert callbacks(world) == 0
    world.work()
    assert world.request(sent.id).state is State.FULFILLING


@sqlite
def test_looking_at_the_address_changes_nothing(world, tool, sent, deliver):
    path, headers, body = tool.call_back(key_of(tool))
    for method in ("GET", "HEAD"):
        answer = deliver.client.open(path, method=method, headers=headers, data=body)
        assert answer.status_code == 405
    assert callbacks(world) == 0


@sqlite
def test_the_same_callback_again_is_taken_once(world, tool, sent, deliver):
    callback = tool.call_back(key_of(tool), status="running")
    assert [deliver(callback) for _ in range(3)] == [204] * 3
    assert callbacks(world) == 1
    tool.finish()
    finished = tool.call_back(key_of(tool))
    assert deliver(finished) == 204
    world.work()
    assert world.request(sent.id).state is State.FULFILLED
    assert deliver(finished) == 204
    assert deliver(tool.call_back(key_of(tool), status="failed", sent="late")) == 204
    assert callbacks(world) == 2
    world.work()
    assert world.request(sent.id).state is State.FULFILLED


def test_the_same_callback_at_the_same_instant_is_taken_once(world, tool, sent, deliver):
    tool.finish()
    callback = tool.call_back(key_of(tool))
    with ThreadPoolExecutor(6) as senders:
        assert list(senders.map(lambda _: deliver(callback), range(6))) == [204] * 6
    assert callbacks(world) == 1
    world.work()
    assert world.request(sent.id).state is State.FULFILLED


@sqlite
def test_a_process_without_the_keys_hands_a_callback_on_to_the_worker_that_has_them(
    world, tool, sent, deliver
):
    mine = world.portal.connectors.get("http")
    world.portal.connectors.put(Elsewhere("http", "automation", world.db, HttpConnector))
    tool.finish()
    path, headers, body = tool.call_back(key_of(tool))
    assert deliver((path.rpartition("/")[0] + "/" + "0" * 32, headers, body)) == 401
    forged = [
        (path, {**headers, "webhook-signature": f"v1,{number}"}, body) for number in range(MOST_WAITING)
    ]
    assert [deliver(callback) for callback in forged] == [204] * MOST_WAITING
    assert deliver((path, headers, body)) == 503
    world.portal.connectors.put(mine)
    world.work()
    assert callbacks(world) == 0
    assert world.request(sent.id).state is State.FULFILLING
    world.portal.connectors.put(Elsewhere("http", "automation", world.db, HttpConnector))
    assert [deliver((path, headers, body)) for _ in range(3)] == [204] * 3
    world.portal.connectors.put(mine)
    world.work()
    assert callbacks(world) == 1
    assert world.request(sent.id).state is State.FULFILLED


@sqlite
def test_a_target_that_is_taken_out_of_the_file_leaves_no_request_waiting_for_ever(world, tool, sent):
    world.portal.connectors.get("http").targets.clear()
    world.clock.pass_time(minutes=61)
    world.work()
    request = world.request(sent.id)
    assert (request.state, request.baton) != (State.FULFILLING, "Response platform")


@sqlite
def test_a_failure_is_the_requests_in_the_tools_words(world, tool, sent, deliver):
    tool.finish("failed")
    assert deliver(tool.call_back(key_of(tool))) == 204
    world.work()
    request = world.request(sent.id)
    assert request.state is State.FAILED
    assert request.outcome == "Response platform says that it failed: As you wish."


@sqlite
def test_silence_fails_the_request_when_its_time_is_over(world, tool, sent, deliver):
    world.clock.pass_time(minutes=61)
    world.work()
    request = world.request(sent.id)
    assert request.state is State.FAILED
    assert "did not finish in the time that it has (1h)" in request.outcome
    # What comes too late is taken for nothing: an operator looks at the target.
    tool.finish()
    assert deliver(tool.call_back(key_of(tool))) == 204
    world.work()
    assert world.request(sent.id).state is State.FAILED


@sqlite
@pytest.mark.parametrize("mode", ["poll"])
def test_a_tool_that_does_not_call_back_is_asked_until_it_is_done(world, tool, sent):
    assert tool.runs[key_of(tool)]["callback"] == ""
    asked = len(tool.asked)
    world.clock.pass_time(seconds=31)
    world.work()
    assert len(tool.asked) == asked + 1
    # Away for a while, it is asked again later.
    tool.stop()
    world.clock.pass_time(seconds=31)
    world.work()
    tool.start()
    tool.finish()
    world.clock.pass_time(seconds=31)
    world.work()
    assert world.request(sent.id).state is State.FULFILLED, world.request(sent.id).outcome
    assert tool.effects == 1


@sqlite
def test_a_worker_that_dies_after_sending_sends_nothing_twice(world, tool, sent, deliver):
    with world.db.transaction() as session:
        call = session.scalars(select(HttpCall)).one()
        call.sent_at = None
    connector = world.portal.connectors.get("http")
    connector.follow(call.id)
    posts = [path for method, path in tool.asked if method == "POST" and not path.endswith("/plan")]
    assert len(posts) == tool.effects == 1
    assert json.loads(json.dumps(tool.runs[key_of(tool)]["order"]["reference"])) == sent.reference
