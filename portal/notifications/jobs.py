"""The task that sends one message."""

from __future__ import annotations

from datetime import timedelta

from portal.core.clock import now
from portal.core.errors import SettingsError
from portal.identity.model import Person
from portal.jobs import Job, TaskError, enqueue
from portal.jobs.model import TRIES
from portal.notifications import checkpoints
from portal.notifications.envelope import BadAddress, make_mail
from portal.notifications.model import Message
from portal.notifications.smtp import SendingFailed, read_smtp_url, send
from portal.notifications.write import SEND_MAIL

#: A mail server may be away for so long before a mail is given up and the operators are shown it.
PATIENCE = timedelta(days=2)
#: After a task's own tries, which take half a minute, the next round begins so much later.
FIRST_ROUND = timedelta(minutes=1)
LONGEST_ROUND = timedelta(minutes=15)


def send_mail(job: Job) -> None:
    """Send the message that the task names, unless it was sent. Raises TaskError when it could not be.

    A mail server that is away for longer than the task's tries gets another task later: it is not the mail's
    fault, and the queue shows operators only what will not mend itself.
    """
    with job.reading() as session:
        message = session.get(Message, int(job.payload["message"]))
        if message is None:
            raise TaskError(f"Message {job.payload['message']} is not there.", permanent=True)
        if message.sent_at is not None:
            return
        person = session.get(Person, message.person_id) if message.person_id else None
        name = person.name if person else ""
    try:
        server = read_smtp_url(job.settings.smtp_url)
        mail = make_mail(
            message_id=message.message_id,
            sender=job.settings.mail_from,
            recipient_name=name,
            address=message.address,
            subject=message.subject_line,
            text=message.text,
            html=message.html,
            written_at=message.created_at,
            public_url=job.settings.public_url,
            urgent=bool(job.payload.get("urgent")),
            file_name=message.file_name,
            file_text=message.file_text,
        )
        send(server, mail)
    except SettingsError as error:
        raise TaskError(str(error)) from error
    except BadAddress as error:
        raise TaskError(str(error), permanent=True) from error
    except SendingFailed as error:
        if not error.permanent and job.attempts >= TRIES and _next_round(job, message):
            return
        raise TaskError(error.message, permanent=error.permanent) from error
    with job.transaction() as session:
        sent = session.get_one(Message, message.id)
        sent.sent_at = now(session)
        checkpoints.on_sent(session, sent)
        job.finish(session)


def _next_round(job: Job, message: Message) -> bool:
    """Begin another round of tries later, in place of this task; False when patience is at its end."""
    number = int(job.payload.get("round", 0)) + 1
    with job.transaction() as session:
        at = now(session)
        if at - message.created_at > PATIENCE:
            return False
        pause = min(FIRST_ROUND * 2 ** min(number - 1, 10), LONGEST_ROUND)
        enqueue(
            session,
            SEND_MAIL,
            {**job.payload, "round": number},
            run_at=at + pause,
            dedupe_key=f"{SEND_MAIL}:{message.id}:{number}",
        )
        job.finish(session)
    return True
