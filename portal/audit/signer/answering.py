"""What the signer's socket answers: tlog-witness' add-checkpoint, and beside it its state, rotation and retirement.

Each error of `refusals` has a status, and the client makes the same error of it again.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from portal.audit.signer import protocol as ask
from portal.audit.signer.notary import Notary, SignerState
from portal.audit.signer.protocol import read_request
from portal.audit.signer.refusals import Malformed, NotNow, Refused, SignerError, Stale, UnknownLog, Unready

SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"
JSON_TYPE = "application/json"
STATUSES: dict[type[SignerError], HTTPStatus] = {
    Malformed: HTTPStatus.BAD_REQUEST,
    NotNow: HTTPStatus.FORBIDDEN,
    UnknownLog: HTTPStatus.NOT_FOUND,
    Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unready: HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, what kind of text it is, and the text."""

    status: HTTPStatus
    kind: str
    body: bytes


def answer(notary: Notary, method: str, path: str, body: bytes) -> Answer:
    """Do what is asked. Raises nothing that a request can cause."""
    try:
        return _done(notary, method, path, body)
    except Stale as stale:
        return Answer(HTTPStatus.CONFLICT, SIZE_TYPE, f"{stale.size}\n".encode())
    except SignerError as error:
        status = STATUSES.get(type(error), HTTPStatus.SERVICE_UNAVAILABLE)
        return Answer(status, TEXT_TYPE, f"{error.sentence}\n".encode())


def _done(notary: Notary, method: str, path: str, body: bytes) -> Answer:
    match method, path:
        case "POST", ask.ADD_CHECKPOINT:
            return _added(notary, body)
        case "GET", ask.STATE:
            return _told(notary.state())
        case "POST", ask.ROTATE:
            return _told(notary.rotate(_overlap(body)))
        case "POST", ask.RETIRE:
            return _told(notary.retire())
    return Answer(HTTPStatus.NOT_FOUND, TEXT_TYPE, b"There is nothing at this path.\n")


def _added(notary: Notary, body: bytes) -> Answer:
    asked = read_request(body)
    try:
        lines = notary.sign(asked.old, asked.proof, asked.head)
    except Refused:
        if asked.old == asked.head.size:
            # tlog-witness: where the sizes are the same and the roots are not, it is 409 as well.
            return Answer(HTTPStatus.CONFLICT, SIZE_TYPE, f"{asked.old}\n".encode())
        raise
    return Answer(HTTPStatus.OK, TEXT_TYPE, lines.encode())


def _overlap(body: bytes) -> timedelta:
    try:
        days = json.loads(body)["overlap_days"]
    except (ValueError, KeyError, TypeError) as error:
        raise Malformed("A rotation needs the days of its overlap.") from error
    if not isinstance(days, int) or isinstance(days, bool):
        raise Malformed("The days of an overlap are a whole number.")
    try:
        return timedelta(days=days)
    except OverflowError as error:
        raise Malformed("The days of the overlap are too many.") from error


def _told(state: SignerState) -> Answer:
    told = {
        "origin": state.origin,
        "verifiers": state.verifiers,
        "statements": state.statements,
        "overlap_until": _moment(state.overlap_until),
        "size": state.size,
        "root": base64.b64encode(state.root).decode(),
        "trouble": state.trouble,
        "refused": state.refused,
        "refused_at": _moment(state.refused_at),
    }
    return Answer(HTTPStatus.OK, JSON_TYPE, json.dumps(told).encode())


def read_state(content: bytes) -> SignerState:
    """The state as it was told. Raises ValueError, KeyError or TypeError for anything else."""
    told: dict[str, Any] = json.loads(content)
    return SignerState(
        origin=str(told["origin"]),
        verifiers=tuple(str(verifier) for verifier in told["verifiers"]),
        statements=tuple(str(statement) for statement in told["statements"]),
        overlap_until=_read_moment(told["overlap_until"]),
        size=told["size"],
        root=base64.b64decode(told["root"], validate=True),
        trouble=str(told["trouble"]),
        refused=str(told["refused"]),
        refused_at=_read_moment(told["refused_at"]),
    )


def state_as_json(state: SignerState) -> bytes:
    """As the socket tells it."""
    return _told(state).body


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _read_moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
