"""`countersign offerings replay`: the replay of a file, and how it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from sqlalchemy import select

from catalog.offerings.problems import OfferingFileError
from catalog.offerings.reading import read_offering
from catalog.versions.replay import replay
from catalog.versions.report import Report
from catalog.versions.routes import MakeRoutes
from catalog.versions.told import told
from portal.core.database import Database
from portal.core.errors import PortalError
from portal.identity.model import Person


def replay_file(
    db: Database,
    file: Path,
    *,
    make_routes: MakeRoutes,
    since: datetime | None,
    limit: int | None,
    publisher: str | None,
    progress: Callable[[int, int], None],
) -> Report:
    """Replay the offering in the file. Raises PortalError with every problem of the file."""
    try:
        document = read_offering(file.read_bytes(), str(file))
    except OfferingFileError as error:
        raise PortalError(str(error)) from error
    return replay(
        db,
        document,
        make_routes=make_routes,
        publisher_id=_publisher(db, publisher) if publisher else None,
        since=since.replace(tzinfo=UTC) if since else None,
        most=limit,
        progress=progress,
    )


def printed(report: Report) -> Iterator[Any]:
    """The result as lines and tables of a terminal."""
    result = told(report)
    yield result.basis
    answers = Table(show_header=False, box=None, pad_edge=False)
    for question, answer in result.summary:
        answers.add_row(question, answer)
    yield answers
    for finding in result.tables:
        made = Table(title=finding.title, title_justify="left", header_style="bold")
        for column in finding.columns:
            name, is_number = (column, False) if isinstance(column, str) else (column[0], True)
            made.add_column(name, justify="right" if is_number else "left")
        for row in finding.rows:
            made.add_row(*(f"{cell:,}" if isinstance(cell, int) else cell for cell in row))
        yield made
    if result.unknown:
        yield "What could not be worked out again:"
        yield from (f"  {sentence}" for sentence in result.unknown)


def _publisher(db: Database, user_name: str) -> int:
    with db.reading() as session:
        found = session.scalar(select(Person.id).where(Person.user_name == user_name, Person.active))
    if found is None:
        raise PortalError(f"Nobody active is called {user_name!r}.")
    return found
