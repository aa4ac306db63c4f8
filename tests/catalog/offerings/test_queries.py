from contextlib import contextmanager

import pytest
from sqlalchemy import event

from catalog.offerings import queries
from catalog.offerings.publish import publish
from catalog.offerings.queries import ChangedText, document_of, get_current_version, published_versions
from portal.core.errors import NotFound
from tests.fixtures_once import written_once


@pytest.fixture
def author(cast, actor_of):
    return actor_of(cast.operator)


@pytest.fixture
def many(db, author, small):
    """Twenty offerings of two versions each; one of them is retired."""

    def write() -> None:
        for number in range(20):
            text = small.replace("slug: small-thing", f"slug: thing-{number:02}")
            with db.transaction() as session:
                publish(session, author, text, "a.yaml")
            with db.transaction() as session:
                version = publish(session, author, text.replace("target: 2d", "target: 3d"), "a.yaml")
                version.offering.retired = number == 7

    written_once(db, "twenty offerings of two versions each", write)


@contextmanager
def statements(db):
    seen = []

    def count(connection, cursor, statement, *more):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    yield seen
    event.remove(db.engine, "before_cursor_execute", count)


@pytest.mark.on_sqlite
def test_the_published_versions_are_the_newest_of_each_in_one_statement(db, many):
    with db.reading() as session, statements(db) as seen:
        versions = published_versions(session)
        assert [version.offering.slug for version in versions] == [
            f"thing-{n:02}" for n in range(20) if n != 7
        ]
        assert {version.number for version in versions} == {2}
        assert {document_of(version).target for version in versions} == {"3d"}
    assert len(seen) == 1


@pytest.mark.on_sqlite
def test_the_current_version_is_one_statement(db, many):
    with db.reading() as session, statements(db) as seen:
        assert get_current_version(session, "thing-03").number == 2
    assert len(seen) == 1


@pytest.mark.on_sqlite
@pytest.mark.parametrize("slug", ["unheard-of", "thing-07", "../etc", "THING-03"])
def test_an_unknown_or_retired_offering_is_not_found_with_a_sentence(db, many, slug):
    with db.reading() as session, pytest.raises(NotFound, match="no such service in the catalogue"):
        get_current_version(session, slug)


def test_a_document_is_read_once_for_each_digest(db, author, small):
    with db.transaction() as session:
        publish(session, author, small, "small.yaml")
    with db.reading() as session:
        first = document_of(get_current_version(session, "small-thing"))
    with db.reading() as session:
        assert document_of(get_current_version(session, "small-thing")) is first


@pytest.mark.on_sqlite
def test_a_text_that_was_changed_in_the_database_is_refused(db, author, small):
    with db.transaction() as session:
        version = publish(session, author, small, "small.yaml")
        version_id = version.id
    queries._documents.clear()
    with db.reading() as session:
        version = session.get_one(type(version), version_id)
        version.document = {**version.document, "longest_days": 3000}
        with pytest.raises(ChangedText, match="not the one that was published"):
            document_of(version)
