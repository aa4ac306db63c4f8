"""What the frame around every page shows: who is signed in, where they can go, what was just said."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import cast

from flask import Flask, g, get_flashed_messages, request, url_for
from flask_wtf.csrf import generate_csrf

from portal.core.http import settings
from portal.core.language import LANGUAGES, language
from portal.identity.access import find_actor
from portal.web.menu import Menu, menu_of

_VERSION = version("countersign")
#: To come back to a longer address costs more than its query is worth.
_LONGEST_HERE = 2000


@dataclass(frozen=True, slots=True)
class Page:
    """The frame's own values; see templates/layout.html."""

    signed_in: bool
    person_name: str
    menu: Menu
    messages: tuple[tuple[str, str], ...]
    environment: str
    version: str
    sign_in_url: str
    sign_out_url: str
    account_url: str
    language: str
    #: Each other language: its name, its code, and the address that speaks it from then on.
    languages: tuple[tuple[str, str, str], ...]
    here: str

    @property
    def csrf_token(self) -> str:
        """Made only when a template asks, so that a page without a form starts no session."""
        return str(generate_csrf())


def install(app: Flask) -> None:
    """Give every template its page."""

    @app.context_processor
    def add_page() -> dict[str, Page]:
        return {"page": current_page()}


def current_page() -> Page:
    """The frame of the page that is being rendered; a bare one when the database may be what failed."""
    bare = bool(g.get("bare"))
    actor = None if bare else find_actor()
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    if len(here) > _LONGEST_HERE:
        here = request.path
    return Page(
        signed_in=actor is not None,
        person_name=actor.name if actor else "",
        menu=menu_of(actor) if actor else Menu(),
        messages=() if bare else _messages(),
        environment="development" if settings().development else "",
        version=_VERSION,
        sign_in_url=url_for("sign_in.start", next=here),
        sign_out_url=url_for("sign_in.sign_out"),
        account_url=url_for("account.show"),
        language=language(),
        languages=tuple(
            (name, code, url_for("languages.choose", code=code, next=here))
            for code, name in LANGUAGES.items()
            if code != language()
        ),
        here=here,
    )


def _messages() -> tuple[tuple[str, str], ...]:
    flashed = cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))
    return tuple(flashed)
