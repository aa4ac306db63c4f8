"""Reading manual tasks by what they bring about, and the people who may do them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.fulfilment.connectors.manual.model import ManualState, ManualTask
from catalog.fulfilment.connectors.manual.parameters import DO
from catalog.requests.model import Request
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person


def find_live(session: Session, entitlement_key: str) -> ManualTask | None:
    """The work that was done and not undone."""
    statement = select(ManualTask).where(
        ManualTask.entitlement_key == entitlement_key,
        ManualTask.action == DO,
        ManualTask.state == ManualState.DONE,
        ManualTask.undone_at.is_(None),
    )
    return session.scalars(statement.order_by(ManualTask.id).limit(1)).one_or_none()


def every_live(session: Session) -> Sequence[ManualTask]:
    """All work that was done and not undone."""
    statement = select(ManualTask).where(
        ManualTask.action == DO, ManualTask.state == ManualState.DONE, ManualTask.undone_at.is_(None)
    )
    return session.scalars(statement.options(joinedload(ManualTask.request)).order_by(ManualTask.id)).all()


def latest(session: Session, key: str, action: str) -> ManualTask | None:
    """The last round of this step's work."""
    statement = select(ManualTask).where(ManualTask.key == key, ManualTask.action == action)
    return session.scalars(statement.order_by(ManualTask.round.desc()).limit(1)).one_or_none()


def doers_of(session: Session, group_id: int, *, without: frozenset[int]) -> Sequence[Person]:
    """The group's active members, without those who may not do it."""
    statement = (
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.group_id == group_id, Person.active, Person.id.not_in(without))
        .order_by(Person.name, Person.id)
    )
    return session.scalars(statement).all()


def parties_of(request: Request) -> frozenset[int]:
    """Who cannot do a request's manual work: whoever asked for it, and whoever receives it."""
    return frozenset({request.requester_id, request.beneficiary_id})


def is_member(session: Session, group_id: int, person_id: int | None) -> bool:
    """Whether the person is in the group now, by the directory and not by the session."""
    if person_id is None:
        return False
    return bool(
        session.scalar(
            select(
                exists().where(
                    Membership.group_id == group_id,
                    Membership.person_id == person_id,
                    Person.id == Membership.person_id,
                    Person.active,
                )
            )
        )
    )


def tasks_for(session: Session, actor: Actor, *states: ManualState, limit: int = 50) -> Sequence[ManualTask]:
    """Tasks of the groups that the actor is in now, in these states: open ones the oldest first, others the latest."""
    order = ManualTask.opened_at if ManualState.OPEN in states else ManualTask.closed_at.desc()
    statement = (
        select(ManualTask)
        .join(Membership, Membership.group_id == ManualTask.group_id)
        .where(Membership.person_id == actor.person_id, ManualTask.state.in_(states))
        .options(
            joinedload(ManualTask.group),
            joinedload(ManualTask.request).joinedload(Request.beneficiary),
            joinedload(ManualTask.request).joinedload(Request.version),
            selectinload(ManualTask.items),
        )
        .order_by(order, ManualTask.id)
        .limit(limit)
    )
    return session.scalars(statement).unique().all()


def count_tasks(session: Session, actor: Actor) -> tuple[int, int]:
    """How many tasks of the actor's groups are open, and how many there have ever been; one statement."""
    opened = func.count().filter(ManualTask.state == ManualState.OPEN)
    statement = (
        select(opened, func.count())
        .select_from(ManualTask)
        .join(Membership, Membership.group_id == ManualTask.group_id)
        .where(Membership.person_id == actor.person_id)
    )
    waiting, every = session.execute(statement).one()
    return waiting, every


def find_shown(session: Session, actor: Actor, task_id: int) -> ManualTask | None:
    """The task with all that its page shows, if the actor is in its group now; two statements."""
    statement = (
        select(ManualTask)
        .join(Membership, Membership.group_id == ManualTask.group_id)
        .where(ManualTask.id == task_id, Membership.person_id == actor.person_id)
        .options(
            joinedload(ManualTask.group),
            selectinload(ManualTask.items),
            joinedload(ManualTask.request).options(
                joinedload(Request.version), joinedload(Request.requester), joinedload(Request.beneficiary)
            ),
        )
    )
    return session.scalars(statement).unique().one_or_none()


def find_group(session: Session, slug: str) -> Group | None:
    """The group of this slug."""
    return session.scalars(select(Group).where(Group.slug == slug)).one_or_none()
