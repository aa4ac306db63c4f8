"""A leaver's all, in one: what one target refuses keeps nothing else from ending, and operators see what is left."""

from __future__ import annotations

import copy

import pytest

from catalog.entitlements.connector import EntitlementsConnector
from catalog.entitlements.model import EntitlementState
from catalog.entitlements.queries import Scope, Wanted, entitlements_of
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.operations import operations_page
from catalog.requests.states import State
from tests.fixtures_requests import OFFERING, Shelves, add_offering

pytestmark = pytest.mark.parametrize("database_url", ["sqlite://"])


@pytest.fixture
def shelves(shelves, monkeypatch):
    """With the portal's own record as a target, as every portal has it."""
    record = EntitlementsConnector(shelves.db, lambda: shelves.connectors)
    connectors = Connectors([shelves.shelf, shelves.rack, record])
    monkeypatch.setattr(Shelves, "connectors", property(lambda self: connectors))
    return shelves


def leave(shelves, actor):
    """Have everything end that Rosa has, by a service of its own."""
    content = copy.deepcopy(OFFERING)
    content |= {"slug": "leaver", "name": "Somebody leaves"}
    del content["ends"]
    content["fulfilment"] = [
        {"step": "end", "name": "End everything", "connector": "entitlements", "action": "end_all"}
    ]
    with shelves.db.transaction() as session:
        shelves.version_id = add_offering(session, content)
    request_id = shelves.approved(actor, person="rosa.requester")
    shelves.work()
    return request_id


def test_what_a_target_refuses_is_left_to_the_operators_and_the_rest_ends(shelves, cast, actor_of):
    rosa = actor_of(cast.requester)
    granted = [shelves.fulfilled(rosa, word=word) for word in ("hello", "goodbye", "again")]
    shelves.shelf.trouble["revert"] = ConnectorError("The shelf is locked.", permanent=True)
    request_id = leave(shelves, actor_of(cast.manager))

    assert shelves.request(request_id).state is State.FAILED
    assert set(shelves.shelf.shelf) == {"hello"}
    states = [shelves.entitlements(number)[0].state for number in granted]
    assert states == [EntitlementState.ENDING, EntitlementState.ENDED, EntitlementState.ENDED]
    operator = actor_of(cast.operator)
    with shelves.db.reading() as session:
        page = operations_page(session, operator)
        lines, _more = entitlements_of(session, operator, Wanted(scope=Scope.ALL, show="ending"))
    assert [(line.reference, line.outcome) for line in page.failed] == [
        (shelves.request(request_id).reference, "The shelf is locked.")
    ]
    assert [line.label for line in lines] == ["Word hello"]
    assert ("operator_attention", cast.operator) in shelves.mails()
