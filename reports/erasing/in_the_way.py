"""What keeps a person from being erased now: holds, and what is still open with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from approvals.emergency.model import Review, Reviewer
from approvals.emergency.model import ReviewState as LookBackState
from approvals.routing.model import Stage, StageApprover, StageState
from catalog.access_reviews.model import ItemReviewer, ItemState, ReviewItem
from catalog.assets.model import Asset
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.recertifying.model import Recertification, RecertificationState, Voice
from catalog.fulfilment.connectors.manual.model import ManualState, ManualTask
from catalog.requests.model import Request
from catalog.requests.states import CLOSED, State
from portal.audit.model import Entry
from portal.core.language import _, ngettext
from portal.identity.model import Group, Person, Unit
from reports.erasing.holds import held_requests, holds_on

#: Nothing more is asked of anybody in one of these; what was granted is looked at by itself.
_OVER = (*CLOSED, State.FULFILLED)
#: So many are named; the rest is counted.
MOST = 5


def in_the_way(session: Session, person: Person) -> list[str]:
    """Sentences; none when the person can be erased."""
    return [*_holds(session, person), *_open(session, person)]


def references_of(session: Session, person_id: int) -> list[str]:
    """Every request in whose entries the person has a part, by reference."""
    named = f'"person:{person_id}"'
    statement = (
        select(Entry.subject)
        .where(Entry.subject.startswith("request:SR-"), Entry.body.contains(named, autoescape=True))
        .distinct()
        .order_by(Entry.subject)
    )
    return [subject.removeprefix("request:") for subject in session.scalars(statement)]


def _holds(session: Session, person: Person) -> Iterator[str]:
    for hold in holds_on(session, person):
        yield _("Legal hold %(number)s is on them or their unit: %(why)s", number=hold.id, why=hold.reason)
    held = set(session.scalars(select(Request.reference).where(held_requests(session))))
    theirs = [reference for reference in references_of(session, person.id) if reference in held]
    if theirs:
        yield _("They have a part in requests under a legal hold: %(references)s", references=_listed(theirs))


def _open(session: Session, person: Person) -> Iterator[str]:
    if person.active:
        yield _(
            "The account is active. Take them out of the directory first; the next import would bring them back."
        )
    requests = session.scalars(
        select(Request.reference)
        .where(
            or_(Request.requester_id == person.id, Request.beneficiary_id == person.id),
            Request.state.not_in(_OVER),
        )
        .order_by(Request.number)
    ).all()
    if requests:
        yield _("Requests by or for them are open: %(references)s", references=_listed(requests))
    for statement, sentence in _counts(person.id):
        number = session.scalar(statement) or 0
        if number:
            yield f"{sentence}: {number}"


def _counts(person_id: int) -> Iterator[tuple[Select[int], str]]:
    count = select(func.count())
    yield (
        count.select_from(Entitlement).where(
            Entitlement.person_id == person_id, Entitlement.state != EntitlementState.ENDED
        ),
        _("Live entitlements"),
    )
    yield (
        count.select_from(StageApprover)
        .join(Stage, Stage.id == StageApprover.stage_id)
        .where(
            StageApprover.person_id == person_id,
            StageApprover.replaced_at.is_(None),
            Stage.state.in_([StageState.WAITING, StageState.OPEN]),
        ),
        _("Approval stages that wait for them among others"),
    )
    yield (
        count.select_from(Reviewer)
        .join(Review, Review.id == Reviewer.review_id)
        .where(Reviewer.person_id == person_id, Review.state == LookBackState.OPEN),
        _("Open reviews of emergency changes"),
    )
    yield (
        count.select_from(ItemReviewer)
        .join(ReviewItem, ReviewItem.id == ItemReviewer.item_id)
        .where(ItemReviewer.person_id == person_id, ReviewItem.state == ItemState.OPEN),
        _("Open items of access reviews"),
    )
    yield (
        count.select_from(Voice)
        .join(Recertification, Recertification.id == Voice.recertification_id)
        .where(Voice.person_id == person_id, Recertification.state == RecertificationState.OPEN),
        _("Open recertifications"),
    )
    yield (
        count.select_from(ManualTask).where(
            ManualTask.holder_id == person_id, ManualTask.state == ManualState.OPEN
        ),
        _("Manual tasks that they hold"),
    )
    yield count.select_from(Unit).where(Unit.head_id == person_id), _("Units that they head")
    yield count.select_from(Group).where(Group.owner_id == person_id), _("Groups that they own")
    yield (
        count.select_from(Asset).where(Asset.owner_id == person_id, Asset.active.is_(True)),
        _("Assets that they own"),
    )
    yield (
        count.select_from(Person).where(Person.manager_id == person_id, Person.active.is_(True)),
        _("Active people whose manager they are"),
    )


def _listed(references: Sequence[str]) -> str:
    names = list(references)
    shown = ", ".join(names[:MOST])
    more = len(names) - MOST
    return (
        shown
        if more <= 0
        else ngettext("%(shown)s and %(number)s more", "%(shown)s and %(number)s more", more, shown=shown)
    )
