"""A file of orders: kept, checked row by row, and sent as a whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.answers import WHOLE_FORM, check_answers
from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.ordering.bulk.columns import columns_in, columns_of, takes_bulk
from catalog.ordering.bulk.reading import read_rows
from catalog.ordering.model import BulkOrder
from catalog.ordering.several import place
from catalog.requests.checking import form_context_of
from catalog.requests.context import context_for
from catalog.requests.drafts import new_token
from catalog.requests.duplicates import likeness_in, open_duplicate, sentence_about
from catalog.requests.model import OrderGroup
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.errors import Conflict, FieldErrors, NotFound, PortalError
from portal.core.language import _, spoken
from portal.core.text import header_safe
from portal.identity.actor import Actor
from portal.identity.model import Person

#: How many files that were not sent a person may have; the oldest one goes.
MOST_KEPT = 5
LONGEST_NAME = 200
_LISTS = frozenset({"host_names", "networks"})


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in one cell, or in a row as a whole (`column` is empty)."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row that could be sent."""

    row: int
    title: str
    beneficiary: str
    answers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """Every row, and everything that is wrong; with one problem nothing can be sent."""

    rows: tuple[CheckedRow, ...]
    problems: tuple[RowProblem, ...]
    count: int
    #: Of what the file says, by which the page that shows it is known again.
    digest: str

    @property
    def answers(self) -> list[Mapping[str, Any]]:
        """The answers of each row, in order."""
        return [row.answers for row in self.rows]


def keep_file(
    session: Session, actor: Actor, version: OfferingVersion, *, filename: str, content: bytes, key: str
) -> BulkOrder:
    """Read the file and keep its rows until they are sent. Raises PortalError with what is wrong with the file."""
    document = document_of(version)
    if not takes_bulk(document):
        raise NotFound(_("This service cannot be ordered from a file."))
    header, rows = read_rows(content, filename)
    columns = columns_in(document, header)
    raw = [
        [
            number,
            {
                column.name: _typed(document, column.name, cell)
                for column, cell in zip(columns, cells, strict=False)
                if column is not None and cell.strip()
            },
        ]
        for number, cells in rows
    ]
    _make_room(session, actor)
    kept = BulkOrder(
        token=new_token(actor.person_id or 0, key),
        person_id=actor.person_id,
        offering_version_id=version.id,
        filename=header_safe(filename)[:LONGEST_NAME] or "file",
        rows=raw,
        created_at=now(session),
    )
    session.add(kept)
    session.flush()
    return kept


def get_file(session: Session, actor: Actor, token: str) -> BulkOrder:
    """The actor's file under this token. Raises NotFound."""
    found = session.scalars(
        select(BulkOrder).where(BulkOrder.token == token, BulkOrder.person_id == actor.person_id)
    ).one_or_none()
    if found is None:
        raise NotFound(_("There is no such file, or it is not yours. Upload it again."))
    return found


def check_file(
    session: Session, actor: Actor, kept: BulkOrder, version: OfferingVersion, connectors: Connectors
) -> CheckedFile:
    """Check every row as a form is checked, and each against the others; changes nothing."""
    person, context = form_context_of(session, actor, connectors)
    document = document_of(version)
    labels = {column.name: column.label for column in columns_of(document.spoken())}
    rows: list[CheckedRow] = []
    problems: list[RowProblem] = []
    seen: dict[str, int] = {}
    for number, raw in kept.rows:
        try:
            answers = check_answers(document, raw, context)
            rows.append(_checked(session, version, person, number=number, answers=answers, seen=seen))
        except FieldErrors as error:
            problems += [
                RowProblem(number, labels.get(problem.field, ""), spoken(problem.message))
                for problem in error.errors
            ]
        except PortalError as error:
            problems.append(RowProblem(number, WHOLE_FORM, spoken(error.sentence)))
    return CheckedFile(tuple(rows), tuple(problems), len(kept.rows), digest(kept.rows))


def send_file(
    session: Session, actor: Actor, token: str, version: OfferingVersion, answers: Sequence[Mapping[str, Any]]
) -> OrderGroup:
    """Make a request of every row. Sent twice it is the same order.

    Raises NotFound for a file that is not the actor's, Conflict when the service changed or something is asked for
    already, FieldErrors for a rule across fields; then no request was made.
    """
    kept = session.scalars(
        select(BulkOrder)
        .where(BulkOrder.token == token, BulkOrder.person_id == actor.person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if kept is None:
        raise NotFound(_("There is no such file, or it is not yours. Upload it again."))
    if kept.order_group_id is not None:
        return session.get_one(OrderGroup, kept.order_group_id)
    if len(answers) != len(kept.rows):
        raise Conflict(_("The file changed while it was being sent. Look it over and send it again."))
    group = place(session, actor, token, version, answers)
    kept.order_group_id = group.id
    # The answers are the requests' own from now on.
    kept.rows = []
    return group


def _checked(
    session: Session,
    version: OfferingVersion,
    person: Person,
    *,
    number: int,
    answers: Mapping[str, Any],
    seen: dict[str, int],
) -> CheckedRow:
    """Raises PortalError where the row asks for what another row, or an open request, asks for."""
    context = context_for(session, version, answers, requester=person, at=now(session))
    likeness = likeness_in(context)
    if likeness and likeness in seen:
        raise Conflict(_("Row %(seen)s asks for the same. Delete one of the two.", seen=seen[likeness]))
    if sentence := sentence_about(open_duplicate(session, context)):
        raise Conflict(sentence)
    if likeness:
        seen[likeness] = number
    return CheckedRow(number, spoken(context.title), context.beneficiary.name, answers)


def _typed(document: OfferingDocument, name: str, cell: str) -> Any:
    """A cell as the form would have sent it: several values are parted by semicolons or lines."""
    field = document.find_field(name)
    if field is not None and field.kind == "some_of":
        return [part.strip() for part in cell.replace("\n", ";").split(";") if part.strip()]
    if field is not None and field.kind in _LISTS:
        return cell.replace(";", "\n")
    if field is not None and field.kind == "boolean":
        return cell.strip().casefold()
    return cell


def _make_room(session: Session, actor: Actor) -> None:
    unsent = session.scalars(
        select(BulkOrder.id)
        .where(BulkOrder.person_id == actor.person_id, BulkOrder.order_group_id.is_(None))
        .order_by(BulkOrder.id.desc())
        .offset(MOST_KEPT - 1)
    ).all()
    if unsent:
        session.execute(delete(BulkOrder).where(BulkOrder.id.in_(unsent)))
