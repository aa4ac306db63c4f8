"""The page of a unit's requests."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from catalog.ordering.units.queries import requests_of_units, units_led_by
from portal.core.http import reading, render
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission

blueprint = Blueprint("units", __name__)


@blueprint.get("/unit/requests")
@requires(Permission.READ_UNIT_REQUESTS)
def requests() -> Response:
    """What people of the reader's units receive, the latest first."""
    actor = current_actor()
    before = request.args.get("before", type=int)
    with reading() as session:
        units = units_led_by(session, actor)
        lines, following = requests_of_units(session, actor, units, before=before)
    return render(
        "catalog/ordering/units/requests.html",
        units=sorted(units.values()),
        lines=lines,
        older_url=url_for("units.requests", before=following) if following else "",
        newest_url=url_for("units.requests") if before is not None else "",
    )
