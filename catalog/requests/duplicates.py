"""Requests that ask for the same and are still open."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.offerings.model import OfferingVersion
from catalog.offerings.rules import likeness_of
from catalog.requests.context import Context
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.language import _

#: What is still on its way, and what is in place.
OPEN = (State.PREPARING, State.PENDING, State.SCHEDULED, State.FULFILLING)


def likeness_in(context: Context) -> str:
    """What the request has in common with others for the same; empty where the offering does not say."""
    return likeness_of(context.document, context.answers, context.beneficiary.user_name)


def open_duplicate(session: Session, context: Context) -> str:
    """The reference of the first open request of this offering that asks for the same, or empty; one statement."""
    likeness = likeness_in(context)
    if not likeness:
        return ""
    query = (
        select(Request.reference)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(
            Request.likeness == likeness,
            Request.state.in_(OPEN),
            OfferingVersion.offering_id == context.version.offering_id,
        )
        .order_by(Request.id)
        .limit(1)
    )
    return session.scalars(query).first() or ""


def sentence_about(reference: str) -> str:
    """What is said to whoever asks for the same again; empty for no reference."""
    if not reference:
        return ""
    return _(
        "%(reference)s asks for the same and is still open. Asking again is needless unless you need it twice.",
        reference=reference,
    )
