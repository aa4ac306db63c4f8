"""An auditor's account under a mandate, over all routes: its own scope is read, everything else is as if it were not."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from catalog.entitlements.model import Entitlement
from portal.audit.model import Entry
from portal.identity.auditors.model import AuditorMandate
from portal.web.auditors import OWN as OWN_AFFAIRS
from portal.web.auditors import READS
from tests.portal.identity.auditors.conftest import FOREIGN, OWN

pytestmark = [pytest.mark.on_sqlite]
#: What fills the places of an address; whatever is foreign to the account has these names or numbers.
PLACES = {"reference": FOREIGN, "path": "", "_path": "x", "code": "de", "kind": "csv", "part": "waiting"}
#: These need no session and show nothing of anybody.
MACHINES = re.compile(
    r"^(static|web\.|pki\.|acme\.|ssh\.|api\.|automation\.|sign_in\.|languages\.|changes\.subscribed)"
)


def _routes(world):
    for rule in sorted(world.app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        if MACHINES.match(rule.endpoint):
            continue
        values = {name: PLACES.get(name, "2") for name in rule.arguments}
        address = rule.build(values, append_unknown=False)
        assert address is not None
        yield rule, address[1]


def test_every_route_that_changes_something_is_refused_and_no_page_shows_a_foreign_request(
    world, scoped
) -> None:
    home = scoped.get("/", status=200)
    assert "Ledger" in home and "Catalogue" not in home
    changing = reading = shown = 0
    for rule, address in _routes(world):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = scoped.client.open(
                address,
                method=method,
                data={"csrf_token": scoped.csrf} if method != "GET" else None,
                headers={"Origin": scoped.origin},
            )
            # The page names its own address where it offers another language.
            text = answer.get_data(as_text=True).replace(address, "")
            if method != "GET":
                assert answer.status_code == 403, f"{method} {address} answered {answer.status_code}"
                assert "changes nothing and orders nothing" in text
                changing += 1
                continue
            assert answer.status_code in {200, 303, 403, 404, 409}, f"{address} answered {answer.status_code}"
            if rule.endpoint not in READS:
                assert answer.status_code == 403, f"{address} answered {answer.status_code}"
            if answer.status_code == 200:
                assert FOREIGN not in text, f"{address} shows a foreign request"
                assert "Rosa Requester" not in text, f"{address} names somebody of another unit"
                shown += 1
            reading += 1
    assert (changing, reading, shown) > (60, 60, 8)


def test_what_the_gate_names_are_routes(world) -> None:
    assert set(world.app.view_functions) >= READS | OWN_AFFAIRS


def test_the_account_reads_what_is_in_its_scope(world, scoped, requests_of_both) -> None:
    with world.portal.db.reading() as session:
        held = session.scalars(select(Entitlement.id).order_by(Entitlement.id)).all()
        numbers = {
            subject: number
            for number, subject in session.execute(select(Entry.number, Entry.subject).order_by(Entry.number))
        }
    own, foreign = held
    for address in ("/evidence", "/entitlements?of=all", "/ledger", f"/requests/{OWN}", f"/explain?q={OWN}"):
        page = scoped.get(address)
        assert f"/requests/{OWN}" in page, address
        assert FOREIGN not in page, address
    assert f"/requests/{FOREIGN}" not in scoped.get(f"/explain?q={FOREIGN}")
    scoped.get(f"/entitlements/{own}")
    scoped.get(f"/entitlements/{foreign}", status=404)
    scoped.get(f"/requests/{FOREIGN}", status=404)
    scoped.get(f"/requests/{FOREIGN}/evidence.pdf", status=404)
    scoped.get(f"/ledger/{numbers[f'request:{OWN}']}")
    scoped.get(f"/ledger/{numbers[f'request:{FOREIGN}']}", status=404)
    assert "No entry fits" in scoped.get(f"/ledger?subject={FOREIGN}&tag=&person=&part=did")
    exported = scoped.get("/ledger/entries.jsonl")
    assert exported.count("\n") > 3
    assert OWN in exported and FOREIGN not in exported
    assert "mandate:given" not in exported
    csv = scoped.get("/entitlements/list.csv?of=all")
    assert OWN in csv and FOREIGN not in csv


def test_offerings_and_a_period_limit_it_too(world, scoped, cast) -> None:
    def limited_to(**parts):
        with world.portal.db.transaction() as session:
            mandate = session.scalars(select(AuditorMandate)).one()
            mandate.units, mandate.offerings, mandate.since, mandate.until = [], [], None, None
            for name, value in parts.items():
                setattr(mandate, name, value)
        page = scoped.get("/evidence")
        return f"/requests/{FOREIGN}" in page, f"/requests/{OWN}" in page

    now = world.portal.db.clock()
    assert limited_to() == (True, True)
    assert limited_to(offerings=["no-such-service"]) == (False, False)
    assert limited_to(until=now.replace(hour=0)) == (False, False)
    assert limited_to(since=now.replace(hour=0)) == (True, True)
    assert limited_to(units=["unit-that-is-gone"]) == (False, False)


@pytest.mark.parametrize("days", [-30, 30])
def test_before_and_after_its_days_it_sees_nothing(world, scoped, clock, cast, days) -> None:
    clock.pass_time(days=days)
    browser = world.browser(cast.auditor)
    for address in ("/", "/ledger", f"/requests/{OWN}", "/evidence", "/entitlements", "/catalogue"):
        page = browser.get(address, status=403)
        assert "Your access as an auditor is not in force" in page
        assert "18 November 2026" in page and "30 November 2026" in page
        assert OWN not in page.replace(address, "")


def test_an_auditor_without_a_mandate_reads_everything_and_changes_nothing(
    world, requests_of_both, cast
) -> None:
    browser = world.browser(cast.auditor)
    page = browser.get("/evidence")
    assert f"/requests/{OWN}" in page and f"/requests/{FOREIGN}" in page
    for path in ("/me/tokens", f"/requests/{OWN}/withdraw", "/catalogue/word-on-a-shelf/star"):
        assert "changes nothing and orders nothing" in browser.post(path, status=403)
