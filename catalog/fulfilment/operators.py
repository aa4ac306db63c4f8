"""The operators: who they are, and what each kind of task is called when they are spoken to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.language import N_, say
from portal.identity.model import Group, Membership, Person
from portal.notifications import notify

_OPERATOR = "operator"
#: What each kind of task does, in an operator's words; a kind that is not here is called by its name.
_KINDS: Mapping[str, str] = {
    "prepare": N_("Prepare the request"),
    "fulfil": N_("Carry out the request"),
    "do_step": N_("Carry out a step"),
    "undo_step": N_("Undo a step"),
    "ask_connector": N_("Ask a target for another part of the portal"),
    "read_by_hand": N_("Read what was done by hand"),
    "end_entitlement": N_("Take away what has ended"),
    "warn_of_ending": N_("Warn of an end"),
    "send_mail": N_("Send a mail"),
    "checkpoint": N_("Sign the ledger"),
    "hand_to_holder": N_("Hand a checkpoint to its holder"),
    "undo_unreviewed": N_("Undo what nobody reviewed"),
    "run_access_reviews": N_("Remind, pass on and close access reviews"),
    "reconcile": N_("Compare all targets with the record"),
    "read_target": N_("Compare a target with the record"),
    "tell_of_findings": N_("Tell of what reconciliation found"),
}


def operators_of(session: Session) -> Sequence[Person]:
    """Everybody active who is in a group with the operator's role, by name; two statements."""
    groups = [
        number for number, roles in session.execute(select(Group.id, Group.roles)) if _OPERATOR in roles
    ]
    statement = (
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.group_id.in_(groups), Person.active)
        .order_by(Person.name, Person.id)
        .distinct()
    )
    return session.scalars(statement).all()


def tell_operators(
    session: Session, summary: str, *, task: str, reference: str, why: str, path: str = "/operations"
) -> None:
    """Mail every operator that something waits for them; sent after the commit. `summary` is one line.

    Summary and reason reach each of them in their language where `say` made them.
    """
    for person in operators_of(session):
        notify(
            session,
            "operator_attention",
            person,
            {"summary": summary, "task": task, "reference": reference, "why": why, "path": path},
        )


def what_of(kind: str) -> str:
    """The task's kind in words, in every language."""
    return say(_KINDS[kind]) if kind in _KINDS else kind
