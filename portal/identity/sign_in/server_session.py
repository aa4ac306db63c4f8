"""Flask's session on the server: the cookie is a random token, everything else is a row."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, Request, Response, session
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.web_sessions import SEEN_EVERY, OpenSession, find_session, keep_session, start_session

#: The prefix makes browsers insist on TLS, this host alone and the whole path; it cannot be had without TLS.
SECURE_COOKIE = "__Host-countersign"
DEVELOPMENT_COOKIE = "countersign"


class ServerSession(dict[str, Any], SessionMixin):
    """One browser's session while a request is answered."""

    def __init__(self, opened: OpenSession | None) -> None:
        super().__init__(opened.content if opened else {})
        self.opened = opened
        self.new = opened is None
        self.modified = False
        self.accessed = True
        self.fresh_token: str | None = None
        self.forgotten = False
        self.unreadable: OperationalError | None = None

    @property
    def actor(self) -> Actor | None:
        """Who is signed in."""
        return self.opened.actor if self.opened else None

    def replace_token(self, token: str) -> None:
        """From this answer on the browser has another session, already written."""
        self.fresh_token = token

    def forget(self) -> None:
        """The session has ended; the cookie goes."""
        self.clear()
        self.forgotten = True

    def __setitem__(self, key: str, value: Any) -> None:
        self.modified = True
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self.modified = True
        super().__delitem__(key)

    def pop(self, key: str, *default: Any) -> Any:
        """As a dictionary's, and remembered as a change when the key was there."""
        self.modified = self.modified or key in self
        return super().pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As a dictionary's, and remembered as a change when the key was not there."""
        self.modified = self.modified or key not in self
        return super().setdefault(key, default)


def current_session() -> ServerSession:
    """This request's session with its own type."""
    return cast("ServerSession", session)


def insist_on_session() -> None:
    """Before anything else asks who this is: the database may be away. Raises what it raised."""
    if (error := current_session().unreadable) is not None:
        raise error


def _endpoint_of(app: Flask, request: Request) -> str:
    """Where the request will lead: Flask opens the session before it finds out."""
    adapter = app.create_url_adapter(request)
    try:
        return str(adapter.match(method=request.method)[0]) if adapter else ""
    except HTTPException:
        return ""


class ServerSessionInterface(SessionInterface):
    """Opens and keeps `ServerSession`s in the portal's database."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._secure = settings.secure
        self.cookie = SECURE_COOKIE if settings.secure else DEVELOPMENT_COOKIE

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        """The browser's session, or an empty one that is written only when something is put into it."""
        token = request.cookies.get(self.cookie)
        # Static files and health checks need no session, so they cost no query.
        if not token or _endpoint_of(app, request) in app.config["SESSIONLESS_ENDPOINTS"]:
            return ServerSession(None)
        try:
            with self._db.reading() as db:
                return ServerSession(find_session(db, token))
        except OperationalError as error:
            # Flask answers no error that is raised here with a page: `insist_on_session` raises it where it does.
            unread = ServerSession(None)
            unread.unreadable = error
            return unread

    def save_session(self, app: Flask, opened: SessionMixin, response: Response) -> None:
        """Write what changed; a new session's cookie is set once it holds something."""
        current = cast("ServerSession", opened)
        if current.unreadable is not None:
            return
        if current.forgotten:
            response.delete_cookie(self.cookie, secure=self._secure, httponly=True, samesite="Lax", path="/")
            return
        if current.fresh_token is not None:
            self._set_cookie(response, current.fresh_token)
            return
        if current.opened is None:
            if current:
                with self._db.transaction() as db:
                    _, token = start_session(db, current)
                self._set_cookie(response, token)
            return
        if current.modified or self._db.clock() - current.opened.seen_at >= SEEN_EVERY:
            with self._db.transaction() as db:
                keep_session(db, current.opened.id, current)

    def _set_cookie(self, response: Response, token: str) -> None:
        response.set_cookie(self.cookie, token, secure=self._secure, httponly=True, samesite="Lax", path="/")
        response.vary.add("Cookie")
