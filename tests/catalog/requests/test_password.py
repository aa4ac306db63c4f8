"""A one-time password: shown once, to the beneficiary alone, and kept nowhere."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from catalog.fulfilment.model import Step
from catalog.fulfilment.secrets.one_time import one_time_secret
from catalog.fulfilment.secrets.show import show_secret
from catalog.requests import tags
from catalog.requests.model import Request
from portal.core.errors import Conflict
from portal.tables import METADATA
from tests.fixtures_once import written_once

PAGE = "/requests/SR-000001/password"


@pytest.fixture
def reset(web, shelves, cast, actor_of):
    """A fulfilled request whose step set a password for its beneficiary."""

    def write() -> str:
        request_id = shelves.prepared(actor_of(cast.requester), until="2027-01-15")
        with shelves.db.transaction() as session:
            decide(
                session,
                actor_of(cast.manager),
                request_id,
                verdict=Verdict.APPROVE,
                comment="",
                seal=session.get_one(Request, request_id).seal,
                settings=shelves.settings,
            )
        shelves.work()
        with shelves.db.transaction() as session:
            step = session.scalars(select(Step).where(Step.request_id == request_id)).one()
            document = step.plan["document"] | {
                "shown_to": "beneficiary",
                "account": {"name": "rosa.requester"},
            }
            step.plan = step.plan | {"document": document}
            return step.key

    key = written_once(shelves.db, "a password was set", write)
    return one_time_secret(shelves.settings.secret_key, key)


def test_it_is_shown_once_and_looking_at_the_page_uses_nothing_up(web, cast, shelves, reset):
    browser = web.browser(cast.requester)
    assert PAGE in browser.get("/requests/SR-000001")
    for _ in range(3):
        page = browser.get(PAGE)
        assert "It is shown once, to you alone" in page
        assert reset not in page
    assert reset in browser.post(PAGE)
    assert "was shown already" in browser.get(PAGE)
    assert PAGE not in browser.get("/requests/SR-000001")
    again = browser.post(PAGE, status=409)
    assert reset not in again
    assert shelves.tags(1).count(tags.SECRET_SHOWN) == 1


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    "who", ["manager", "owner", "security", "compliance", "operator", "auditor", "outsider"]
)
def test_nobody_else_gets_it(web, cast, reset, who):
    browser = web.browser(getattr(cast, who))
    assert reset not in browser.get(PAGE, status=404)
    # An account that only audits is refused whatever changes something, before anybody looks what it is.
    assert reset not in browser.post(PAGE, status=403 if who == "auditor" else 404)


def test_it_is_kept_nowhere(web, cast, shelves, reset):
    browser = web.browser(cast.requester)
    browser.get(PAGE)
    assert reset in browser.post(PAGE)
    with shelves.db.reading() as session:
        for table in METADATA.sorted_tables:
            assert reset not in str(session.execute(select(table)).all()), table.name


def test_asked_for_twice_at_once_it_is_shown_once(cast, shelves, actor_of, reset):
    def ask(_):
        try:
            with shelves.db.transaction() as session:
                return show_secret(
                    session, actor_of(cast.requester), "SR-000001", secret_key=shelves.settings.secret_key
                )
        except Conflict:
            return ""

    with ThreadPoolExecutor(4) as asking:
        assert sorted(asking.map(ask, range(4))) == ["", "", "", reset]


def test_the_same_step_always_sets_the_same_and_another_another():
    first = one_time_secret("k" * 40, "SR-000001/1/sha256:5ea1")
    assert first == one_time_secret("k" * 40, "SR-000001/1/sha256:5ea1")
    assert re.fullmatch(r"([a-zA-Z2-9]{5}-){3}[a-zA-Z2-9]{5}", first)
    others = {one_time_secret("k" * 40, f"SR-{n:06}/1/x") for n in range(200)} | {
        one_time_secret("j" * 40, "SR-000001/1/sha256:5ea1")
    }
    assert len(others | {first}) == 202
