import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from catalog.fulfilment.connectors.contract import Choice, ConnectorError
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.form_context import context_for
from catalog.offerings.kinds import find_person
from portal.identity.model import Person
from tests.catalog.offerings.conftest import TODAY

pytestmark = pytest.mark.on_sqlite


class Roles:
    """A connector that only knows its choices."""

    kind = "scim"

    def choices(self, name):
        return (Choice("a", "A"),)


@pytest.fixture
def context(db, cast):
    with db.reading() as session:
        person = session.scalars(
            select(Person).where(Person.id == cast.requester).options(joinedload(Person.unit))
        ).one()
        yield context_for(session, person, Connectors([Roles()]), today=TODAY)


def test_the_context_knows_the_person_and_their_unit(context):
    assert (context.actor.name, context.actor.unit, context.actor.unit_name) == (
        "Rosa Requester",
        "holding",
        "Holding",
    )


@pytest.mark.parametrize(
    "typed",
    [
        "milo.manager",
        "Milo.Manager",
        "milo.manager@meridian.example",
        "Milo Manager",
        "milo manager",
        "Milo Manager (milo.manager)",
    ],
)
def test_a_person_is_found_in_the_directory(context, typed):
    assert find_person(typed, context).user_name == "milo.manager"


def test_somebody_who_has_left_is_not_found_and_not_suggested(context):
    with pytest.raises(ValueError, match="Nobody is called “Lena Leaver”"):
        find_person("Lena Leaver", context)
    assert "Lena Leaver" not in {person.name for person in context.people.suggestions()}
    assert len(context.people.suggestions()) == 10


def test_a_slip_of_the_pen_is_answered_with_who_may_be_meant(context):
    with pytest.raises(ValueError, match=r"Did you mean Sami Security \(sami.security\)\?"):
        find_person("Samy Security", context)


def test_choices_come_from_the_connector_and_a_missing_one_is_said(context):
    assert context.choices("scim", "roles") == (Choice("a", "A"),)
    with pytest.raises(ConnectorError, match="no connector “firewall”"):
        context.choices("firewall", "zones")


def test_a_connector_that_cannot_judge_finds_nothing_wrong(context):
    assert context.judge("scim", {}) == ()
