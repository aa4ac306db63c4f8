"""Targets that misbehave: slow, redirecting, speaking something else, or saying “it was so before” in a dialect."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from catalog.fulfilment.connectors.contract import Beneficiary, ConnectorError, Order
from catalog.fulfilment.connectors.scim import ScimConnector
from tests.catalog.fulfilment.connectors.directory import serving

ORDER = Order("SR-000022", "grant", {"role": "Sales"}, Beneficiary("ana", "Ana", "ana@meridian.example"))
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"

Answer = tuple[int, dict[str, str], bytes]


def scim(status: int, body: object) -> Answer:
    return status, {"Content-Type": "application/scim+json"}, json.dumps(body).encode()


def error(status: int, kind: str = "", detail: str = "") -> Answer:
    return scim(
        status, {"schemas": [ERROR], "status": str(status), "scimType": kind or None, "detail": detail}
    )


def listed(*resources: object, total: int | None = None) -> Answer:
    return scim(
        200,
        {
            "schemas": [LIST],
            "totalResults": len(resources) if total is None else total,
            "Resources": resources,
        },
    )


@contextmanager
def target(answer: Callable[[str, str, bytes], Answer]) -> Iterator[str]:
    """A server whose every answer comes from a function of method, path with query, and body."""

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else "")
        status, headers, content = answer(environ["REQUEST_METHOD"], path, body)
        start(f"{status} said", [*headers.items(), ("Content-Length", str(len(content)))])
        return [content]

    with serving(application) as (address, _):
        yield address


def refused(url: str, timeout: float = 2.0) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        ScimConnector(url, "token", timeout=timeout).plan(ORDER)
    return raised.value


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    seen: list[str] = []

    def elsewhere(method: str, path: str, body: bytes) -> Answer:
        seen.append(path)
        return listed()

    with (
        target(elsewhere) as other,
        target(lambda *_: (status, {"Location": f"{other}/v2/Groups"}, b"")) as url,
    ):
        told = refused(url)
    assert told.permanent
    assert told.message == (
        f"The directory answered with a redirect ({status}), which the portal does not follow. "
        "An operator must set the directory's final address."
    )
    assert seen == []


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        (error(500), False),
        (error(503), False),
        (error(429), False),
        (error(409), False),
        (error(412), False),
        ((502, {"Content-Type": "text/html"}, b"<h1>Bad gateway</h1>"), False),
        ((503, {}, b""), False),
        (error(501), True),
        (error(400, "invalidFilter", "no"), True),
        (error(403), True),
        ((401, {"Content-Type": "text/html"}, b"sign in"), True),
        ((404, {"Content-Type": "text/html"}, b"no such page"), True),
        ((200, {"Content-Type": "text/html"}, b"<h1>Welcome</h1>"), True),
        ((200, {"Content-Type": "application/json"}, b"{"), True),
        ((200, {"Content-Type": "application/json"}, b"[" * 100_000), True),
        ((200, {"Content-Type": "application/json"}, b"[]"), True),
        ((200, {"Content-Type": "application/json"}, b'{"schemas": ["x"]}'), True),
        ((200, {"Content-Type": "application/json"}, b"\xff\xfe"), True),
        ((204, {}, b""), True),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_help_is_passing_or_permanent(answer: Answer, permanent: bool) -> None:
    with target(lambda *_: answer) as url:
        told = refused(url)
    assert told.permanent == permanent
    assert told.message.startswith("The directory")
    assert told.message.endswith(".")


def test_what_the_target_says_is_quoted_in_one_short_line() -> None:
    with target(lambda *_: error(400, "invalidValue", "a\r\nb\u202e\x00" + "c" * 1000)) as url:
        told = refused(url)
    assert told.message == f"The directory refused (400: a b {'c' * 196})."


def test_an_endless_answer_is_cut_off() -> None:
    huge = listed({"schemas": [GROUP], "id": "1", "displayName": "x" * (17 * 1024 * 1024)})
    with target(lambda *_: huge) as url:
        told = refused(url, timeout=10.0)
    assert told.permanent
    assert "larger than 16 MiB" in told.message


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"], ids=["silent", "dripping"]
)
def test_a_target_that_keeps_the_line_open_is_given_up_in_time(says: bytes) -> None:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(says)
                while not ended.wait(0.05):
                    try:
                        connection.sendall(b"x" if says else b"")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        start = time.monotonic()
        told = refused(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.5)
        took = time.monotonic() - start
        ended.set()
        thread.join()
    assert not told.permanent
    assert "did not answer within 0.5 seconds" in told.message
    assert 0.4 < took < 1.5


def test_slow_answers_share_one_budget() -> None:
    def slow(*_: object) -> Answer:
        time.sleep(0.3)
        return listed()

    with target(slow) as url:
        start = time.monotonic()
        told = refused(url, timeout=0.5)
    assert not told.permanent
    assert time.monotonic() - start < 1.5


# --- “It was so before”, in the words of several products


class Memory:
    """A small target that answers a change of members with an error, having made it or not."""

    def __init__(self, answer: Answer, *, does_it: bool) -> None:
        self.answer, self.does_it = answer, does_it
        self.members: set[str] = set()

    def __call__(self, method: str, path: str, body: bytes) -> Answer:
        group: dict[str, Any] = {"schemas": [GROUP], "id": "g1", "displayName": "Sales"}
        if self.members:
            group["members"] = [{"value": member} for member in sorted(self.members)]
        if method == "PATCH":
            operation = json.loads(body)["Operations"][0]
            if self.does_it and operation["op"] == "add":
                self.members.add("u1")
            elif self.does_it:
                self.members.discard("u1")
            return self.answer
        if path.startswith("/Users"):
            # It knows no filters: everybody comes back.
            return listed(
                {"schemas": [USER], "id": "u0", "userName": "zoe"},
                {
                    "schemas": [USER, "urn:vendor:User"],
                    "id": "u1",
                    "userName": "Ana",
                    "urn:vendor:User": {"shoe": 42},
                },
            )
        return (
            scim(200, group)
            if path == "/Groups/g1"
            else listed(group, {"schemas": [GROUP], "id": "g0", "displayName": "IT"})
        )


@pytest.mark.parametrize(
    "answer",
    [error(409, "uniqueness", "attributeOrValueExists"), error(400, "invalidValue", "already a member"), error(400, "noTarget")],
)  # fmt: skip
def test_a_member_that_is_there_already_is_success_in_any_dialect(answer: Answer) -> None:
    memory = Memory(answer, does_it=True)
    with target(memory) as url:
        connector = ScimConnector(url, "token")
        plan = connector.plan(ORDER)
        assert plan.document["role"] == {"id": "g1", "name": "Sales"}
        assert connector.apply(plan, "key").facts["account_id"] == "u1"
        assert memory.members == {"u1"}
        connector.revert(plan, "key")
        assert memory.members == set()


def test_a_refusal_that_changed_nothing_stays_a_refusal() -> None:
    memory = Memory(error(400, "mutability", "read only"), does_it=False)
    with target(memory) as url:
        connector = ScimConnector(url, "token")
        plan = connector.plan(ORDER)
        with pytest.raises(ConnectorError, match="read only") as raised:
            connector.apply(plan, "key")
        assert raised.value.permanent
        memory.members.add("u1")
        with pytest.raises(ConnectorError, match="read only"):
            connector.revert(plan, "key")


def test_an_account_made_by_somebody_else_meanwhile_is_taken() -> None:
    made: list[bytes] = []

    def answer(method: str, path: str, body: bytes) -> Answer:
        if method == "POST":
            made.append(body)
            return error(409, "uniqueness")
        if method == "PATCH":
            return 204, {}, b""
        if path.startswith("/Users"):
            return listed({"schemas": [USER], "id": "u1", "userName": "ana"}) if made else listed()
        group = {"schemas": [GROUP], "id": "g1", "displayName": "Sales"}
        return scim(200, group) if path == "/Groups/g1" else listed(group)

    with target(answer) as url:
        connector = ScimConnector(url, "token")
        assert connector.apply(connector.plan(ORDER), "key").facts["account_id"] == "u1"
    assert len(made) == 1


# --- Lists that change while they are read


def test_a_list_that_never_agrees_with_its_count_is_a_passing_error() -> None:
    group = {"schemas": [GROUP], "id": "g1", "displayName": "Sales"}
    with (
        target(lambda *_: listed(group, total=3) if "startIndex=1" in _[1] else listed(total=3)) as url,
        pytest.raises(ConnectorError, match="changed while it was being read") as raised,
    ):
        ScimConnector(url, "token").choices("roles")
    assert not raised.value.permanent


def test_a_list_that_changed_once_is_read_again() -> None:
    pages = iter(
        [
            listed({"schemas": [GROUP], "id": "g1", "displayName": "A"}, total=2),
            listed({"schemas": [GROUP], "id": "g1", "displayName": "A"}, total=2),
            listed({"schemas": [GROUP], "id": "g1", "displayName": "A"}, total=2),
            listed({"schemas": [GROUP], "id": "g2", "displayName": "B"}, total=2),
        ]
    )
    with target(lambda *_: next(pages)) as url:
        assert [choice.label for choice in ScimConnector(url, "token").choices("roles")] == ["A", "B"]
