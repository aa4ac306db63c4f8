import pytest
from sqlalchemy import func, select

from catalog.offerings.model import Offering, OfferingVersion
from catalog.offerings.publish import publish, publish_folder
from catalog.offerings.queries import document_of
from catalog.offerings.reading import OfferingFileError
from portal.audit.model import Entry
from portal.core.assets import services_folder


@pytest.fixture
def author(cast, actor_of):
    return actor_of(cast.operator)


def entries(session):
    return session.scalars(
        select(Entry).where(Entry.tag == "offering:published").order_by(Entry.number)
    ).all()


@pytest.mark.on_sqlite
def test_publishing_makes_the_first_version_and_an_entry(db, author, small, clock):
    with db.transaction() as session:
        version = publish(session, author, small, "small.yaml")
        assert (version.number, version.offering.slug) == (1, "small-thing")
    with db.reading() as session:
        kept = session.scalars(select(OfferingVersion)).one()
        assert kept.digest == document_of(kept).digest
        assert kept.source == small
        assert (kept.author_id, kept.publisher_id) == (author.person_id, author.person_id)
        assert kept.published_at == clock()
        (entry,) = entries(session)
        assert "small-thing" in str(entry.body)
        assert kept.digest in str(entry.body)


@pytest.mark.on_sqlite
def test_the_same_text_again_makes_no_version_and_no_entry(db, author, small):
    for text in (small, f"# only a comment\n{small}", small.encode()):
        with db.transaction() as session:
            assert publish(session, author, text, "small.yaml").number == 1
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(OfferingVersion)) == 1
        assert len(entries(session)) == 1


@pytest.mark.on_sqlite
def test_another_text_makes_the_next_version_and_leaves_the_first_as_it_was(db, author, small):
    with db.transaction() as session:
        first = publish(session, author, small, "small.yaml")
    with db.transaction() as session:
        second = publish(session, author, small.replace("longest_days: 60", "longest_days: 30"), "small.yaml")
        assert second.number == 2
        assert second.offering_id == first.offering_id
    with db.reading() as session:
        assert document_of(session.get_one(OfferingVersion, first.id)).longest_days == 60
        assert len(entries(session)) == 2


@pytest.mark.on_sqlite
def test_going_back_to_an_older_text_is_a_version_of_its_own(db, author, small):
    other = small.replace("longest_days: 60", "longest_days: 30")
    numbers = []
    for text in (small, other, small):
        with db.transaction() as session:
            numbers.append(publish(session, author, text, "small.yaml").number)
    assert numbers == [1, 2, 3]


def test_a_retired_offering_comes_back_with_a_version_of_its_own(db, author, small):
    with db.transaction() as session:
        publish(session, author, small, "small.yaml").offering.retired = True
    with db.transaction() as session:
        assert publish(session, author, small, "small.yaml").number == 2
    with db.reading() as session:
        assert session.scalars(select(Offering)).one().retired is False


@pytest.mark.on_sqlite
def test_an_author_may_be_another_person_than_the_publisher(db, author, cast, small):
    with db.transaction() as session:
        version = publish(session, author, small, "small.yaml", author_id=cast.owner)
        assert (version.author_id, version.publisher_id) == (cast.owner, cast.operator)


@pytest.mark.on_sqlite
def test_a_broken_text_publishes_nothing(db, author, small):
    with pytest.raises(OfferingFileError), db.transaction() as session:
        publish(session, author, small.replace("owner:", "onwer:"), "small.yaml")
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Offering)) == 0
        assert entries(session) == []


def test_the_shipped_folder_is_published_whole_and_once(db, author):
    with db.transaction() as session:
        published = publish_folder(session, author, services_folder())
    assert {"application-access", "firewall-rule", "tls-certificate"} <= {one.slug for one in published}
    assert all(one.new and one.number == 1 for one in published)
    with db.transaction() as session:
        again = publish_folder(session, author, services_folder())
    assert not any(one.new for one in again)
    assert [one.digest for one in again] == [one.digest for one in published]


@pytest.mark.on_sqlite
def test_a_folder_with_one_broken_file_publishes_none_of_them(db, author, small, tmp_path):
    (tmp_path / "a.yaml").write_text(small)
    (tmp_path / "b.yaml").write_text(
        small.replace("slug: small-thing", "slug: other").replace("summary:", "sumary:")
    )
    with pytest.raises(OfferingFileError, match="sumary"), db.transaction() as session:
        publish_folder(session, author, tmp_path)
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Offering)) == 0
