"""Asking for a later end: a small request with the same answers, which goes the offering's own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.ending import get_locked_entitlement
from catalog.entitlements.extending.carrying import keeps_time
from catalog.entitlements.extending.model import Extension
from catalog.entitlements.extending.orders import new_end
from catalog.entitlements.held import held_by
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.answers import check_with_facts
from catalog.offerings.facts import Facts
from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.offerings.rules import kind_of
from catalog.requests.answers import spoken_end
from catalog.requests.checking import get_asked
from catalog.requests.context import context_for, get_person
from catalog.requests.duplicates import OPEN
from catalog.requests.model import Request
from catalog.requests.submit import Extended, insist_on_current, make_request
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, FieldErrors, NotFound
from portal.core.language import N_, _, say, spoken
from portal.identity.actor import Actor

#: How the new end is given: as a day, as a length, or not at all where it lasts as long again.
Way = Literal["date", "lasting", "again"]
NOT_YOURS = N_("There is nothing of this kind that you could extend.")
TITLE = N_("Extension: %(title)s")


@dataclass(frozen=True, slots=True)
class Extending:
    """What the page of an extension shows. `anew` says why it must be asked for anew instead, else empty."""

    id: int
    label: str
    until: str
    way: Way
    #: The answers now: the day or the length, and the reason.
    end: str
    reason: str
    asks_reason: bool
    slug: str
    reference: str
    anew: str


@dataclass(frozen=True, slots=True)
class CheckedExtension:
    """Answers that were checked outside any transaction, of a version that must still be the one that is published."""

    entitlement_id: int
    version_id: int
    answers: Mapping[str, Any]


def extending(session: Session, actor: Actor, entitlement_id: int, connectors: Connectors) -> Extending:
    """The form of an extension. Raises NotFound, and Conflict for what has ended or never ends."""
    entitlement, granted = _get_own(session, actor, entitlement_id)
    version, _person, _context = get_asked(session, actor, granted.version.offering.slug, connectors)
    document = document_of(version)
    return Extending(
        id=entitlement.id,
        label=spoken(entitlement.label),
        until=spoken_end(entitlement.ends_at, actor.timezone),
        way=_way(document),
        end=str(granted.answers.get(_end_field(document) or "", "")),
        reason=granted.reason,
        asks_reason=document.reason is not None,
        slug=document.slug,
        reference=granted.reference,
        anew=_why_anew(entitlement, connectors),
    )


def check_extension(
    session: Session, actor: Actor, entitlement_id: int, connectors: Connectors, *, end: str, reason: str
) -> CheckedExtension:
    """The answers that were granted, with this end and reason, against the offering as it is published now.

    Targets may be asked for their choices. Raises FieldErrors at `end` and `reason`, else as `extending`.
    """
    entitlement, granted = _get_own(session, actor, entitlement_id)
    if anew := _why_anew(entitlement, connectors):
        raise Conflict(anew)
    version, _person, context = get_asked(session, actor, granted.version.offering.slug, connectors)
    document = document_of(version)
    context = replace(context, held=partial(held_by, session, without=entitlement.id))
    raw = {name: value for name, value in granted.answers.items() if document.find_field(name)}
    if document.reason is not None:
        raw[document.reason] = reason
    if (field := _end_field(document)) is not None:
        raw[field] = end
    if document.starts is not None and entitlement.ends_at is not None:
        raw[document.starts] = entitlement.ends_at.astimezone(ZoneInfo(actor.timezone)).isoformat(
            timespec="minutes"
        )
    try:
        answers, facts = check_with_facts(document, raw, context)
    except FieldErrors as errors:
        raise _at_our_fields(document, errors) from errors
    _refuse_emergencies(document, facts)
    return CheckedExtension(entitlement.id, version.id, answers)


def extend(session: Session, actor: Actor, checked: CheckedExtension) -> Request:
    """Make the request. Raises Conflict for another open extension of it, FieldErrors for an end that is no later."""
    entitlement = get_locked_entitlement(session, checked.entitlement_id)
    _get_own(session, actor, entitlement.id)
    version = session.get_one(OfferingVersion, checked.version_id)
    insist_on_current(session, version)
    _refuse_second(session, entitlement)
    context = context_for(
        session,
        version,
        checked.answers,
        requester=get_person(session, actor.person_id or 0),
        at=now(session),
        without=entitlement.id,
    )
    if context.beneficiary.id != entitlement.person_id:
        raise NotFound(_(NOT_YOURS))
    before = entitlement.ends_at
    until = new_end(context, before) if before is not None else None
    if before is None or until is None or until <= before:
        message = _("Choose a later end: it ends then anyway, or later.")
        raise FieldErrors((FieldError("end", message),))
    title = say(TITLE, title=entitlement.label)
    request = make_request(
        session, actor, version, checked.answers, extends=Extended(entitlement.id, until, title)
    )
    session.add(
        Extension(request_id=request.id, entitlement_id=entitlement.id, ended_before=before, until=until)
    )
    session.flush()
    return request


def _get_own(session: Session, actor: Actor, entitlement_id: int) -> tuple[Entitlement, Request]:
    """What the actor holds, or asked for in the holder's place, and the request that granted it."""
    entitlement = session.get(Entitlement, entitlement_id)
    if entitlement is None:
        raise NotFound(_(NOT_YOURS))
    granted = session.get_one(Request, entitlement.request_id)
    if actor.person_id is None or actor.person_id not in {entitlement.person_id, granted.requester_id}:
        raise NotFound(_(NOT_YOURS))
    if entitlement.state is not EntitlementState.LIVE:
        raise Conflict(_("This has ended already, or is just being taken away."))
    if entitlement.ends_at is None:
        raise Conflict(_("This has no end, so there is nothing to extend."))
    return entitlement, granted


