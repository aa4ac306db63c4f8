"""The mailbox's pages, and the same as JSON for programs."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, jsonify, make_response, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException, SecurityError

from portal.core.assets import templates_folder
from portal.notifications.development_mailbox.reading import Mail, read_mail, show_raw
from portal.notifications.development_mailbox.store import Envelope, MailStore

PAGE_LENGTH = 50
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
#: For the mail's own HTML alone: mails style by attribute, so styles are let through, and nothing else is.
MAIL_POLICY = (
    f"sandbox {SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEAD = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"')\]]*[^\s<>\"')\].,;:!?]")


def create_mailbox(store: MailStore, public_url: str = "http://localhost") -> Flask:
    """The mailbox's pages as a WSGI application. `public_url` is the address that browsers use."""
    app = Flask(
        __name__,
        template_folder=str(templates_folder() / "portal" / "development_mailbox"),
        static_folder=str(Path(__file__).parent / "static"),
        static_url_path="/static",
    )
    app.jinja_env.undefined = StrictUndefined
    # A foreign name that resolves to loopback must not be able to read mail.
    host = urlsplit(public_url).hostname or "localhost"
    app.config["TRUSTED_HOSTS"] = sorted({host, "localhost", "127.0.0.1", "[::1]"})
    _add_pages(app, store)
    _add_api(app, store)
    app.register_error_handler(HTTPException, _show_http_error)
    app.after_request(_add_headers)
    return app


def _add_pages(app: Flask, store: MailStore) -> None:
    @app.get("/")
    def inbox() -> str:
        recipient = request.args.get("to", "").strip()
        mails = store.mails(recipient)
        page = max(request.args.get("page", 1, type=int), 1)
        first = (page - 1) * PAGE_LENGTH
        return render_template(
            "inbox.html",
            mails=mails[first : first + PAGE_LENGTH],
            total=len(mails),
            recipients=store.recipients(),
            recipient=recipient,
            page=page,
            pages=max((len(mails) + PAGE_LENGTH - 1) // PAGE_LENGTH, 1),
        )

    @app.get("/messages/<name>")
    def message(name: str) -> str:
        envelope, mail, raw = _open(store, name)
        parts = {"html": mail.html is not None, "text": mail.text is not None, "headers": mail.fault is None}
        shown = [part for part, there in parts.items() if there] + ["source"]
        part = request.args.get("part", shown[0])
        if part not in shown:
            abort(404)
        return render_template(
            "message.html",
            envelope=envelope,
            mail=mail,
            parts=shown,
            part=part,
            source=show_raw(raw) if part == "source" else "",
            sandbox=SANDBOX,
        )

    @app.get("/messages/<name>/html")
    def message_html(name: str) -> Response:
        _, mail, _ = _open(store, name)
        if mail.html is None:
            abort(404)
        response = make_response(_with_links_in_new_tabs(mail.html))
        response.headers["Content-Security-Policy"] = MAIL_POLICY
        return response

    @app.get("/messages/<name>/source")
    def message_source(name: str) -> Response:
        _, _, raw = _open(store, name)
        response = make_response(raw)
        response.headers["Content-Type"] = "application/octet-stream"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.eml"'
        return response

    @app.get("/health")
    def health() -> Response:
        return jsonify(status="ok")


def _add_api(app: Flask, store: MailStore) -> None:
    @app.get("/api/messages")
    def api_messages() -> Response:
        return jsonify(messages=[asdict(envelope) for envelope in store.mails(request.args.get("to", ""))])

    @app.get("/api/messages/<name>")
    def api_message(name: str) -> Response:
        envelope, mail, raw = _open(store, name)
        return jsonify(
            **asdict(envelope),
            date=mail.date,
            headers=[list(header) for header in mail.headers],
            text=mail.text,
            html=mail.html,
            links=_LINK.findall(mail.text or ""),
            fault=mail.fault,
            source=show_raw(raw),
        )


def _open(store: MailStore, name: str) -> tuple[Envelope, Mail, bytes]:
    envelope, raw = store.find(name), store.raw(name)
    if envelope is None or raw is None:
        abort(404, "This mail is not here; the oldest mails make room for new ones.")
    return envelope, read_mail(raw), raw


def _with_links_in_new_tabs(html: str) -> str:
    """The mail's HTML, its links opening beside the mailbox: the portal does not let itself be framed."""
    base = '<base target="_blank">'
    head = _HEAD.search(html)
    if head is None:
        return f"<!DOCTYPE html>{base}{html}"
    return html[: head.end()] + base + html[head.end() :]


def _show_http_error(error: HTTPException) -> Any:
    if isinstance(error, SecurityError):
        return Response("This is not a name of the development mailbox.\n", 400, mimetype="text/plain")
    code = error.code or 500
    sentence = error.description or "This page is not here."
    if request.path.startswith("/api/"):
        return jsonify(error=sentence), code
    return render_template("error.html", sentence=sentence), code


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if not request.path.endswith("/html"):
        # Chromium refuses to open a sandboxed page that also wants to be alone.
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    in_static = request.path.startswith("/static/")
    response.headers["Cache-Control"] = "public, max-age=300" if in_static else "no-store"
    return response
