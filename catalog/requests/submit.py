"""Submitting: a draft becomes a request with a reference, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from catalog.offerings.audience import get_visible_version
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import find_current_version
from catalog.offerings.rules import broken_rules, kind_of
from catalog.requests import tags
from catalog.requests.checking import Checked
from catalog.requests.context import context_for, get_person
from catalog.requests.drafts import get_locked_draft
from catalog.requests.duplicates import likeness_in, open_duplicate, sentence_about
from catalog.requests.events import RequestSubmitted
from catalog.requests.model import Counter, Request
from catalog.requests.moves import subject_of
from catalog.requests.replan import enqueue_prepare
from catalog.requests.states import State
from catalog.requests.telling import tell_beneficiary
from portal.audit import record
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.database import is_sqlite
from portal.core.errors import Conflict, FieldErrors
from portal.core.events import publish
from portal.core.language import _
from portal.identity.actor import Actor

NUMBERS = "request"


class Extended(NamedTuple):
    """What a request extends, until when (UTC), and how the request is called."""

    entitlement_id: int
    until: datetime
    title: str


def submit(session: Session, actor: Actor, checked: Checked, *, confirmed: str = "") -> Request:
    """Make the checked draft a request; a draft submitted twice gives the same request.

    `confirmed` is the reference of an open request for the same that the actor was told of and wants this one beside.
    Raises NotFound for a draft that is not the actor's or an offering that is not for them, Conflict when it or the
    service changed since it was checked or another request asks for the same, FieldErrors for a rule across fields.
    """
    draft = get_locked_draft(session, actor, checked.token)
    if draft.request_id is not None:
        return session.get_one(Request, draft.request_id)
    if draft.answers != checked.raw:
        raise Conflict(
            _("Your answers changed while they were being sent. Look them over and send them again.")
        )
    version = session.get_one(OfferingVersion, checked.version_id)
    insist_on_current(session, version)
    get_visible_version(session, actor, version.offering.slug)
    draft.offering_version_id = version.id
    request = make_request(session, actor, version, checked.answers, confirmed=confirmed)
    draft.request_id = request.id
    return request


def insist_on_current(session: Session, version: OfferingVersion) -> None:
    """Raises Conflict unless this is what is published now."""
    if find_current_version(session, version.offering.slug) is not version:
        raise Conflict(
            _("This service was changed while you were asking. Look your answers over and send them again.")
        )


def next_number(session: Session, name: str = NUMBERS) -> int:
    """The next number of this name, from 1. Its row stays locked until the transaction ends, so none is skipped."""
    dialect = sqlite if is_sqlite(session) else postgresql
    session.execute(dialect.insert(Counter).values(name=name, value=0).on_conflict_do_nothing())
    statement = update(Counter).where(Counter.name == name).values(value=Counter.value + 1)
    return session.execute(
        statement.returning(Counter.value).execution_options(synchronize_session=False)
    ).scalar_one()


def make_request(
    session: Session,
    actor: Actor,
    version: OfferingVersion,
    answers: Mapping[str, Any],
    *,
    confirmed: str = "",
    order_group_id: int | None = None,
    extends: Extended | None = None,
) -> Request:
    """A request of the actor with these checked answers, which waits to be prepared; whoever receives it is told.

    One that `extends` something ends as that says, and is called so.
    Raises Conflict for another open request for the same, FieldErrors for a rule across fields that does not hold.
    """
    at = now(session)
    requester = get_person(session, actor.person_id or 0)
    without = extends.entitlement_id if extends else None
    context = context_for(session, version, answers, requester=requester, at=at, without=without)
    if broken := broken_rules(context.document, context.facts):
        raise FieldErrors(broken)
    duplicate = open_duplicate(session, context)
    if duplicate and duplicate != confirmed:
        raise Conflict(sentence_about(duplicate))
    number = next_number(session)
    request = Request(
        number=number,
        reference=f"SR-{number:06d}",
        version=version,
        requester=requester,
        beneficiary=context.beneficiary,
        editor_id=requester.id,
        unit_id=context.beneficiary.unit_id,
        order_group_id=order_group_id,
        title=extends.title if extends else context.title,
        reason=context.reason,
        answers=dict(answers),
        likeness=likeness_in(context),
        state=State.PREPARING,
        revision=0,
        submitted_at=at,
        ends_at=extends.until if extends else context.ends_at,
    )
    session.add(request)
    session.flush()
    record(
        session,
        tags.SUBMITTED,
        subject=subject_of(request),
        actor=actor,
        facts={
            "offering": version.document["slug"],
            "version": version.number,
            "offering_digest": version.digest,
            "unit": context.beneficiary.unit.slug,
            "kind": kind_of(context.facts),
            "requester": f"person:{requester.id}",
            "beneficiary": f"person:{context.beneficiary.id}",
            "ends_at": request.ends_at.isoformat() if request.ends_at else None,
        },
        personal={"title": request.title, "reason": request.reason, "answers": digest(request.answers)},
    )
    tell_beneficiary(session, request, "asked_for_you")
    publish(session, RequestSubmitted(request.id))
    enqueue_prepare(session, request)
    return request
