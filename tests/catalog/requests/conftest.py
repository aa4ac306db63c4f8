"""The whole portal in this process, with connectors in memory, and a browser's part of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import html5lib
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from approvals.routing.router import Router
from catalog.attachments.s3 import store_for
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from portal.app import create_app
from portal.audit.checkpoint import Signer
from portal.core.http import Services
from portal.identity.model import WebSession
from portal.identity.web_sessions import start_session
from portal.wiring import Portal, reactions_table


@dataclass
class Browser:
    """One person's browser: cookies, forms with their tokens, and pages that must parse."""

    client: FlaskClient
    origin: str
    last: TestResponse | None = None
    csrf: str = ""

    def get(self, path: str, **options: Any) -> str:
        """The page at the end of any redirects; `status` is 200 unless said otherwise."""
        return self._answer(self.client.get(path, follow_redirects=True), **options)

    def post(
        self, path: str, form: dict[str, Any] | None = None, *, follow: bool = True, **options: Any
    ) -> str:
        """What comes of posting a form with its token, from one of our own pages."""
        sent = {"csrf_token": self.csrf, **(form or {})}
        answer = self.client.post(
            path,
            data=sent,
            headers={"Origin": self.origin},
            follow_redirects=follow,
            content_type=options.pop("content_type", "multipart/form-data"),
        )
        return self._answer(answer, **options)

    @property
    def path(self) -> str:
        """Where the last page stands."""
        assert self.last is not None
        return self.last.request.path

    def _answer(self, answer: TestResponse, *, status: int = 200) -> str:
        self.last = answer
        text = answer.get_data(as_text=True)
        assert answer.status_code == status, text[-3000:]
        if answer.mimetype == "text/html" and text.lstrip().startswith("<!DOCTYPE"):
            html5lib.HTMLParser(strict=True).parse(text)
            if found := re.search(r'name="csrf_token" value="([^"]+)"', text):
                self.csrf = found[1]
        return text


@dataclass
class Web:
    """The portal as browsers see it."""

    portal: Portal
    app: Any
    statements: list[str] = field(default_factory=list)

    def browser(self, person_id: int | None = None) -> Browser:
        """A browser; with a session of that person, who signed in just now."""
        client = self.app.test_client()
        if person_id is not None:
            with self.portal.db.transaction() as session:
                row, token = start_session(session, {})
                row.person_id = person_id
                row.auth_time = row.created_at
                row.acr = "urn:countersign:acr:mfa"
                row.amr = ["pwd", "otp"]
            client.set_cookie("countersign", token)
        return Browser(client, self.portal.settings.public_url)

    def end_sessions(self) -> None:
        """Everybody's session is over."""
        with self.portal.db.transaction() as session:
            for row in session.query(WebSession):
                row.expires_at = row.created_at - timedelta(seconds=1)

    def counting(self, action: Callable[[], Any]) -> list[str]:
        """The SQL statements of the action."""
        statements: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            statements.append(statement)

        event.listen(self.portal.db.engine, "before_cursor_execute", note)
        try:
            action()
        finally:
            event.remove(self.portal.db.engine, "before_cursor_execute", note)
        return [text for text in statements if not text.startswith(("BEGIN", "PRAGMA"))]


@pytest.fixture
def web(shelves: Any, settings: Any) -> Web:
    """The app with every room, real approvals, and shelves for targets."""
    handlers = reactions_table(settings)
    shelves.db.handlers = handlers
    shelves.db.info["handlers"] = handlers
    portal = Portal(
        settings=settings,
        db=shelves.db,
        connectors=shelves.connectors,
        router=Router(),
        authority=CertificateAuthority(settings.ca_folder, f"{settings.public_url}/pki"),
        signer=Signer.from_settings(settings),
        store=store_for(settings),
    )
    app = create_app(portal=portal)
    assert isinstance(app.extensions["countersign"], Services)
    return Web(portal, app)
