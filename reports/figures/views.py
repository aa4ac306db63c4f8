"""Pages of figures, and each chart's numbers as a file."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, url_for
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.csv_cells import csv_file
from portal.core.errors import NotFound
from portal.core.http import file_response, reading, render
from portal.core.language import _
from portal.identity.access import current_actor, signed_in
from reports.figures.parts import FIRST, PARTS, Part
from reports.figures.period import KINDS, period_of
from reports.figures.scope import scope_of
from reports.figures.sheet import Asked

blueprint = Blueprint("figures", __name__)


@blueprint.get("/figures")
@signed_in
def index() -> Response:
    """The first page."""
    return _page(FIRST)


@blueprint.get("/figures/<part>")
@signed_in
def show(part: str) -> Response:
    """One page."""
    return _page(part)


@blueprint.get("/figures/<part>/<key>.csv")
@signed_in
def table(part: str, key: str) -> Response:
    """The numbers behind one chart."""
    wanted = _part(part)
    with reading() as session:
        asked = _asked(session, wanted)
        chart = wanted.make(session, asked).find_chart(key)
    if chart is None or chart.empty:
        raise NotFound(_("There are no such figures in this period."))
    heading = [column if isinstance(column, str) else column[0] for column in chart.table.columns]
    name = f"{key}-{asked.period.first.isoformat()}-{asked.period.last.isoformat()}.csv"
    return file_response(
        csv_file([heading, *chart.table.rows]), name=name, media_type="text/csv; charset=utf-8"
    )


def _page(name: str) -> Response:
    part = _part(name)
    with reading() as session:
        asked = _asked(session, part)
        sheet = part.make(session, asked)
    kept: dict[str, Any] = {**asked.period.query, **asked.scope.query}
    return render(
        "reports/figures/show.html",
        sheet=sheet,
        asked=asked,
        part=name,
        narrowed=part.narrowed,
        parts=[
            (_(one.name), url_for("figures.show", part=key, **kept), key == name)
            for key, one in PARTS.items()
        ],
        kinds=[(kind, _(text)) for kind, text in KINDS.items() if part.narrowed or kind != "own"],
        files={
            chart.key: url_for("figures.table", part=name, key=chart.key, **kept) for chart in sheet.charts
        },
    )


def _part(name: str) -> Part:
    part = PARTS.get(name)
    if part is None:
        raise NotFound(_("There is no such page of figures."))
    return part


def _asked(session: Session, part: Part) -> Asked:
    """What the address asks for. Raises Forbidden for whoever answers for nothing."""
    actor = current_actor()
    at = now(session)
    period = period_of(request.args, at, ZoneInfo(actor.timezone))
    scope = scope_of(
        session, actor, offering=request.args.get("offering", ""), unit=request.args.get("unit", "")
    )
    return Asked(actor, scope, period if part.narrowed else period.whole_months(), at)
