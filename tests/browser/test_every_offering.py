"""Every shipped offering, from the catalogue to what it brings: asked for in the browser, carried out for real.

The form, the review and the fulfilled request are looked at in the browser, each form at both widths. Whoever approves and
works by hand does so over HTTP, which other tests of this folder do in the browser.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, Page, expect

from catalog.offerings.language import OfferingDocument
from catalog.offerings.publish import lacking
from catalog.offerings.reading import read_offering
from portal.core.assets import services_folder
from portal.demo import orders
from tests.browser.filling import fill
from tests.browser.journeys import choose_service, review, submit
from tests.browser.look import fits, look
from tests.browser.story import Teller
from tests.browser.visitor import HEIGHTS, PHONE, WIDE, Visitors
from tests.catalog.attachments.test_kinds import PNG
from tests.catalog.fulfilment.connectors.requests import make_csr

pytestmark = pytest.mark.xdist_group("browser")

#: The connectors of a portal whose settings name no further target.
HOUSE = frozenset({"scim", "ca", "firewall", "manual", "entitlements"})
PROOF = {"name": "proof.png", "mimeType": "image/png", "buffer": PNG}
#: A minute, and time to read the target once more.
OFFERED_SECONDS = 90
_VALUES_AND_LABELS = "options => options.flatMap(option => [option.value, option.label])"


@dataclass(frozen=True)
class Journey:
    """One offering: who asks, what differs from its worked example, who agrees in order, who works by hand in order.

    An answer in braces is taken from what came before: `{reference}`, or the `{serial}` of the certificate.
    """

    slug: str
    who: str
    agree: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    answers: dict[str, Any] = field(default_factory=dict)


def _now() -> str:
    """The present minute where the people of New York are, as it is typed."""
    return datetime.now(ZoneInfo("America/New_York")).strftime("%Y-%m-%dT%H:%M")


def _csr() -> str:
    """A new key each time for one and the same name, as a renewal keeps the names."""
    return make_csr("orders-renewed.meridian.example", key=ec.generate_private_key(ec.SECP256R1()))


def chains() -> dict[str, tuple[Journey, ...]]:
    """What belongs together stands in one chain: what one brings, the next takes away again.

    Keys, addresses and moments are new each time, so that a chain may be tried again in the same house.
    """
    return {
        "access": (
            Journey(
                "application-access",
                "thomas.keller",
                ("priya.raman",),
                answers={"person": "thomas.keller", "role": "CRM – Reporting"},  # noqa: RUF001
            ),
            Journey(
                "access-revocation",
                "priya.raman",
                ("goncalo.pires",),
                answers={"person": "Thomas Keller", "role": "CRM – Reporting"},  # noqa: RUF001
            ),
        ),
        "privileged": (
            Journey("privileged-access", "mei-ling.chen", ("goncalo.pires",), answers={"begins": _now()}),
            Journey(
                "leaver",
                "caroline.mitchell",
                ("marcus.johnson",),
                ("lukasz.wisniewski",),
                {"person": "Mei-Ling Chen", "leaves_at": _now(), "successor": "Siobhán O'Neill"},
            ),
        ),
        "vendor": (
            Journey("vendor-access", "tiago.ferreira", ("jose.almeida", "zoe.lindqvist"), ("chidi.okafor",)),
        ),
        "certificate": (
            Journey(
                "tls-certificate",
                "goncalo.pires",
                ("ines.carvalho", "elif.sahin"),
                answers={"csr": _csr(), "owner": "Gonçalo Pires", "validity_days": 150},
            ),
            Journey(
                "certificate-renewal",
                "goncalo.pires",
                ("elif.sahin",),
                answers={"serial": "{serial}", "csr": _csr()},
            ),
            Journey(
                "certificate-revocation", "goncalo.pires", ("elif.sahin",), answers={"serial": "{serial}"}
            ),
        ),
        "firewall": (
            Journey(
                "firewall-rule",
                "goncalo.pires",
                ("ines.carvalho", "chidi.okafor"),
                answers=orders.rule().answers,
            ),
            # A rule that is misused is taken out at once; any other waits for the next change window.
            Journey(
                "firewall-rule-removal",
                "freya.norgaard",
                ("chidi.okafor",),
                answers={"rule": "{reference}", "attack": True},
            ),
        ),
        "audit": (
            Journey("account-audit", "aicha.benali", ("ines.carvalho",), ("nadia.haddad", "zoe.lindqvist")),
        ),
        "endpoint": (
            # Test servers may be changed at any time.
            Journey(
                "endpoint-agent",
                "mei-ling.chen",
                by_hand=("marta.kowalczyk",),
                answers={
                    "hosts": [
                        {"host": "test1.freight.meridian.example", "system": "linux", "use": "test"},
                        {"host": "test2.freight.meridian.example", "system": "windows", "use": "test"},
                    ]
                },
            ),
        ),
        "reset": (
            Journey(
                "password-reset",
                "siobhan.oneill",
                by_hand=("lukasz.wisniewski", "marta.kowalczyk"),
                answers={"person": "Siobhán O'Neill", "why": "stolen"},
            ),
        ),
        "exception": (
            Journey(
                "security-exception",
                "tiago.ferreira",
                ("jose.almeida", "nadia.haddad", "zoe.lindqvist"),
                ("nadia.haddad",),
                {"answers_for": "José Almeida", "proof": PROOF},
            ),
        ),
        "emergency": (
            Journey(
                "emergency-change", "hiroshi.tanaka", ("zoe.lindqvist", "juergen.weiss"), ("marta.kowalczyk",)
            ),
        ),
        "assessment": (
            Journey(
                "security-self-assessment",
                "goncalo.pires",
                ("ines.carvalho", "zoe.lindqvist"),
                ("nadia.haddad",),
                {"unit": "energia-sales", "proof": PROOF},
            ),
        ),
    }


def test_no_shipped_offering_is_left_out():
    ordered = [journey.slug for chain in chains().values() for journey in chain]
    documents = [_document(file.stem) for file in services_folder().glob("*.yaml")]
    # Those for targets that this house does not have are ordered in tests/catalog/services/test_further_targets.py.
    offered = [document.slug for document in documents if not lacking(document, HOUSE)]
    assert sorted(ordered) == sorted(offered)


@pytest.mark.parametrize("name", list(chains()))
def test_an_offering_is_ordered_from_the_catalogue_until_it_is_fulfilled(visitors, chromium, teller, name):
    before: dict[str, str] = {}
    for number, journey in enumerate(chains()[name], start=list(chains()).index(name)):
        widths = (WIDE, PHONE) if number % 2 else (PHONE, WIDE)
        before = _order(visitors, chromium, teller, journey, before, widths)


def _order(
    visitors: Visitors,
    browser: Browser,
    teller: Teller,
    journey: Journey,
    before: dict[str, str],
    widths: tuple[int, int],
) -> dict[str, str]:
    """Ask, agree, carry out, and look at it; gives what the next of the chain may name."""
    document = _document(journey.slug)
    answers = {
        name: answer.format(**before) if isinstance(answer, str) and "{" in answer else answer
        for name, answer in {**document.example, **journey.answers}.items()
    }
    with visitors.window(browser, journey.who, width=widths[0]) as page:
        choose_service(page, document.category, document.name)
        expect(page.get_by_role("button", name="Continue to review")).to_be_visible()
        for name in journey.answers:
            _wait_until_offered(page, name, answers[name])
        fill(page, document, answers)
        _look(page, journey.slug, "form", widths)
        review(page)
        _look(page, journey.slug, "review", widths, axe=False)
        reference = submit(page)
        for person in journey.agree:
            _agree(teller, reference, person, journey.who)
        for person in journey.by_hand:
            teller.do_by_hand(reference, person)
        teller.wait(reference, "fulfilled", who=journey.who)
        page.goto(f"/requests/{reference}")
        expect(page.locator("main [data-state]").first).to_have_text("Fulfilled")
        _look(page, journey.slug, "fulfilled", widths)
        serial = re.search(r"ertificate ([0-9a-f]{16,})", page.get_by_role("main").inner_text())
    return {"reference": reference, "serial": serial[1] if serial else ""}


def _wait_until_offered(page: Page, name: str, answer: Any) -> None:
    """Where it is chosen from a list: what a target offers is remembered for a minute, and this may be newer."""
    options = page.locator(f"select#{name}").locator("option")
    deadline = time.monotonic() + OFFERED_SECONDS
    while options.count() and answer not in options.evaluate_all(_VALUES_AND_LABELS):
        assert time.monotonic() < deadline, f"{name} does not offer {answer!r}"
        page.wait_for_timeout(500)
        page.reload()


def _agree(teller: Teller, reference: str, person: str, who: str) -> None:
    teller.wait_for_card(reference, person)
    teller.decide(reference, person, comment="Agreed, as it was explained.")


def _look(page: Page, slug: str, part: str, widths: tuple[int, int], *, axe: bool = True) -> None:
    """At both widths; the first is looked at again at the end, for the journey goes on in it."""
    _picture(page, slug, part)
    look(page, axe=axe)
    for width in reversed(widths):
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        if width != widths[0]:
            fits(page)
            _picture(page, slug, part)


def _picture(page: Page, slug: str, part: str) -> None:
    """With PICTURES in the environment, leave one there for people to judge."""
    folder = os.environ.get("PICTURES")
    if folder:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=str(Path(folder) / f"{slug}-{part}-{width}.png"), full_page=True)


def _document(slug: str) -> OfferingDocument:
    return read_offering((services_folder() / f"{slug}.yaml").read_bytes(), f"{slug}.yaml")
