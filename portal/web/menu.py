"""Where somebody can go: the pages that their roles bring, in one row, and those of compliance behind one link when there are more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import request, url_for

from approvals.decisions.queries import MOST_COUNTED, count_awaiting
from catalog.fulfilment.connectors.manual.queries import count_tasks
from portal.core.http import reading
from portal.core.language import N_, _
from portal.identity.actor import Actor
from portal.identity.permissions import Permission

#: Label, address, `aria-current` ("page", "true" for the group of the page that is shown, else ""), and what waits there.
NavItem = tuple[str, str, str, int | str | None]
_Entry = tuple[str, str, int | str | None]
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
    ((Permission.READ_EVIDENCE,), N_("Evidence"), "evidence.index"),
    ((Permission.READ_AUDITS,), N_("Audits"), "audits.index"),
    ((Permission.READ_LEDGER,), N_("Ledger"), "ledger.index"),
    ((Permission.READ_EVIDENCE,), N_("Access reviews"), "access_reviews.index"),
    ((Permission.READ_FINDINGS,), N_("Reconciliation"), "reconciliation.index"),
    ((Permission.READ_FINDINGS,), N_("Who allowed this?"), "explain.show"),
    ((Permission.PLACE_HOLDS,), N_("Erasures and holds"), "erasing.index"),
    ((Permission.APPOINT_AUDITORS,), N_("Auditors"), "auditors.index"),
    ((Permission.OPERATE,), N_("Operations"), "operations.index"),
)
#: What stands in a row of its own when one row is too short for everything.
_OF_COMPLIANCE = frozenset({"evidence", "audits", "ledger", "access_reviews", "reconciliation", "explain", "erasing", "auditors"})  # fmt: skip
#: The row on a wide screen in pixels, and what a letter and the gap between two labels take of it; see _page.scss.
_ROW, _LETTER, _GAP = 1080, 7, 28


@dataclass(frozen=True, slots=True)
class Menu:
    """`nav` is everything in its order, as a phone shows it; `row` and, on pages of compliance, `group` are the same in rows."""

    nav: tuple[NavItem, ...] = ()
    row: tuple[NavItem, ...] = ()
    group: tuple[NavItem, ...] = ()
    group_name: str = ""


def menu_of(actor: Actor) -> Menu:
    """The pages that this person may open, of which one may be the one that is shown."""
    if actor.only_audits:
        running = actor.audit is None or actor.audit.running
        return _menu(_of_auditors(actor)) if running else Menu()
    with reading() as session:
        waiting = count_awaiting(session, actor)
        open_tasks, tasks = count_tasks(session, actor) if actor.group_ids else (0, 0)
    entries: list[_Entry] = [
        (_("Catalogue"), "catalogue.index", None),
        (_("My requests"), "requests.index", None),
        (_("Approvals"), "approvals.index", few(waiting)),
        (_("Entitlements"), "entitlements.index", None),
        (_("Changes"), "changes.index", None),
    ]
    if tasks:
        entries.append((_("Tasks"), "work.index", open_tasks or None))
    entries += ((label, endpoint, None) for label, endpoint in _of_roles(actor))
    return _menu(entries)


def few(waiting: int) -> int | str | None:
    """The count beside Approvals, which stops at a hundred."""
    return f"{MOST_COUNTED - 1}+" if waiting >= MOST_COUNTED else waiting or None


def _menu(entries: Iterable[_Entry]) -> Menu:
    here = _room_shown()
    rooms = [(endpoint.partition(".")[0], label, endpoint, count) for label, endpoint, count in entries]
    nav = tuple(
        (label, url_for(endpoint), "page" if room == here else "", count)
        for room, label, endpoint, count in rooms
    )
    if sum(len(label) * _LETTER + _GAP for label, *_rest in nav) <= _ROW:
        return Menu(nav, nav)
    grouped = [item for item, (room, *_rest) in zip(nav, rooms, strict=True) if room in _OF_COMPLIANCE]
    if len(grouped) < 2:  # noqa: PLR2004  (one page needs no row of its own)
        return Menu(nav, nav)
    name, inside = _("Compliance"), here in _OF_COMPLIANCE
    row = [item for item in nav if item not in grouped]
    row.insert(nav.index(grouped[0]), (name, grouped[0][1], "true" if inside else "", None))
    return Menu(nav, tuple(row), tuple(grouped) if inside else (), name)


def _room_shown() -> str:
    room = (request.endpoint or "").partition(".")[0]
    if request.endpoint in _ASKING or room in _ORDERING:
        return "catalogue"
    return "ledger" if room in _OF_LEDGER else room


def _of_auditors(actor: Actor) -> Iterator[_Entry]:
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
