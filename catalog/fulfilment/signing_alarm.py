"""The alarm when the ledger is not signed any more: every operator hears of it by mail, as of a task set aside."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.fulfilment.operators import tell_operators, what_of
from portal.audit.signer.model import Cause
from portal.audit.signing import SigningStopped
from portal.core.language import say

_TASK = "checkpoint"


def on_signing_stopped(session: Session, event: SigningStopped) -> None:
    """Say what is in the way; a ledger that is refused may have been changed behind the portal's back."""
    summary = (
        say("The ledger's signer refuses to sign: the ledger is not the one that it signed before")
        if event.cause is Cause.REFUSED
        else say("The ledger is not signed any more: its signer cannot be asked")
    )
    tell_operators(session, summary, task=what_of(_TASK), reference="", why=event.why)
