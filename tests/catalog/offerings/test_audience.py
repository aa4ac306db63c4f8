"""Who may see an offering: the expression, and what everybody else gets."""

import pytest

from catalog.offerings.audience import get_visible_version, visible
from catalog.offerings.publish import publish
from catalog.offerings.queries import published_versions
from catalog.offerings.reading import OfferingFileError, read_offering
from portal.core.errors import NotFound


@pytest.fixture
def published(db, cast, actor_of, small):
    text = small.replace("category: Tests", "category: Tests\naudience: '\"crm-owners\" in requester.groups'")
    with db.transaction() as session:
        publish(session, actor_of(cast.operator), text, "small.yaml")
        publish(session, actor_of(cast.operator), small.replace("small-thing", "open-thing"), "open.yaml")


@pytest.mark.on_sqlite
def test_an_offering_exists_for_its_audience_alone(db, cast, actor_of, published):
    with db.reading() as session:
        owner, requester = actor_of(cast.owner), actor_of(cast.requester)
        versions = published_versions(session)
        assert [v.offering.slug for v in visible(session, owner, versions)] == ["open-thing", "small-thing"]
        assert [v.offering.slug for v in visible(session, requester, versions)] == ["open-thing"]
        assert get_visible_version(session, owner, "small-thing").number == 1
        with pytest.raises(NotFound) as hidden:
            get_visible_version(session, requester, "small-thing")
        with pytest.raises(NotFound) as unknown:
            get_visible_version(session, requester, "no-such-thing")
        assert hidden.value.sentence == unknown.value.sentence


@pytest.mark.parametrize("audience", ["answers.colour == 'red'", "beneficiary.is_self", "requester.groups"])
def test_an_audience_may_name_the_requester_alone(small, audience):
    text = small.replace("category: Tests", f'category: Tests\naudience: "{audience}"')
    with pytest.raises(OfferingFileError, match="audience"):
        read_offering(text, "small.yaml")
