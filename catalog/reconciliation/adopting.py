"""Adopting what is live: one thing or an existing estate, in requests that whoever answers for the things approves.

All rows of a batch become requests or none does. A request holds the things of one owner, as many as a person can
look over; what one of the approvers holds themselves stands in a request of its own, so that a colleague decides.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.reconciliation import tags
from catalog.reconciliation.model import Finding, FindingKind, FindingState
from catalog.reconciliation.offered import ADOPTION, version_for
from catalog.reconciliation.removing import NOBODYS, checked_reason
from catalog.reconciliation.rights import owned_slugs
from catalog.requests.duplicates import OPEN
from catalog.requests.model import OrderGroup, Request
from catalog.requests.submit import make_request
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import FieldError, FieldErrors
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person
from portal.identity.permissions import Permission

#: Things in one request, and rows in one batch.
TOGETHER, MOST_ROWS = 100, 2000
COLUMNS = ("key", "holder", "reason", "end")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to adopt, as it was typed. `end` is a day such as 2027-01-31, or empty for no end."""

    key: str
    holder: str
    reason: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class _Checked:
    finding: Finding
    holder: str
    reason: str
    until: date | None


def rows_of_csv(text: str) -> tuple[Row, ...]:
    """Rows of `key,holder,reason,end`, with that heading or without. Raises FieldError."""
    lines = [
        cells for cells in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if any(c.strip() for c in cells)
    ]
    if lines and [cell.strip().casefold() for cell in lines[0]][:2] == list(COLUMNS[:2]):
        lines = lines[1:]
    for number, cells in enumerate(lines, start=1):
        if not 2 <= len(cells) <= len(COLUMNS):  # noqa: PLR2004  (key and holder at least)
            message = _(
                "Row %(row)s has %(count)s cells; write %(columns)s.",
                row=number,
                count=len(cells),
                columns=", ".join(COLUMNS),
            )
            raise FieldError("rows", message)
    return tuple(Row(*(cell.strip() for cell in cells)) for cells in lines)


def adopt(session: Session, actor: Actor, rows: Sequence[Row], *, reason: str, token: str) -> OrderGroup:
    """Make the requests that adopt these rows; a batch sent twice under one token is the same batch.

    Raises FieldErrors with a sentence for every row that is wrong; then nothing was made.
    """
    made = session.scalars(select(OrderGroup).where(OrderGroup.token == token)).one_or_none()
    if made is not None:
        return made
    said = checked_reason(reason)
    checked = _checked(session, actor, rows)
    version = version_for(session, ADOPTION)
    group = OrderGroup(
        token=token, person_id=actor.person_id, offering_version_id=version.id, created_at=now(session)
    )
    session.add(group)
    session.flush()
    references = []
    for owner, holder, things in _requests_of(session, checked):
        answers: dict[str, Any] = {
            "things": [_thing(each) for each in things],
            "owner": owner,
            "holder": holder,
            "reason": said,
        }
        request = make_request(session, actor, version, answers, order_group_id=group.id)
        references.append(request.reference)
        for each in things:
            each.finding.request_id = request.id
            record(
                session,
                tags.ADOPTION_RAISED,
                subject=f"finding:{each.finding.id}",
                actor=actor,
                facts={"request": request.reference},
            )
    return group


def _thing(row: _Checked) -> dict[str, str]:
    thing = {
        "thing": str(row.finding.label)[:500],
        "holder": row.holder,
        "connector": row.finding.connector,
        "key": row.finding.key,
    }
    if row.until is not None:
        thing["until"] = row.until.isoformat()
    if row.reason:
        thing["why"] = row.reason
    return thing


def _checked(session: Session, actor: Actor, rows: Sequence[Row]) -> list[_Checked]:
    """Every row with its finding. Three statements. Raises FieldErrors."""
    if not 1 <= len(rows) <= MOST_ROWS:
        message = _("These are %(count)s rows; adopt 1 to %(most)s at once.", count=len(rows), most=MOST_ROWS)
        raise FieldError("rows", message)
    findings = _findings(session, {row.key for row in rows})
    people = set(
        session.scalars(
            select(Person.user_name).where(Person.user_name.in_({row.holder for row in rows}), Person.active)
        )
    )
    own = owned_slugs(session, actor)
    today = now(session).date()
    checked, errors, seen = [], [], set()
    for number, row in enumerate(rows, start=1):
        finding, taken = findings.get(row.key, (None, ""))
        try:
            until = _day(row.end, today)
            _insist(actor, row, finding, taken, people=people, own=own, again=row.key in seen)
        except ValueError as error:
            text = _("Row %(row)s, %(key)s: %(problem)s", row=number, key=row.key[:80], problem=error)
            errors.append(FieldError("rows", text))
        else:
            checked.append(_Checked(finding, row.holder, row.reason, until))  # type: ignore[arg-type]  # insisted on
        seen.add(row.key)
    if errors:
        raise FieldErrors(tuple(errors))
    return checked


def _insist(
    actor: Actor,
    row: Row,
    finding: Finding | None,
    taken: str,
    *,
    people: set[str],
    own: frozenset[str],
    again: bool,
) -> None:
    may = finding is not None and (actor.may(Permission.WORK_FINDINGS) or finding.owner in own)
    if finding is None or not may:
        raise ValueError(_("no open finding has this key."))
    if finding.kind is FindingKind.MISSING:
        raise ValueError(_("it is missing on its target, so there is nothing to adopt."))
    if taken:
        raise ValueError(_("%(reference)s is about it already.", reference=taken))
    if again:
        raise ValueError(_("it stands in another row too."))
    if row.holder not in people:
        raise ValueError(_("nobody active has the user name “%(name)s”.", name=row.holder[:80]))


def _day(text: str, today: date) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(_("“%(text)s” is no day; write it like 2027-01-31.", text=text[:40])) from None
    if day <= today:
        raise ValueError(_("its end lies in the past."))
    return day


def _findings(session: Session, keys: set[str]) -> Mapping[str, tuple[Finding, str]]:
    """The findings of these keys that are not closed, locked, each with the open request about it."""
    rows = session.execute(
        select(Finding, Request.reference, Request.state)
        .outerjoin(Request, Request.id == Finding.request_id)
        .where(Finding.key.in_(keys), Finding.state != FindingState.CLOSED)
        .order_by(Finding.id)
        .with_for_update(of=Finding)
    ).all()
    return {finding.key: (finding, reference if state in OPEN else "") for finding, reference, state in rows}


def _requests_of(
    session: Session, checked: Sequence[_Checked]
) -> Iterable[tuple[str, str | None, Sequence[_Checked]]]:
    """Owner, holder where one of the owners is, and the things of each request; one statement."""
    owners = {each.finding.owner or NOBODYS for each in checked}
    members = {
        (slug, user_name)
        for slug, user_name in session.execute(
            select(Group.slug, Person.user_name)
            .join(Membership, Membership.group_id == Group.id)
            .join(Person, Person.id == Membership.person_id)
            .where(Group.slug.in_(owners))
        )
    }
    together: dict[tuple[str, str | None], list[_Checked]] = {}
    for each in checked:
        owner = each.finding.owner or NOBODYS
        holder = each.holder if (owner, each.holder) in members else None
        together.setdefault((owner, holder), []).append(each)
    for (owner, holder), things in together.items():
        for first in range(0, len(things), TOGETHER):
            yield owner, holder, things[first : first + TOGETHER]
