"""Pages of who has what: the list, the same as a file, and one entitlement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Response, request, url_for

from catalog.entitlements import acting_views
from catalog.entitlements.blueprint import blueprint
from catalog.entitlements.extending import views as extending_views
from catalog.entitlements.queries import (
    SPANS,
    STATES,
    EntitlementLine,
    Scope,
    Wanted,
    entitlements_of,
    every_line,
    scopes_of,
    services_in,
)
from catalog.entitlements.recertifying import views as recertifying_views
from portal.core.csv_cells import csv_file
from portal.core.http import file_response, reading, render
from portal.core.language import _
from portal.identity.access import current_actor, signed_in

#: The others are imported so that their routes stand on the blueprint too.
__all__ = ["acting_views", "blueprint", "extending_views", "recertifying_views"]

_LONGEST_SEARCH = 100


@blueprint.get("")
@signed_in
def index() -> Response:
    """What I hold, or with `?of=` what my reports hold, what my applications are used for, or everything."""
    actor = current_actor()
    wanted = _wanted()
    before = request.args.get("before", type=int)
    with reading() as session:
        scopes = scopes_of(session, actor)
        lines, following = entitlements_of(session, actor, wanted, before=before)
        services = services_in(session, actor, wanted.scope)
    return render(
        "catalog/entitlements/index.html",
        lines=lines,
        wanted=wanted,
        scopes=scopes,
        services=services,
        spans=SPANS,
        filtered=bool(wanted.text or wanted.service or wanted.ends or wanted.show not in {"now", "ended"}),
        asked=_query(wanted),
        older_url=url_for("entitlements.index", before=following, **_query(wanted)) if following else "",
        newest_url=url_for("entitlements.index", **_query(wanted)) if before is not None else "",
    )


@blueprint.get("/list.csv")
@signed_in
def table() -> Response:
    """The whole list as CSV in UTF-8, with the mark that office programs know it by."""
    with reading() as session:
        content = _csv(every_line(session, current_actor(), _wanted()))
    return file_response(content, name="entitlements.csv", media_type="text/csv; charset=utf-8")


@blueprint.get("/<int:entitlement_id>")
@signed_in
def show(entitlement_id: int) -> Response:
    """One entitlement: what it is, until when, and what one may do about it."""
    return acting_views.page_of(entitlement_id)


def _wanted() -> Wanted:
    """What the address asks for; what it does not know is left aside."""
    given = request.args
    scope = given.get("of", "")
    show_ = given.get("show", "")
    ends = given.get("ends", "")
    return Wanted(
        scope=Scope(scope) if scope in {one.value for one in Scope} else Scope.MINE,
        show=show_ if show_ in STATES else "now",
        text=given.get("q", "").replace("\x00", "")[:_LONGEST_SEARCH].strip(),
        service=given.get("service", "").replace("\x00", "")[:_LONGEST_SEARCH],
        ends=ends if ends in {*map(str, SPANS), "never"} else "",
    )


def _query(wanted: Wanted) -> dict[str, Any]:
    """The same as the address has it, without what is usual."""
    told = {
        "of": "" if wanted.scope is Scope.MINE else wanted.scope.value,
        "show": "" if wanted.show == "now" else wanted.show,
        "q": wanted.text,
        "service": wanted.service,
        "ends": wanted.ends,
    }
    return {name: value for name, value in told.items() if value}


def _csv(lines: Iterable[EntitlementLine]) -> bytes:
    rows = [
        (
            _("Who has it"),
            _("Account"),
            _("What"),
            _("Where"),
            _("Service"),
            _("Allowed by"),
            _("State"),
            _("Since"),
            _("Until"),
            _("Ended"),
            _("Why it ended"),
            _("Key on the target"),
        )
    ]
    rows += (
        (
            line.holder,
            line.holder_user_name,
            line.label,
            line.target,
            line.offering,
            line.reference,
            line.state,
            line.since.isoformat(timespec="minutes"),
            line.ends_at.isoformat(timespec="minutes") if line.ends_at else "",
            line.ended_at.isoformat(timespec="minutes") if line.ended_at else "",
            line.end_reason,
            line.key,
        )
        for line in lines
    )
    return csv_file(rows)
