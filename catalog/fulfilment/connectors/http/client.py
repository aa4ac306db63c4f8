"""Speaking with a target: signed calls, and its answers in our words."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.http.signature import signed_headers
from catalog.fulfilment.connectors.http.targets import RUNNING, Target
from portal.core.canonical import canonical_json
from portal.core.destinations import OutgoingRefused
from portal.core.language import say
from portal.core.outgoing import Answer, Outgoing, OutgoingFailed

_REFUSED = frozenset({401, 403})
_UNKNOWN = frozenset({404, 410})
#: It has this call already, and its status tells how far it is.
_CONFLICT = 409
_PASSING = frozenset({408, 425, 429})
_REDIRECTS = range(300, 400)
_SERVER_ERRORS = 500
_NOT_IMPLEMENTED = 501
_MOST_FACTS, _LONGEST_FACT, _LONGEST_NAME = 20, 200, 60
_MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Said:
    """What a target said of one call. An empty status: it knows nothing of the call."""

    status: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    status_url: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a record keeps it."""
        return {"status": self.status, "facts": dict(self.facts), "message": self.message}


class Client:
    """Calls one target. Methods raise ConnectorError: passing where it may answer later."""

    def __init__(self, target: Target, outgoing: Outgoing, at: datetime) -> None:
        self.target = target
        self._outgoing = outgoing
        self._at = at

    def send(self, url: str, message: str, kind: str, content: Mapping[str, Any]) -> Said:
        """Post a signed message; the target acts on an id at most once."""
        answer = self._call("POST", url, message, canonical_json({"type": kind, "data": content}))
        if answer.status == _CONFLICT:
            return Said(RUNNING)
        if answer.status in _UNKNOWN:
            raise self._refusal(answer)
        content = _read(answer)
        said = read_said(self.target, content) if content.get("status") is not None else Said(RUNNING)
        url = str(content.get("status_url") or answer.headers.get("location") or "")
        if url and not self.target.is_below(url):
            text = say(
                "%(target)s names an address for its status that is not below the one that it was set up with.",
                target=self.target.title,
            )
            raise ConnectorError(text, permanent=True)
        return Said(said.status, said.facts, said.message, url)

    def ask(self, url: str, message: str) -> Said:
        """How far a call is."""
        answer = self._call("GET", url, message, b"")
        if answer.status in _UNKNOWN:
            return Said("")
        return read_said(self.target, self._object(answer))

    def try_out(self, message: str, document: Mapping[str, Any]) -> tuple[Sequence[str], bool]:
        """What the target says that it would do, and whether that is so already. Changes nothing."""
        body = canonical_json({"type": "countersign.plan", "data": {"order": dict(document)}})
        url = self.target.address(self.target.paths.plan, action=document["action"])
        answer = self._call("POST", url, message, body)
        if answer.status in _UNKNOWN:
            raise self._refusal(answer)
        content = self._object(answer)
        lines = content.get("lines", [])
        if not isinstance(lines, list):
            raise self._odd()
        return [plain(line) for line in lines[:_MOST_LINES]], content.get("already") is True

    def listed(self, message: str) -> list[dict[str, Any]]:
        """Everything that is in effect on the target by calls of this kind."""
        answer = self._call("GET", self.target.address(self.target.paths.list), message, b"")
        items = self._object(answer).get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._odd()
        return items

    def _call(self, method: str, url: str, message: str, body: bytes) -> Answer:
        headers = {"Accept": "application/json", **signed_headers(self.target.keys, message, self._at, body)}
        if body:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._outgoing.call(method, url, headers=headers, content=body)
        except OutgoingFailed as error:
            text = say(
                "%(target)s cannot be reached just now (%(words)s) The portal tries again by itself.",
                target=self.target.title,
                words=str(error),
            )
            raise ConnectorError(text) from error
        except OutgoingRefused as error:
            text = say("%(target)s may not be called: %(words)s", target=self.target.title, words=str(error))
            raise ConnectorError(text, permanent=True) from error
        if answer.status in _UNKNOWN or answer.status == _CONFLICT:
            return answer
        if answer.status in _REDIRECTS or answer.status >= min(_PASSING):
            raise self._refusal(answer)
        if answer.status in _REFUSED or not 200 <= answer.status < 300:  # noqa: PLR2004
            raise self._refusal(answer)
        return answer

    def _refusal(self, answer: Answer) -> ConnectorError:
        target, status = self.target.title, answer.status
        if status in _REFUSED:
            text = say(
                "%(target)s refuses the portal's signature (%(status)s). An operator must check the secret and the "
                "clocks of both.",
                target=target,
                status=status,
            )
            return ConnectorError(text, permanent=True)
        if status in _REDIRECTS:
            text = say(
                "%(target)s answered with a redirect (%(status)s), which the portal does not follow. An operator must "
                "set its final address.",
                target=target,
                status=status,
            )
            return ConnectorError(text, permanent=True)
        words = plain(_read(answer).get("message") or "")
        if status in _PASSING or (status >= _SERVER_ERRORS and status != _NOT_IMPLEMENTED):
            text = say(
                "%(target)s cannot do it just now (%(status)s). The portal tries again by itself.",
                target=target,
                status=status,
            )
            return ConnectorError(text)
        text = say(
            "%(target)s refused (%(status)s%(words)s).",
            target=target,
            status=status,
            words=f": {words}" if words else "",
        )
        return ConnectorError(text, permanent=True)

    def _object(self, answer: Answer) -> Mapping[str, Any]:
        content = _read(answer)
        if not content:
            raise self._odd()
        return content

    def _odd(self) -> ConnectorError:
        text = say(
            "%(target)s answers, but not as it was agreed. An operator must check its address.",
            target=self.target.title,
        )
        return ConnectorError(text, permanent=True)


def read_said(target: Target, content: Mapping[str, Any]) -> Said:
    """A status, facts and a message in the target's words, in ours. Raises a permanent ConnectorError."""
    word = content.get("status")
    status = target.status_of(word) if isinstance(word, str) else None
    if status is None:
        text = say(
            "%(target)s answers with the status “%(word)s”, which nobody has explained to this portal.",
            target=target.title,
            word=plain(word),
        )
        raise ConnectorError(text, permanent=True)
    return Said(status, _facts(content.get("facts")), plain(content.get("message") or ""))


def plain(value: object) -> str:
    """What a target says, fit to be quoted: one line of at most 200 characters, nothing unseen."""
    kept = (" " if unicodedata.category(c).startswith(("C", "Z")) else c for c in str(value)[:2000])
    return " ".join("".join(kept).split())[:_LONGEST_FACT]


def _facts(value: object) -> dict[str, Any]:
    """A few plain facts; what is deeper, longer or more is the target's own business."""
    if not isinstance(value, dict):
        return {}
    pairs = [(plain(name)[:_LONGEST_NAME], value[name]) for name in sorted(value)[:_MOST_FACTS]]
    return {
        name: fact if isinstance(fact, bool) else plain(fact)
        for name, fact in pairs
        if isinstance(fact, str | int | float | bool)
    }


def _read(answer: Answer) -> Mapping[str, Any]:
    try:
        content = json.loads(answer.content) if answer.content.strip() else {}
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
