"""No page shows a text that a translator cannot reach: every one is read in a language whose messages stand in brackets."""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.exceptions import HTTPException

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from approvals.routing.model import Stage, StageApprover
from catalog.fulfilment.connectors.manual.model import ManualTask
from catalog.offerings.queries import document_of, get_current_version, published_versions
from catalog.offerings.translating import texts_in
from catalog.requests.drafts import keep, new_token
from catalog.requests.model import Request
from catalog.requests.withdraw import withdraw
from portal.app import create_app
from portal.core import language
from portal.identity.model import Group, Person, Unit
from portal.identity.web_sessions import start_session
from tests.fixtures_people import MFA
from tests.look.spoken import CODE, Pseudo, known, leaks

ROLES = ("requester", "manager", "owner", "security", "head", "operator", "compliance", "auditor")
#: So many pages of one endpoint are read by one person: the first of each list, not all of them.
OF_ONE_KIND = 2
#: A paragraph of a text, and the texts inside an expression.
_PARAGRAPHS = re.compile(r"\n\s*\n")
_LITERALS = re.compile(r'"([^"]+)"|\'([^\']+)\'')
_LINK = re.compile(r'href="(/[^"#]*)"')
#: Product names, kinds of files and words that are the same in every language.
NAMES = (
    "Countersign", "SR", "PDF", "XLSX", "CSV", "JSON", "YAML", "CEL", "SCIM", "PEM", "DER", "CRL", "OCSP", "SHA",
    "SSH", "UTC", "UTF", "MiB", "KiB", "GiB", "TCP", "UDP", "ICMP", "RSA", "nftables", "MFA", "SSO",
    "ISO/IEC 27001:2022 Annex A", "NIST SP 800-53 Rev. 5", "PCI DSS v4.0", "PCI DSS", "SOC 2 TSC 2017",
)  # fmt: skip


@pytest.fixture
def database_url(standing_postgres_url: str) -> str:
    """What pages say does not depend on the kind of database; that each of them can be read does."""
    return standing_postgres_url


@pytest.fixture
def _speaking_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = language._catalogue
    monkeypatch.setattr(language, "_catalogue", lambda code: Pseudo() if code == CODE else catalogue(code))


@pytest.mark.usefixtures("_speaking_in_brackets")
def test_no_page_shows_a_text_that_cannot_be_translated(world: Any, cast: Any, actor_of: Any) -> None:
    begun = _live(world, cast, actor_of)
    app = create_app(portal=world.portal)
    data = known(_data(world))
    unsaid: dict[str, set[str]] = defaultdict(set)
    read = set()
    for role in ROLES:
        for endpoint, address, page in _pages(app, _browser(app, world, cast.ids[role]), begun):
            read.add(endpoint)
            for text in leaks(page, data):
                unsaid[text].add(f"{address} ({role})")
    told = "\n".join(f"{text!r} on {min(where)}" for text, where in sorted(unsaid.items()))
    assert not unsaid, f"{len(unsaid)} texts are not messages:\n{told}"
    assert {"catalogue.show", "requests.new", "requests.show", "requests.review", "approvals.show"} <= read
    assert {"work.show", "versions.show", "evidence.index", "operations.index", "bulk.start"} <= read


def _live(world: Any, cast: Any, actor_of: Any) -> list[str]:
    """Requests in every state that a page tells of differently, and everybody's language.

    Gives the pages of what somebody has begun and not sent.
    """
    with world.db.transaction() as session:
        session.execute(update(Person).values(language=CODE))
    rosa = actor_of(cast.requester)
    done = world.done(rosa, "application-access")
    world.done(rosa, "tls-certificate")
    world.done(rosa, "security-exception")
    for slug in ("firewall-rule", "endpoint-agent", "security-self-assessment", "privileged-access"):
        world.ordered(rosa, slug)
    denied = world.ordered(rosa, "vendor-access")
    _deny(world, denied, actor_of)
    withdrawn = world.ordered(rosa, "firewall-rule", destination="10.10.7.7")
    with world.db.transaction() as session:
        withdraw(session, rosa, withdrawn)
    waiting = world.ordered(rosa, "account-audit")
    world.agree(waiting)
    world.work()
    assert done.reference
    token = new_token(cast.requester, world.portal.settings.secret_key)
    typed = world.typed(rosa, "application-access")
    with world.db.transaction() as session:
        version = get_current_version(session, "application-access")
        keep(session, token, version, typed, key=world.portal.settings.secret_key)
    return [f"/drafts/{token}/review"]


