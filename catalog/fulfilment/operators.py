"""The operators: who they are, and what each kind of task is called when they are spoken to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from portal.core.language import N_, say
from portal.identity.model import Person
from portal.identity.people import people_in_roles
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
    "follow_http_call": N_("Ask an automation how far it is"),
    "take_http_callback": N_("Take an automation's answer"),
    "watch_stages": N_("Look for stages whose approvers are gone"),
    "keep_stage_times": N_("Remind approvers, pass stages on and let them expire"),
    "change_duty": N_("Pass stages to whoever is on duty now"),
    "mark_missed_promises": N_("Notice missed promises"),
    "refresh_paces": N_("Learn how long services take"),
    "remind_reviewers": N_("Remind reviewers of emergencies"),
    "lapse_review": N_("Close an emergency review that nobody made"),
    "recertify": N_("Ask whether entitlements are still needed"),
    "read_uses_for_access_review": N_("Read last uses for an access review"),
    "move_changes": N_("Work out anew when changes are carried out"),
    "warn_of_change": N_("Tell people of a change"),
    "send_digests": N_("Send the daily digests"),
    "replay_offering": N_("Try a draft on past requests"),
    "sweep_attachments": N_("Sweep away attachments of nothing"),
    "count_audit": N_("Count what an audit is about"),
    "make_audit": N_("Make an audit's bundle"),
    "retire": N_("Remove what was kept long enough"),
    "verify_ledger": N_("Verify the ledger"),
}


def operators_of(session: Session) -> Sequence[Person]:
    """Everybody active who is in a group with the operator's role, by name; two statements."""
    return people_in_roles(session, _OPERATOR)


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