def _why_anew(entitlement: Entitlement, connectors: Connectors) -> str:
    """Why its end cannot be moved, because the target itself keeps it; empty where it can."""
    try:
        connector = connectors.get(entitlement.connector)
    except ConnectorError as error:
        return str(spoken(error.message))
    if not keeps_time(connector):
        return ""
    return _(
        "The target keeps this end itself, so what you have cannot last longer as it is. "
        "Ask for a new one in its place; the form begins with the same answers."
    )


def _refuse_second(session: Session, entitlement: Entitlement) -> None:
    reference = session.scalar(
        select(Request.reference)
        .join(Extension, Extension.request_id == Request.id)
        .where(Extension.entitlement_id == entitlement.id, Request.state.in_(OPEN))
        .order_by(Request.id)
        .limit(1)
    )
    if reference is not None:
        raise Conflict(
            _("%(reference)s asks for a later end already and is still open.", reference=reference)
        )


def _refuse_emergencies(document: OfferingDocument, facts: Facts) -> None:
    if document.emergency is not None and kind_of(facts) == "emergency":
        raise Conflict(
            _("What was given in an emergency is not extended. Ask for it in the usual way instead.")
        )


def _way(document: OfferingDocument) -> Way:
    ends = document.ends
    if ends is not None and ends.date is not None:
        return "date"
    return "lasting" if ends is not None and ends.lasting is not None else "again"


def _end_field(document: OfferingDocument) -> str | None:
    ends = document.ends
    return (ends.date or ends.lasting) if ends is not None else None


def _at_our_fields(document: OfferingDocument, errors: FieldErrors) -> FieldErrors:
    """The same problems at the fields of this small form; what is wrong elsewhere says with which question."""
    found = []
    for error in errors.errors:
        if error.field == _end_field(document) or error.field == document.starts:
            found.append(FieldError("end", error.message))
        elif error.field == document.reason:
            found.append(FieldError("reason", error.message))
        else:
            field = document.spoken().find_field(error.field)
            text = str(spoken(error.message))
            found.append(FieldError("", f"{field.label}: {text}" if field else text))
    return FieldErrors(tuple(found))
