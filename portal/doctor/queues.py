"""Whether somebody serves every queue that the settings name, or where tasks wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from portal.core.database import Database
from portal.core.settings import Settings
from portal.doctor.check import Check, ok, warn
from portal.jobs.attendance import ABSENT_AFTER, unserved_queues
from portal.jobs.model import Attendance

NAME = "Queues"


def check_queues(settings: Settings) -> Iterator[Check]:
    """One line for each queue without a worker; a queue of QUEUES counts before anything waits there."""
    db = Database(settings.database_url)
    try:
        with db.reading() as session:
            waiting = unserved_queues(session)
            seen = {row.queue: row.seen_at for row in session.scalars(select(Attendance))}
    except SQLAlchemyError as error:
        yield warn(NAME, f"cannot be read: {str(error).splitlines()[0]}", "See the line of the database.")
        return
    finally:
        db.dispose()
    late = datetime.now(UTC) - ABSENT_AFTER
    named = dict.fromkeys(queue for _connector, queue in settings.queues)
    absent = [queue for queue in named if queue not in seen or seen[queue] < late]
    for queue, tasks, since in waiting:
        yield warn(
            NAME,
            f"{tasks} waiting on {queue} since {since:%Y-%m-%d %H:%M} UTC, and nobody serves it",
            f"Start: countersign worker --queue {queue}",
        )
    for queue in absent:
        if queue not in {line.queue for line in waiting}:
            yield warn(NAME, f"nobody serves {queue}", f"Start: countersign worker --queue {queue}")
    if not waiting and not absent:
        yield ok(NAME, f"served: {', '.join(sorted(seen))}" if seen else "nothing waits in vain")
