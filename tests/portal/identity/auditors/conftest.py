"""A portal with one request of each of two units, and an auditor whose account is limited to one of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from portal.identity.actor import PORTAL
from portal.identity.auditors.giving import Wish, give_mandate
from tests.catalog.requests.conftest import web

__all__ = ["web"]

#: The clock of every test stands on 18 November 2026.
TODAY = date(2026, 11, 18)
LISBON = Wish(TODAY, date(2026, 11, 30), units=("lisbon",))
#: The first of all stands as an example beside search fields, so the foreign one is the second.
OWN, FOREIGN = "SR-000001", "SR-000002"


@pytest.fixture
def requests_of_both(shelves: Any, cast: Any, actor_of: Any) -> Any:
    """SR-000001 of Lisbon and SR-000002 of the holding, both fulfilled."""
    shelves.fulfilled(actor_of(cast.outsider), word="lisbon")
    shelves.fulfilled(actor_of(cast.requester), word="holding")
    return shelves


@pytest.fixture
def world(requests_of_both: Any, request: pytest.FixtureRequest) -> Any:
    """The whole portal; it stands from after the requests on."""
    return request.getfixturevalue("web")


@pytest.fixture
def scoped(world: Any, cast: Any) -> Any:
    """The browser of an auditor who may see Lisbon."""
    with world.portal.db.transaction() as session:
        give_mandate(session, PORTAL, "ada.auditor", LISBON)
    return world.browser(cast.auditor)
