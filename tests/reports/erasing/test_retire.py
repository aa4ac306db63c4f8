"""Retention: what is over its time goes and is told of, what is on hold stays, and every proof still holds."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalog.attachments.store import FolderStore
from catalog.requests.model import Draft, Request
from portal.audit.model import Entry, PersonalValue
from portal.core.errors import SettingsError
from portal.core.retention import Retention
from portal.identity.model import Absence
from portal.identity.web_sessions import start_session
from portal.notifications.model import Message
from reports.erasing.holds import Target, place_hold
from reports.erasing.model import HoldKind
from reports.erasing.retire import due, retire
from reports.evidence.verify import Verification
from reports.evidence.verify.seals import check_seals
from tests.reports.conftest import evidence_in
from tests.reports.erasing.conftest import Leaving
from tests.reports.erasing.test_erase import file_holds, ledger_holds, still_named


def night(leaving: Leaving, kept: Retention) -> dict[str, int]:
    """One round; gives what went."""
    store = FolderStore(leaving.world.bench.settings.home / "uploads")
    return dict(retire(leaving.db, kept, evidence=leaving.world.bench.folder, store=store))


def test_a_request_s_record_goes_when_its_time_is_over_and_every_proof_still_holds(leaving: Leaving) -> None:
    world = leaving.world
    live, over = world.fulfilled(), world.rejected()
    with leaving.db.transaction() as session:
        session.add(
            Absence(person_id=world.cast.owner, first_day=world.clock().date(), last_day=world.clock().date())
        )
    world.clock.pass_time(days=3_651)
    old = world.file(over)
    with leaving.db.reading() as session:
        planned = {one.name: one.going for one in due(session, Retention())}
    assert planned["requests"] == 1 and planned["absences"] == 1 and planned["evidence"] == 0
    gone = night(leaving, Retention())
    # The drafts and mails of the request went with its record.
    assert (gone["requests"], gone["absences"]) == (1, 1)
    assert not old.exists()
    assert night(leaving, Retention()) == {}
    assert still_named(leaving.db, "smaller word first") == []
    ledger_holds(leaving)
    with leaving.db.reading() as session:
        request = session.scalars(select(Request).where(Request.reference == over)).one()
        assert (request.title, request.answers, request.plans) == ("Erased", {}, [])
        assert request.seal.startswith("sha256:")
        about = select(PersonalValue).join(Entry, Entry.number == PersonalValue.entry_number)
        assert session.scalars(about.where(Entry.subject == f"request:{over}")).all() == []
        assert session.scalars(about.where(Entry.subject == f"request:{live}")).all() != []
    file = world.file(over)
    evidence = evidence_in(file)
    assert evidence.ledger.entries[-1].body["tag"] == "record:erased"
    assert [decision.verdict for decision in evidence.decisions] == ["approve", "deny"]
    assert evidence.answers == ()
    file_holds(leaving, file)
    sealing = evidence.sealings[0].model_copy(update={"document": {"answers": {"word": "root"}}})
    result = Verification("put back")
    check_seals(evidence.model_copy(update={"sealings": (sealing,)}), result)
    assert "erased" in " ".join(check.sentence for check in result.checks if check.holds is False)


@pytest.mark.on_sqlite
def test_each_class_goes_by_its_own_days_and_tells_how_many(leaving: Leaving) -> None:
    world = leaving.world
    world.rejected()
    with leaving.db.transaction() as session:
        for message in session.scalars(select(Message).order_by(Message.id)):
            message.sent_at = world.clock()
        for number in range(3):
            session.add(
                Draft(
                    token=f"draft {number}",
                    person_id=world.cast.outsider,
                    offering_version_id=world.shelves.version_id,
                    answers={},
                    updated_at=world.clock(),
                )
            )
        row, _token = start_session(session, {})
        row.expires_at = world.clock()
    world.clock.pass_time(days=100)
    gone = night(leaving, Retention(mail=400))
    assert gone["sessions"] == 1
    assert gone["drafts"] >= 3 and "mail" not in gone
    gone = night(leaving, Retention(mail=50))
    assert gone["mail"] >= 1 and "drafts" not in gone
    with leaving.db.reading() as session:
        assert session.scalars(select(Message).where(Message.sent_at.is_not(None))).all() == []
        told = session.scalars(
            select(Entry.tag).where(Entry.subject == "retention").order_by(Entry.number)
        ).all()
    assert told == ["retention:erased"] * 3
    ledger_holds(leaving)


@pytest.mark.on_sqlite
@pytest.mark.parametrize("kind", [HoldKind.PERSON, HoldKind.REQUEST, HoldKind.UNIT, HoldKind.PERIOD], ids=str)
def test_what_is_on_hold_is_not_retired(leaving: Leaving, kind: HoldKind) -> None:
    world = leaving.world
    reference = world.rejected()
    today = world.clock().date()
    named = {HoldKind.PERSON: "rosa.requester", HoldKind.REQUEST: reference, HoldKind.UNIT: "holding"}
    with leaving.db.transaction() as session:
        target = Target(kind, named.get(kind, ""), first_day=today, last_day=today)
        place_hold(session, leaving.officer, target, "A court asked for it.")
    world.clock.pass_time(days=4_000)
    with leaving.db.reading() as session:
        (requests,) = [one for one in due(session, Retention()) if one.name == "requests"]
    assert (requests.going, requests.held) == (0, 1)
    assert "requests" not in night(leaving, Retention())
    with leaving.db.reading() as session:
        assert session.scalars(select(Request.title).where(Request.reference == reference)).one() != "Erased"
    ledger_holds(leaving)


def test_settings_say_how_long_and_refuse_what_would_empty_the_portal() -> None:
    assert Retention.from_environment({}) == Retention()
    assert Retention.from_environment({"RETENTION": "mail=30, drafts = 14"}).days()["drafts"] == 14
    for wrong in ("mail=0", "mail", "letters=30", "mail=six"):
        with pytest.raises(SettingsError, match="RETENTION"):
            Retention.from_environment({"RETENTION": wrong})
