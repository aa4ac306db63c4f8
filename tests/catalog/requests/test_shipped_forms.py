"""The forms of the shipped offerings as a browser without JavaScript meets them."""

import re

import pytest

from catalog.offerings.publish import publish_folder
from portal.core.assets import services_folder

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def shipped(web, cast, actor_of):
    with web.portal.db.transaction() as session:
        publish_folder(session, actor_of(cast.operator), services_folder())
    return web


def test_sixteen_offerings_stand_in_the_catalogue_by_category(shipped, cast):
    page = shipped.browser(cast.security).get("/catalogue")
    for name in ("Access", "Certificates", "Incidents", "Network", "Reviews", "Risk", "Servers"):
        assert f">{name}</h2>" in page
    assert "Emergency change" in page


def test_what_is_not_for_somebody_does_not_exist_for_them(shipped, cast):
    browser = shipped.browser(cast.requester)
    assert "Emergency change" not in browser.get("/catalogue")
    assert "Emergency change" not in browser.get("/catalogue?q=incident")
    browser.get("/catalogue/emergency-change", status=404)
    browser.get("/catalogue/emergency-change/request", status=404)


def test_rows_are_added_by_a_button_and_what_was_typed_stays(shipped, cast):
    browser = shipped.browser(cast.requester)
    page = browser.get("/catalogue/endpoint-agent/request")
    assert len(re.findall(r'name="hosts-\d+-host"', page)) == 3
    token = re.search(r'name="_draft" value="([^"]+)"', page)[1]
    form = {"_draft": token, "hosts-0-host": "app1.meridian.example", "hosts-0-system": "linux"}
    page = browser.post("/catalogue/endpoint-agent/request", {**form, "_rows-hosts": "1"})
    assert len(re.findall(r'name="hosts-\d+-host"', page)) >= 6
    assert 'value="app1.meridian.example"' in page
    assert '<option value="linux" selected>' in page


def test_pasted_rows_come_back_as_rows_beside_what_is_missing(shipped, cast):
    browser = shipped.browser(cast.requester)
    token = re.search(r'name="_draft" value="([^"]+)"', browser.get("/catalogue/endpoint-agent/request"))[1]
    pasted = "Host name;System;Used for\napp7.meridian.example;linux;test\nnot a host;linux;test"
    page = browser.post(
        "/catalogue/endpoint-agent/request", {"_draft": token, "hosts-paste": pasted}, status=422
    )
    assert 'value="app7.meridian.example"' in page
    assert "Row 2, Host name: “not a host” is not a host name" in page
    assert "Say what the servers do." in page


@pytest.mark.parametrize(
    "slug", ["privileged-access", "leaver", "security-self-assessment", "security-exception", "vendor-access"]
)
def test_a_form_opens_and_tells_what_is_missing(shipped, cast, slug):
    browser = shipped.browser(cast.requester)
    page = browser.get(f"/catalogue/{slug}/request")
    token = re.search(r'name="_draft" value="([^"]+)"', page)[1]
    assert "There is a problem" in browser.post(f"/catalogue/{slug}/request", {"_draft": token}, status=422)
    browser.get(f"/catalogue/{slug}")
