"""Erasing people: everything that named them is gone, and every proof still holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select, text

from catalog.attachments.store import FolderStore
from catalog.requests.model import Draft
from portal.audit.checkpoint import checkpoint
from portal.audit.model import Entry
from portal.audit.verify import verify_ledger
from portal.core.database import Database
from portal.core.errors import Conflict, Forbidden, NotFound
from portal.identity.erased import ISSUER
from portal.identity.model import Person
from portal.identity.people import find_person
from portal.tables import METADATA
from reports.erasing.erase import erase, find, preview, remove_files
from reports.erasing.holds import Target, lift_hold, place_hold
from reports.erasing.model import HoldKind
from reports.erasing.places import PLACES, STAYS
from reports.evidence import make
from reports.evidence.verify import Trusted, Verification, verify_file
from reports.evidence.verify.proofs import check_ledger
from reports.evidence.verify.seals import check_seals
from reports.evidence.verify.story import check_story
from reports.records.verify import verify_records
from tests.reports.conftest import evidence_in
from tests.reports.erasing.conftest import Leaving
from tests.reports.verifier.twice import read_twice, wrong_at_first, wrong_in_the_end


def ledger_holds(leaving: Leaving) -> None:
    """The ledger, and the records beside it."""
    db, signer = leaving.db, leaving.world.bench.signer
    checkpoint(db, signer)
    assert verify_ledger(db, name=signer.name, keys=signer.public_keys, folder=None).findings == []
    found = verify_records(db, store=None, evidence=leaving.world.bench.folder)
    # The world's first offering was written without being published.
    assert [one for one in found if one.table != "offering_version"] == []


def file_holds(leaving: Leaving, file: Path) -> None:
    """By `countersign verify` and by the two files that bundles carry."""
    verifier = leaving.world.bench.signer.verifier
    said = verify_file(file, trusted=Trusted.of([verifier]))
    assert [check for check in said.checks if check.holds is False] == []
    assert said.proven
    single = read_twice(file.read_bytes(), verifier)
    assert [check for check in single.checks if check[1] is False] == []
    assert single.proven


def still_named(db: Database, *words: str) -> list[str]:
    """Every column of every table in which one of these words stands."""
    found = []
    with db.engine.connect() as connection:
        for table in METADATA.sorted_tables:
            for column in table.columns:
                for word in words:
                    statement = text(
                        f'SELECT count(*) FROM "{table.name}" WHERE CAST("{column.name}" AS TEXT) LIKE :word'
                    )
                    if connection.execute(statement, {"word": f"%{word}%"}).scalar():
                        found.append(f"{table.name}.{column.name}: {word}")
    return found


def test_an_approver_is_erased_and_every_proof_still_holds(leaving: Leaving) -> None:
    world = leaving.world
    reference = world.fulfilled()
    before = world.file(reference)
    manager = world.cast.manager
    leaving.leaves(manager)
    with leaving.db.reading() as session:
        shown = preview(session, find(session, "milo.manager"))
    assert shown.in_the_way == ()
    assert {"person", "decision", "personal_value", "message"} <= {going.table for going in shown.going}
    old = before.read_bytes()
    done = leaving.erased(manager)
    remove_files(
        leaving.db,
        done,
        evidence=world.bench.folder,
        store=FolderStore(world.bench.settings.home / "uploads"),
    )
    assert not before.exists()
    assert still_named(leaving.db, "Milo", "milo.manager", "for the quarter") == []
    ledger_holds(leaving)
    after = world.file(reference)
    evidence = evidence_in(after)
    assert [evidence.person(one.person) for one in evidence.decisions] == [
        f"Erased person {manager}",
        "Olga Owner",
    ]
    assert evidence.decisions[0].comment == ""
    assert [entry.body["tag"] for entry in evidence.ledger.entries][-1] == "person:erased"
    file_holds(leaving, after)
    single = read_twice(after.read_bytes())
    assert [holds for name, holds, _ in single.checks if name == "signature"] == [True, None, True]
    unsaid = evidence.model_copy(
        update={"ledger": evidence.ledger.model_copy(update={"entries": evidence.ledger.entries[:-1]})}
    )
    result = Verification("unsaid")
    check_seals(unsaid, result)
    assert "approval chain" in " ".join(check.sentence for check in result.checks if check.holds is False)
    # What was handed out before still holds, too.
    copy = after.with_name("copy.pdf")
    copy.write_bytes(old)
    file_holds(leaving, copy)


@pytest.mark.on_sqlite
def test_the_entry_tells_of_tables_and_counts_and_of_nothing_personal(leaving: Leaving) -> None:
    world = leaving.world
    world.rejected()
    requester = world.cast.requester
    leaving.leaves(requester)
    leaving.erased(requester)
    with leaving.db.reading() as session:
        entry = session.scalars(select(Entry).order_by(Entry.number.desc()).limit(1)).one()
        person = session.get_one(Person, requester)
    body = json.loads(entry.body)
    assert (entry.tag, entry.subject) == ("person:erased", f"erasure:person:{requester}")
    assert body["facts"]["rows"]["person"] == 1
    assert body["personal"] == {} and "Rosa" not in entry.body
    assert body["rows"].startswith("sha256:")
    assert (person.name, person.issuer, person.active) == (f"Erased person {requester}", ISSUER, False)
    ledger_holds(leaving)


@pytest.mark.on_sqlite
def test_a_requester_whose_right_has_ended_is_erased_with_drafts_and_reasons(leaving: Leaving) -> None:
    world = leaving.world
    reference = world.ended()
    requester = world.cast.requester
    with leaving.db.transaction() as session:
        session.add(
            Draft(
                token="a draft of hers",
                person_id=requester,
                offering_version_id=world.shelves.version_id,
                answers={"reason": "Rosa wants it."},
                updated_at=world.clock(),
            )
        )
    leaving.leaves(requester)
    leaving.erased(requester)
    assert still_named(leaving.db, "Rosa Requester", "rosa.requester@", "Rosa wants") == []
    # The account's name stands in what was sealed and done, until the request's retention is over.
    assert still_named(leaving.db, "rosa.requester") == [
        f"{place}: rosa.requester"
        for place in ("request.plans", "sealing.document", "step.plan", "entitlement.facts")
    ]
    ledger_holds(leaving)
    # Without laying pages out, which the approver's test does.
    evidence, _request_id = make._gather_now(world.bench, reference, world.key)
    result = Verification("facts")
    for check in (check_ledger, check_seals, check_story):
        check(evidence, result)
    assert [check for check in result.checks if check.holds is False] == []
    facts = evidence.model_dump(mode="json")
    assert wrong_at_first(facts) + wrong_in_the_end(facts) == []


@pytest.mark.on_sqlite
def test_whoever_has_open_duties_is_not_erased_and_it_is_said_why(leaving: Leaving) -> None:
    world = leaving.world
    world.fulfilled()
    world.asked(word="other")
    with leaving.db.reading() as session:
        reasons = " ".join(preview(session, find(session, "rosa.requester")).in_the_way)
        approver = " ".join(preview(session, find(session, "milo.manager")).in_the_way)
    assert "The account is active" in reasons and "SR-000002" in reasons and "Live entitlements: 1" in reasons
    assert "Approval stages" in approver and "Active people whose manager they are" in approver
    with pytest.raises(Conflict, match="active"):
        leaving.erased(world.cast.requester)
    ledger_holds(leaving)


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    "target",
    [
        Target(HoldKind.PERSON, "milo.manager"),
        Target(HoldKind.REQUEST, "SR-000001"),
        Target(HoldKind.UNIT, "holding"),
    ],
    ids=lambda target: target.kind.value,
)
def test_who_is_on_hold_is_kept_until_somebody_else_lifts_it(leaving: Leaving, target: Target) -> None:
    world = leaving.world
    world.rejected()
    manager = world.cast.manager
    leaving.leaves(manager)
    with leaving.db.transaction() as session:
        hold = place_hold(session, leaving.officer, target, "A court asked for it.").id
    with pytest.raises(Conflict, match="hold"):
        leaving.erased(manager)
    with pytest.raises(Conflict, match="somebody else"), leaving.db.transaction() as session:
        lift_hold(session, leaving.officer, hold, "It is over.")
    with pytest.raises(Forbidden), leaving.db.transaction() as session:
        lift_hold(session, world.actor_of(world.cast.outsider), hold, "I want to.")
    other = world.actor_of(world.cast.security)
    with leaving.db.transaction() as session:
        roles = other.roles | {"compliance"}
        lift_hold(
            session, type(other)(name=other.name, person_id=other.person_id, roles=roles), hold, "Over."
        )
    leaving.erased(manager)
    ledger_holds(leaving)


@pytest.mark.on_sqlite
def test_erasing_needs_the_right_and_a_person_who_is_there(leaving: Leaving) -> None:
    world = leaving.world
    with pytest.raises(Forbidden), leaving.db.transaction() as session:
        erase(session, world.actor_of(world.cast.outsider), world.cast.leaver)
    leaving.erased(world.cast.leaver)
    with pytest.raises(NotFound):
        leaving.erased(world.cast.leaver)
    with leaving.db.reading() as session, pytest.raises(NotFound):
        find(session, "lena.leaver")
    with leaving.db.reading() as session:
        # Whoever signs in with that identity again is a stranger.
        assert find_person(session, issuer="https://sso.test", subject="s-leaver") is None


def test_every_table_that_points_at_people_is_in_the_list() -> None:
    pointing = {
        table.name
        for table in METADATA.sorted_tables
        if any(key.column.table.name == "person" for key in table.foreign_keys)
    }
    known = {place.table for place in PLACES} | set(STAYS) | {"person"}
    assert pointing - known == set()
    assert known - {table.name for table in METADATA.sorted_tables} == set()
