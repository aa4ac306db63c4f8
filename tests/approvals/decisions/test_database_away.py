"""A database that is killed, or whose disk is full, while somebody decides: a clear page, nothing done, and on it goes."""

from __future__ import annotations

import html5lib
import pytest
from sqlalchemy import event, select, text

from approvals.decisions.model import Decision
from catalog.requests.states import State
from portal.audit.model import Entry
from tests.approvals.conftest import MANAGER_STAGE, Web
from tests.fixtures_servers import PostgresServer, wait_until

CARD = "/approvals/SR-000001"


def text_of(page: str) -> str:
    return " ".join(" ".join(html5lib.parse(page, namespaceHTMLElements=False).itertext()).split())


def decisions(web: Web) -> list[Decision]:
    with web.portal.db.reading() as session:
        return list(session.scalars(select(Decision).order_by(Decision.id)))


def entries(web: Web) -> int:
    with web.portal.db.reading() as session:
        return len(session.scalars(select(Entry.number)).all())


class TestPostgresqlIsKilled:
    @pytest.fixture
    def database_url(self, mortal_postgres: PostgresServer) -> str:
        return mortal_postgres.url("postgres")

    def test_pages_say_so_and_the_same_form_goes_through_once_it_is_back(
        self, web: Web, mortal_postgres: PostgresServer
    ) -> None:
        web.story.planned(MANAGER_STAGE)
        browser = web.browser(web.story.cast.manager)
        form = {**browser.form(CARD), "decision": "approve"}
        before = entries(web)

        def press() -> int:
            answer = browser.client.post(f"{CARD}/decision", data=form, headers={"Origin": browser.origin})
            if answer.status_code == 503:
                assert "Its database does not answer at the moment" in text_of(answer.get_data(as_text=True))
            return answer.status_code

        mortal_postgres.stop()
        assert [press(), press(), browser.get(CARD).status_code] == [503, 503, 503]
        assert browser.get("/health/live").status_code == 200
        assert browser.get("/health/ready").status_code == 503

        mortal_postgres.start()
        wait_until(lambda: browser.get("/health/ready").status_code == 200, "the pages are back", 30)
        assert (decisions(web), entries(web)) == ([], before)
        assert press() == 303
        assert web.story.see(1).state is State.SCHEDULED
        assert len(decisions(web)) == 1


def fill_the_disk(web: Web) -> None:
    """SQLite may take no page more; PostgreSQL says of the ledger's table what it says when its disk is full."""
    engine = web.portal.db.engine
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            pages = connection.scalar(text("PRAGMA page_count"))
        event.listen(engine, "connect", lambda raw, _entry: raw.execute(f"PRAGMA max_page_count = {pages}"))
        web.portal.db.dispose()
        return
    with web.portal.db.transaction() as session:
        session.execute(
            text(
                "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
            )
        )
        session.execute(
            text(
                "CREATE TRIGGER disk_full BEFORE INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION disk_full()"
            )
        )


def make_room(web: Web) -> None:
    engine = web.portal.db.engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda raw, _entry: raw.execute("PRAGMA max_page_count = 1073741823"))
        web.portal.db.dispose()
        return
    with web.portal.db.transaction() as session:
        session.execute(text("DROP TRIGGER disk_full ON ledger_entry"))
        session.execute(text("DROP FUNCTION disk_full"))


def test_with_a_full_disk_a_decision_fails_whole_and_is_made_when_there_is_room(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    browser = web.browser(web.story.cast.manager)
    form = {**browser.form(CARD), "decision": "approve", "comment": "Agreed. " * 200}
    before = entries(web)

    def press() -> int:
        return browser.client.post(
            f"{CARD}/decision", data=form, headers={"Origin": browser.origin}
        ).status_code

    fill_the_disk(web)
    assert press() == 503
    assert (decisions(web), entries(web)) == ([], before)
    assert web.story.see(1).state is State.PENDING

    make_room(web)
    assert press() == 303
    assert web.story.see(1).state is State.SCHEDULED
    assert len(decisions(web)) == 1
    assert entries(web) > before
