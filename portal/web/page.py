"""What the frame around every page shows: who is signed in, where they can go, what was just said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import cast

from flask import Flask, g, get_flashed_messages, request, url_for
from flask_wtf.csrf import generate_csrf

from approvals.decisions.queries import MOST_COUNTED, count_awaiting
from catalog.fulfilment.connectors.manual.queries import count_tasks
from portal.core.http import reading, settings
from portal.core.language import LANGUAGES, N_, _, language
from portal.identity.access import find_actor
from portal.identity.actor import Actor
from portal.identity.permissions import Permission

NavItem = tuple[str, str, bool, int | str | None]
_VERSION = version("countersign")
#: To come back to a longer address costs more than its query is worth.
_LONGEST_HERE = 2000
#: Asking for a service is still being in the catalogue; a request begins when it is submitted.
_ASKING = frozenset({"requests.new", "requests.review"})
#: Orders of many begin in the catalogue too.
_ORDERING = frozenset({"ordering", "bulk"})
#: The holders' page is reached from the ledger's.
_OF_LEDGER = frozenset({"holders"})
_SEE_FIGURES = (Permission.READ_FIGURES, Permission.READ_UNIT_REQUESTS, Permission.WRITE_OFFERINGS)
#: In their order: whoever has one of these permissions sees this page.
_ROLE_PAGES = (
    ((Permission.WRITE_OFFERINGS,), N_("Offerings"), "versions.index"),
    ((Permission.READ_UNIT_REQUESTS,), N_("My unit"), "units.requests"),
    # Who owns an offering without one of these roles has the address from a colleague: asking costs every page.
    (_SEE_FIGURES, N_("Figures"), "figures.index"),
    ((Permission.READ_FINDINGS,), N_("Reconciliation"), "reconciliation.index"),
    ((Permission.READ_FINDINGS,), N_("Who allowed this?"), "explain.show"),
    ((Permission.READ_EVIDENCE,), N_("Access reviews"), "access_reviews.index"),
    ((Permission.READ_EVIDENCE,), N_("Evidence"), "evidence.index"),
    ((Permission.READ_AUDITS,), N_("Audits"), "audits.index"),
    ((Permission.READ_LEDGER,), N_("Ledger"), "ledger.index"),
    ((Permission.PLACE_HOLDS,), N_("Erasures and holds"), "erasing.index"),
    ((Permission.APPOINT_AUDITORS,), N_("Auditors"), "auditors.index"),
    ((Permission.OPERATE,), N_("Operations"), "operations.index"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """The frame's own values; see templates/layout.html."""

    signed_in: bool
    person_name: str
    nav: tuple[NavItem, ...]
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
        nav=_nav(actor) if actor else (),
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


def _few(waiting: int) -> int | str | None:
    """The count beside Approvals, which stops at a hundred."""
    return f"{MOST_COUNTED - 1}+" if waiting >= MOST_COUNTED else waiting or None


def _messages() -> tuple[tuple[str, str], ...]:
    flashed = cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))
    return tuple(flashed)


def _nav(actor: Actor) -> tuple[NavItem, ...]:
    if actor.only_audits:
        return _links(_of_auditors(actor)) if actor.audit is None or actor.audit.running else ()
    with reading() as session:
        waiting = count_awaiting(session, actor)
        open_tasks, tasks = count_tasks(session, actor) if actor.group_ids else (0, 0)
    entries: list[tuple[str, str, int | str | None]] = [
        (_("Catalogue"), "catalogue.index", None),
        (_("My requests"), "requests.index", None),
        (_("Approvals"), "approvals.index", _few(waiting)),
        (_("Entitlements"), "entitlements.index", None),
        (_("Changes"), "changes.index", None),
    ]
    if tasks:
        entries.append((_("Tasks"), "work.index", open_tasks or None))
    entries += ((label, endpoint, None) for label, endpoint in _of_roles(actor))
    return _links(entries)


def _links(entries: Iterable[tuple[str, str, int | str | None]]) -> tuple[NavItem, ...]:
    room = (request.endpoint or "").partition(".")[0]
    if request.endpoint in _ASKING or room in _ORDERING:
        room = "catalogue"
    elif room in _OF_LEDGER:
        room = "ledger"
    return tuple(
        (label, url_for(endpoint), endpoint.partition(".")[0] == room, count)
        for label, endpoint, count in entries
    )


def _of_auditors(actor: Actor) -> Iterator[tuple[str, str, None]]:
    """The pages of an auditor's account: what its roles bring, and what everybody reads of others."""
    yield _("Entitlements"), "entitlements.index", None
    yield _("Changes"), "changes.index", None
    for label, endpoint in _of_roles(actor):
        yield label, endpoint, None


def _of_roles(actor: Actor) -> Iterator[tuple[str, str]]:
    """The pages that come with a role: name and endpoint."""
    for permissions, label, endpoint in _ROLE_PAGES:
        if any(map(actor.may, permissions)):
            yield _(label), endpoint