def _deny(world: Any, request_id: int, actor_of: Any) -> None:
    with world.db.reading() as session:
        seal = session.get_one(Request, request_id).seal
        approver = session.scalars(
            select(StageApprover.person_id)
            .join(Stage)
            .where(Stage.request_id == request_id)
            .order_by(Stage.position, Stage.part, StageApprover.person_id)
        ).first()
    with world.db.transaction() as session:
        decide(
            session,
            actor_of(approver),
            request_id,
            verdict=Verdict.DENY,
            comment="Not now.",
            seal=seal,
            settings=world.portal.settings,
        )


def _data(world: Any) -> set[str]:
    """What people, targets and offerings brought: names, answers, and the offerings' own texts in this language."""
    data = {"Not now.", "Go on.", "Done.", *NAMES, *language.LANGUAGES.values()}
    scim, firewall = (world.portal.connectors.get(name) for name in ("scim", "firewall"))
    data |= {choice.label for choice in (*scim.choices("roles"), *firewall.choices("zones"))}
    # A target is named as the seal holds it, in whatever language it is read.
    data |= {entitlement.target for entitlement in world.entitlements()}
    with world.db.reading() as session:
        for person in session.scalars(select(Person)):
            data |= {person.name, person.user_name, person.email, person.timezone}
        for named in (*session.scalars(select(Group)), *session.scalars(select(Unit))):
            data |= {named.name, named.slug}
        for version in published_versions(session):
            document = document_of(version)
            for text in texts_in(document.in_language(CODE)):
                data |= {*_PARAGRAPHS.split(text.text), *text.text.splitlines()}
                data |= {part for parts in _LITERALS.findall(text.text) for part in parts}
            data.add(document.slug)
        for task in session.scalars(select(ManualTask)):
            for text in (task.title, task.instructions):
                data |= {text.languages[CODE], *text.languages[CODE].splitlines()}
        for request in session.scalars(select(Request)):
            data |= {request.title.languages[CODE], *_texts_of(request.answers)}
            lines = [line for plan in request.plans for line in plan["lines"]]
            data |= {line["text"] for line in lines if line.get("technical")}
    return data


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts_of(item)
    elif isinstance(value, str):
        yield from (line for line in (value, *value.splitlines()) if line.strip())


def _browser(app: Any, world: Any, person_id: int) -> FlaskClient:
    client: FlaskClient = app.test_client()
    with world.db.transaction() as session:
        row, token = start_session(session, {})
        row.person_id = person_id
        row.auth_time = row.created_at
        row.acr, row.amr = MFA, ["pwd", "otp"]
    client.set_cookie("countersign", token)
    return client


def _pages(app: Any, client: FlaskClient, begun: list[str]) -> Iterator[tuple[str, str, str]]:
    """Every page that links lead to, a few of each kind."""
    waiting, seen, kinds = ["/catalogue", "/nowhere", "/me", *begun], set(), Counter[str]()
    while waiting:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        endpoint = _endpoint(app, address)
        kinds[endpoint] += 1
        if kinds[endpoint] > OF_ONE_KIND:
            continue
        answer = client.get(address, follow_redirects=True)
        if answer.mimetype != "text/html":
            continue
        page = answer.get_data(as_text=True)
        assert answer.status_code < 500, page
        yield endpoint, address, page
        waiting += [html.unescape(link) for link in _LINK.findall(page) if not link.startswith("/static/")]


def _endpoint(app: Any, address: str) -> str:
    try:
        found: str = app.url_map.bind("localhost").match(urlsplit(address).path)[0]
    except HTTPException:
        return ""
    return found
