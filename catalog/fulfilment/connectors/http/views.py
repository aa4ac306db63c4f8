"""Where automation tools call back. Other machines post here; each message carries its target's signature."""

from __future__ import annotations

from flask import Blueprint, Response, request

from catalog.fulfilment.connectors.http.callbacks import LARGEST, NotSigned, receive
from catalog.fulfilment.connectors.http.connector import HttpConnector
from catalog.fulfilment.connectors.http.handing import hand_on
from catalog.fulfilment.connectors.http.plans import KIND
from catalog.fulfilment.connectors.registry import Connectors
from portal.core.errors import PortalError, TooLarge
from portal.core.http import services, transaction
from portal.core.language import _
from portal.identity.access import public

blueprint = Blueprint("automation", __name__, url_prefix="/connectors/http")


@blueprint.post("/callback/<token>")
@public
def callback(token: str) -> Response:
    """Take a signed message about one call; 204 also where it says nothing new, or where another worker checks it."""
    try:
        _take(token)
    except PortalError as error:
        # The other side is a program: a sentence, and no page.
        return Response(f"{error.sentence}\n", status=error.status, content_type="text/plain; charset=utf-8")
    return Response(status=204)


def _take(token: str) -> None:
    connectors = services().get(Connectors)
    if KIND not in connectors:
        raise NotSigned(_("There is no such call, or this message is not signed by its target."))
    if (request.content_length or 0) > LARGEST:
        raise TooLarge(_("A callback has at most %(most)s bytes.", most=LARGEST))
    body = request.get_data(cache=False)
    if len(body) > LARGEST:
        raise TooLarge(_("A callback has at most %(most)s bytes.", most=LARGEST))
    headers = {name.lower(): value for name, value in request.headers.items()}
    with transaction() as session:
        connector = connectors.get(KIND)
        if isinstance(connector, HttpConnector):
            receive(session, connector, token, headers, body)
        else:
            hand_on(session, token, headers, body)
