"""Writing, changing and discarding drafts: kept whatever is wrong with them, told to the ledger."""

from __future__ import annotations

import pytest

from catalog.versions import drafting
from catalog.versions.drafting import check, discard, draft, rewrite, written
from catalog.versions.model import DraftState, OfferingDraft
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound


@pytest.mark.on_sqlite
def test_a_draft_is_kept_with_its_digest_and_an_entry(office):
    draft_id = office.drafted("longest_days: 60", "longest_days: 30")
    with office.db.reading() as session:
        kept = session.get_one(OfferingDraft, draft_id)
        assert (kept.slug, kept.state, kept.author_id) == (
            "small-thing",
            DraftState.WRITING,
            office.cast.operator,
        )
        assert kept.digest.startswith("sha256:")
    (entry,) = office.entries("offering:drafted")
    assert kept.digest in entry
    assert f"person:{office.cast.operator}" in entry


@pytest.mark.on_sqlite
def test_a_broken_text_is_kept_as_it_was_typed_and_its_problems_have_places(office):
    text = office.text("owner: crm-owners", "onwer: crm-owners")
    draft_id = office.drafted(text=text)
    with office.db.reading() as session:
        kept = session.get_one(OfferingDraft, draft_id)
    assert (kept.source, kept.digest) == (text, "")
    problem = next(problem for problem in check("small-thing", text).problems if "onwer" in problem.field)
    assert str(problem).startswith("draft.yaml:6:1: ")
    assert "did you mean 'owner'" in problem.message


@pytest.mark.on_sqlite
def test_a_draft_of_an_offering_keeps_its_slug(office):
    (problem,) = check("small-thing", office.text("slug: small-thing", "slug: other")).problems
    assert (problem.line, problem.field) == (1, "slug")
    assert "stays 'small-thing'" in problem.message


def test_a_new_offerings_slug_is_the_one_in_its_text_once_it_reads(office):
    with office.db.transaction() as session:
        made = draft(session, office.author, "", "slug: [")
        assert made.slug == ""
        rewrite(session, office.author, made.id, office.text("slug: small-thing", "slug: brand-new"))
        assert made.slug == "brand-new"
    assert len(office.entries("offering:drafted")) == 2


@pytest.mark.on_sqlite
def test_only_the_author_changes_or_discards_a_draft(office):
    draft_id = office.drafted()
    for change in (
        lambda s: rewrite(s, office.publisher, draft_id, "x: 1"),
        lambda s: discard(s, office.publisher, draft_id),
    ):
        with pytest.raises(Forbidden, match="Only its author"), office.db.transaction() as session:
            change(session)


@pytest.mark.on_sqlite
def test_only_catalogue_owners_write(office):
    for person in (office.cast.requester, office.cast.auditor, office.cast.security):
        with pytest.raises(Forbidden, match="catalogue owners"), office.db.transaction() as session:
            draft(session, office.actor_of(person), "small-thing", "x: 1")


@pytest.mark.on_sqlite
def test_saving_the_same_text_again_says_nothing_to_the_ledger(office):
    draft_id = office.drafted()
    with office.db.transaction() as session:
        rewrite(session, office.author, draft_id, office.text())
    assert len(office.entries("offering:drafted")) == 1


def test_a_discarded_draft_changes_no_more(office):
    draft_id = office.drafted()
    with office.db.transaction() as session:
        discard(session, office.author, draft_id)
    assert len(office.entries("offering:discarded")) == 1
    with pytest.raises(Conflict, match="was discarded"), office.db.transaction() as session:
        rewrite(session, office.author, draft_id, "x: 1")
    with pytest.raises(NotFound), office.db.transaction() as session:
        discard(session, office.author, 999)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("text", ["", "  \n", "a: " + "x" * drafting.LARGEST, "a: \x00"])
def test_what_cannot_be_an_offering_is_not_kept(office, text):
    with pytest.raises(FieldError), office.db.transaction() as session:
        draft(session, office.author, "small-thing", text)


def test_line_ends_of_browsers_become_those_of_files():
    assert written("\ufeffa: 1\r\nb: 2\rc: 3\n") == "a: 1\nb: 2\nc: 3\n"
