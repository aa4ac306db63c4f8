"""Checkpoints by mail: what arrives is the note byte for byte, and only what was sent counts as held."""

from __future__ import annotations

import base64
import email
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.audit.holders.configured import Holders
from portal.audit.holders.events import CheckpointMailDue
from portal.audit.holders.hand_over import due_holders, hand_to, mail_out_now
from portal.audit.holders.mail import MailHolder
from portal.core.database import Database
from portal.core.settings import Settings
from portal.jobs import Workshop
from portal.jobs.runner import run_due
from portal.notifications import checkpoints
from portal.notifications import jobs as mail_jobs
from portal.notifications.model import Message
from portal.notifications.write import SEND_MAIL
from tests.fixtures_mailbox import Mailbox
from tests.fixtures_people import StandingClock
from tests.portal.audit.holders.ledger import Ledger

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def db(db: Database) -> Database:
    """With the reaction that writes the mail."""
    db.info["handlers"] = {CheckpointMailDue: (checkpoints.on_checkpoint_mail_due,)}
    return db


@pytest.fixture
def workshop(db: Database, database_url: str, development_mailbox: Mailbox) -> Workshop:
    settings = Settings.from_environment(
        {"DATABASE_URL": database_url, "SMTP_URL": development_mailbox.smtp_url}
    )
    return Workshop(db=db, settings=settings, handlers={SEND_MAIL: mail_jobs.send_mail})


def test_an_auditor_gets_the_note_as_a_file_and_holds_it_once_it_is_sent(
    ledger: Ledger, workshop: Workshop, development_mailbox: Mailbox, tmp_path: Path
) -> None:
    holder = MailHolder("Ada.Auditor@examiner.example")
    row = ledger.grow(4)
    assert hand_to(ledger.db, holder)
    assert (ledger.state(holder).given, ledger.state(holder).size) == (4, 0), "written, and on its way"
    run_due(workshop)
    assert ledger.state(holder).size == 4
    (mail,) = development_mailbox.mails()
    assert mail["subject"] == "Checkpoint of 4 entries of portal.test/ledger"
    (path,) = (tmp_path / "mail").glob("*.eml")
    parts = {part.get_filename(): part for part in email.message_from_bytes(path.read_bytes()).walk()}
    attached = parts["checkpoint-000000000004.note"]
    assert attached["Content-Transfer-Encoding"] == "base64"
    assert base64.b64decode(str(attached.get_payload())) == row.note.encode()
    with ledger.db.reading() as session:
        message = session.scalars(select(Message)).one()
    assert row.root.hex() in message.text and "keep this mail" in message.text


def test_a_mail_goes_out_once_a_day_and_after_an_audit_report(ledger: Ledger, clock: StandingClock) -> None:
    holder = MailHolder("auditor@examiner.example", every=timedelta(hours=24))
    holders = Holders((holder,))

    def due() -> bool:
        with ledger.db.reading() as session:
            return due_holders(session, holders) == [holder.key]

    ledger.grow(1)
    assert due() and hand_to(ledger.db, holder)
    ledger.grow(1)
    assert not due(), "not twice a day"
    clock.pass_time(hours=23, minutes=59)
    assert not due()
    clock.pass_time(minutes=1)
    assert due() and hand_to(ledger.db, holder)
    assert not due()
    ledger.grow(1)
    with ledger.db.transaction() as session:
        mail_out_now(session)
    assert due() and hand_to(ledger.db, holder)
    assert not due()
    with ledger.db.reading() as session:
        sizes = session.scalars(select(Message.reference).order_by(Message.id)).all()
    assert sizes == ["1", "2", "3"]
