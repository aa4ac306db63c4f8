"""What the provider remembers while it runs: browser sessions, sign-ins under way, codes and access tokens.

All of it is in memory: a restart signs everybody out, which is what a development provider should do.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from portal.identity.development_sso.config import (
    ACR_MFA,
    ACR_PASSWORD,
    ATTEMPT_SECONDS,
    CODE_SECONDS,
    SESSION_SECONDS,
    TOKEN_SECONDS,
)

#: More of one kind than this is no browser's doing: the oldest go.
MAXIMUM_KEPT = 2000


class Expiring(Protocol):
    """Anything with an end, in seconds since 1970."""

    expires: float


T = TypeVar("T", bound=Expiring)


@dataclass(slots=True)
class Session:
    """One person signed in with one browser. `sid` is told to clients, `secret` is the cookie."""

    sid: str
    secret: str
    subject: str
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    expires: float
    told_client: bool = False


@dataclass(slots=True)
class Attempt:
    """One sign-in under way: what the request still needs, and what was given so far."""

    id: str
    browser: str
    query: str
    expires: float
    needs_login: bool
    needs_second_factor: bool
    needs_consent: bool
    subject: str | None = None
    password_given: bool = False
    second_factor_given: bool = False
    consent_given: bool = False
    one_time_code: str = ""
    wrong: int = 0


@dataclass(slots=True)
class Code:
    """An authorization code with everything that the ID token will say. Its methods are Authlib's interface."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    session: Session
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    expires: float
    tokens: list[str] = field(default_factory=list)
    used: bool = False

    def get_redirect_uri(self) -> str:
        """Where the code may be used."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What it gives."""
        return self.scope

    def get_nonce(self) -> str | None:
        """What the client sent to know its own ID token by."""
        return self.nonce

    def get_auth_time(self) -> int:
        """When the person signed in, in seconds since 1970."""
        return self.auth_time

    def get_acr(self) -> str:
        """How strongly."""
        return self.acr

    def get_amr(self) -> list[str]:
        """By which means (RFC 8176)."""
        return list(self.amr)


@dataclass(slots=True)
class AccessToken:
    """A token for the userinfo endpoint."""

    token: str
    subject: str
    scope: str
    expires: float


class Store:
    """The provider's memory, safe to use from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._attempts: dict[str, Attempt] = {}
        self._codes: dict[str, Code] = {}
        self._tokens: dict[str, AccessToken] = {}

    def begin_session(self, subject: str, *, second_factor: bool) -> Session:
        """A new session of a person who has just given the password, and the second factor if so said."""
        now = self._clock()
        session = Session(
            sid=secrets.token_urlsafe(16),
            secret=secrets.token_urlsafe(32),
            subject=subject,
            auth_time=int(now),
            acr=ACR_PASSWORD,
            amr=("pwd",),
            expires=now + SESSION_SECONDS,
        )
        if second_factor:
            _raise(session)
        with self._lock:
            self._keep(self._sessions, session.secret, session)
        return session

    def renew_session(self, session: Session, *, second_factor: bool) -> Session:
        """The same person has signed in again: the same `sid`, a new cookie, a new time."""
        with self._lock:
            self._sessions.pop(session.secret, None)
            session.secret = secrets.token_urlsafe(32)
            session.auth_time = int(self._clock())
            session.acr, session.amr = ACR_PASSWORD, ("pwd",)
            session.expires = self._clock() + SESSION_SECONDS
            if second_factor:
                _raise(session)
            self._keep(self._sessions, session.secret, session)
        return session

    def raise_session(self, session: Session) -> None:
        """The person of this session has given the second factor; when they signed in stays as it was."""
        with self._lock:
            _raise(session)

    def find_session(self, secret: str | None) -> Session | None:
        """The live session of this cookie."""
        with self._lock:
            return self._live(self._sessions, secret)

    def end_session(self, session: Session) -> bool:
        """Forget the session and its tokens; False if somebody else has ended it already."""
        with self._lock:
            for code in list(self._codes.values()):
                if code.session.sid == session.sid:
                    self._revoke(code)
                    code.used = True
            return self._sessions.pop(session.secret, None) is not None

    def begin_attempt(
        self, browser: str, query: str, *, login: bool, second_factor: bool, consent: bool
    ) -> Attempt:
        """A sign-in that this browser has begun with these parameters."""
        attempt = Attempt(
            id=secrets.token_urlsafe(32),
            browser=browser,
            query=query,
            expires=self._clock() + ATTEMPT_SECONDS,
            needs_login=login,
            needs_second_factor=second_factor,
            needs_consent=consent,
            one_time_code=f"{secrets.randbelow(1_000_000):06d}",
        )
        with self._lock:
            self._keep(self._attempts, attempt.id, attempt)
        return attempt

    def find_attempt(self, name: str | None, browser: str | None, query: str) -> Attempt | None:
        """The attempt, if it is this browser's and its parameters are still the ones that were checked."""
        with self._lock:
            attempt = self._live(self._attempts, name)
        if attempt is None or not browser or not secrets.compare_digest(attempt.browser, browser):
            return None
        return attempt if attempt.query == query else None

    def end_attempt(self, attempt: Attempt) -> None:
        """Forget the attempt: it has succeeded, or was given up."""
        with self._lock:
            self._attempts.pop(attempt.id, None)

    def keep_code(self, code: Code) -> None:
        """Remember a code that goes to the client now."""
        with self._lock:
            code.expires = self._clock() + CODE_SECONDS
            code.session.told_client = True
            self._keep(self._codes, code.code, code)

    def take_code(self, value: str, client_id: str) -> Code | None:
        """The code, once: whoever shows it a second time gets nothing, and what it gave ends (RFC 6749 §4.1.2)."""
        with self._lock:
            code = self._codes.get(value)
            if code is None or code.client_id != client_id:
                return None
            if code.used or code.expires <= self._clock():
                self._revoke(code)
                return None
            code.used = True
            return code

    def nonce_seen(self, nonce: str) -> bool:
        """Whether a code was given out for this nonce lately."""
        with self._lock:
            return any(code.nonce == nonce for code in self._codes.values())

    def keep_token(self, value: str, code: Code) -> None:
        """Remember an access token that this code gave."""
        with self._lock:
            token = AccessToken(value, code.session.subject, code.scope, self._clock() + TOKEN_SECONDS)
            code.tokens.append(value)
            self._keep(self._tokens, value, token)

    def find_token(self, value: str) -> AccessToken | None:
        """The live access token."""
        with self._lock:
            return self._live(self._tokens, value)

    def _revoke(self, code: Code) -> None:
        for value in code.tokens:
            self._tokens.pop(value, None)

    def _live(self, kept: MutableMapping[str, T], key: str | None) -> T | None:
        thing = kept.get(key or "")
        return thing if thing is not None and thing.expires > self._clock() else None

    def _keep(self, kept: MutableMapping[str, T], key: str, thing: T) -> None:
        kept[key] = thing
        # A used code is kept for a while after its end, so that its second use is noticed.
        long_ago = self._clock() - ATTEMPT_SECONDS
        for old in [name for name, other in kept.items() if other.expires < long_ago]:
            del kept[old]
        while len(kept) > MAXIMUM_KEPT:
            del kept[next(iter(kept))]


def _raise(session: Session) -> None:
    session.acr, session.amr = ACR_MFA, ("pwd", "otp", "mfa")
