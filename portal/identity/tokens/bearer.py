"""Who a program speaks for: the bearer token of RFC 6750, and how often it may call."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.identity.actor import Actor
from portal.identity.model import Person, WebSession
from portal.identity.tokens.create import hash_token
from portal.identity.tokens.model import ApiToken
from portal.identity.web_sessions import actor_of

#: Calls with one token in a minute.
MOST_CALLS = 60
MINUTE = timedelta(minutes=1)
_SCHEME = "bearer"


class Refused(Exception):
    """The call is not answered. `status` is HTTP's; `wait` is in seconds, 0 where waiting does not help."""

    def __init__(self, status: int, why: str, *, wait: int = 0) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.wait = wait


def bearer(session: Session, authorization: str, scope: str) -> Actor:
    """The person whose token this is, with the roles of now; the call is counted in this transaction.

    Raises Refused: 401 without a token that works, 403 for one without the scope, 429 for too many calls.
    """
    scheme, _, text = authorization.strip().partition(" ")
    if scheme.casefold() != _SCHEME or not text.strip():
        raise Refused(401, "Send a token: Authorization: Bearer …")
    statement = (
        select(ApiToken, Person)
        .join(Person, Person.id == ApiToken.person_id)
        .where(ApiToken.token_hash == hash_token(text.strip()))
    )
    row = session.execute(statement.with_for_update(of=ApiToken)).one_or_none()
    at = now(session)
    # One answer for all of these: whoever guesses learns nothing.
    if row is None or row[0].revoked_at is not None or row[0].expires_at <= at or not row[1].active:
        raise Refused(401, "This token is unknown, has ended or was revoked.")
    token, person = row
    if token.minute is None or not token.minute <= at < token.minute + MINUTE:
        token.minute, token.calls = at, 0
    if token.calls >= MOST_CALLS:
        wait = int((token.minute + MINUTE - at).total_seconds()) + 1
        raise Refused(429, f"This token has made {MOST_CALLS} calls within a minute.", wait=wait)
    token.calls += 1
    token.last_used_at = at
    if scope not in token.scopes:
        raise Refused(403, f"This token may not be used for “{scope}”.")
    actor = actor_of(session, person, WebSession(acr="", amr=[]))
    if actor.audit is not None and not actor.audit.running:
        raise Refused(403, "This account may look at nothing now: its mandate as an auditor is not in force.")
    return actor
