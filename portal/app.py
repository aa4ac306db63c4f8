"""The web application: blueprints, sessions, sign-in and the frame around them."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from flask import Flask, request, url_for
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect, generate_csrf
from jinja2 import StrictUndefined
from markupsafe import Markup

from portal.core.assets import static_folder, templates_folder
from portal.core.http import Services
from portal.core.settings import Settings
from portal.identity.access import SignedIn
from portal.identity.sign_in.client import Provider
from portal.identity.sign_in.server_session import ServerSessionInterface, current_session, insist_on_session
from portal.web import auditors, errors, headers, languages, logs, page
from portal.web.numbers import Number, PortalRequest
from portal.wiring import Portal, blueprints, build

#: Sent more than this, the answer is 413.
MAXIMUM_BODY = 1024 * 1024
#: These take files beside a form: so many of the largest, and the form.
UPLOADS = frozenset({"requests.upload", "requests.edit", "work.update"})
FILES_AT_ONCE = 5
#: Nobody's session is looked up for these.
SESSIONLESS = frozenset(
    {
        "static",
        "web.live",
        "web.ready",
        "pki.crl",
        "pki.ocsp",
        "pki.ocsp_get",
        "pki.issuing",
        "pki.root",
        "acme.challenge",
        "ssh.ca",
        "ssh.krl",
        "api.explained",
        "api.nothing",
        "changes.subscribed",
        "automation.callback",
    }
)
#: Other machines post to these, without a browser's headers or a form's token; each checks its own signature.
MACHINES = frozenset({"sign_in.back_channel", "pki.ocsp", "automation.callback"})


def create_app(settings: Settings | None = None, portal: Portal | None = None) -> Flask:
    """The WSGI application. Without arguments everything is read from the environment.

    Raises SettingsError with a sentence when the settings cannot be used.
    """
    settings = settings or (portal.settings if portal else Settings.from_environment())
    portal = portal or build(settings)
    app = Flask("countersign", static_folder=str(static_folder()), template_folder=str(templates_folder()))
    app.request_class = PortalRequest
    app.url_map.converters["int"] = Number
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAXIMUM_BODY,
        MAX_FORM_MEMORY_SIZE=MAXIMUM_BODY,
        MAX_FORM_PARTS=500,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
        SESSIONLESS_ENDPOINTS=SESSIONLESS,
        MACHINE_ENDPOINTS=MACHINES,
        # Tokens live as long as their session; the Origin check in portal.web.headers stands for the Referer check.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.session_interface = ServerSessionInterface(portal.db, settings)
    app.before_request(insist_on_session)
    app.extensions["countersign"] = Services(*portal.parts(), Provider(app, settings))
    logs.install()
    headers.install(app, settings)
    _install_upload_limit(app, settings)
    csrf = CSRFProtect(app)
    _install_sign_in(app)
    languages.install(app)
    auditors.install(app)
    errors.install(app)
    page.install(app)
    _install_template_functions(app)
    for blueprint in blueprints(portal):
        app.register_blueprint(blueprint)
    for endpoint in MACHINES:
        csrf.exempt(app.view_functions[endpoint])
    return app


def _install_upload_limit(app: Flask, settings: Settings) -> None:
    """Where files are taken, a body may be larger; the fields beside them may not (MAX_FORM_MEMORY_SIZE)."""
    largest = FILES_AT_ONCE * settings.attachment_bytes + MAXIMUM_BODY

    @app.before_request
    def allow_files() -> None:
        # Before the form is read, which the check of its token does first.
        if request.endpoint in UPLOADS and request.mimetype == "multipart/form-data":
            request.max_content_length = largest


def _install_sign_in(app: Flask) -> None:
    login = LoginManager(app)
    login.session_protection = None  # our own sessions are bound to a random token on the server

    @login.request_loader  # type: ignore[untyped-decorator]  # Flask-Login ships no types
    def load(_request: object) -> SignedIn | None:
        actor = current_session().actor
        return SignedIn(actor) if actor else None


def _install_template_functions(app: Flask) -> None:
    folder = static_folder()

    @lru_cache(maxsize=256)
    def version_of(path: str) -> str:
        return hashlib.sha256((folder / path).read_bytes()).hexdigest()[:12]

    def asset(path: str) -> str:
        """The address of a static file, which changes with its content."""
        return url_for("static", filename=path, v=version_of(path))

    def csrf_input() -> Markup:
        """The hidden field that every form posts."""
        return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())

    app.jinja_env.globals.update(asset=asset, csrf_input=csrf_input)
