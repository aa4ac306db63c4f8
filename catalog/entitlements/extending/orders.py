"""What an extension has carried out in the place of its offering's steps: one end is moved, in the portal's own record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.extending.model import Extension
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.connectors.contract import Order
from catalog.offerings.language import OfferingDocument
from catalog.offerings.rules import last_day
from catalog.requests.context import Context, close_of_day
from catalog.requests.model import Request
from portal.core.errors import Conflict
from portal.core.language import N_, _, say

#: The connector of the portal's own record, and what it is asked for.
KIND = "entitlements"
EXTEND = "extend"
STEP = "extend"
STEP_NAME = N_("Let it end later")


def find_extension(session: Session, request_id: int) -> Extension | None:
    """What the request extends; None for a request that brings something of its own."""
    return session.scalars(select(Extension).where(Extension.request_id == request_id)).one_or_none()


def extension_order(session: Session, request: Request, context: Context) -> tuple[str, Order] | None:
    """The one step of an extension, with its name; None for any other request.

    Raises Conflict where its answers differ from those that were granted by more than the end: an extension moves an
    end, and whoever decides on it decides on nothing else.
    """
    extension = find_extension(session, request.id)
    if extension is None:
        return None
    entitlement = session.get_one(Entitlement, extension.entitlement_id)
    granted = session.get_one(Request, entitlement.request_id)
    same_person = entitlement.person_id == request.beneficiary_id
    if not same_person or _lasting(context.document, granted.answers) != _lasting(
        context.document, request.answers
    ):
        raise Conflict(
            _("An extension changes nothing but the end. Withdraw it, and ask for what is different anew.")
        )
    order = Order(
        reference=request.reference,
        action=EXTEND,
        parameters={"entitlement": entitlement.id},
        beneficiary=context.receiver,
        ends_at=extension.until,
    )
    return say(STEP_NAME), order


def new_end(context: Context, ends_at: datetime) -> datetime | None:
    """The end (UTC) that these answers ask for in the place of `ends_at`: the day that they name, or as long again."""
    document = context.document
    if context.lasts is not None:
        return ends_at + context.lasts
    day = last_day(document, context.facts)
    if day is None or document.ends is None or document.ends.days is None:
        return context.ends_at
    zone = ZoneInfo(context.requester.timezone)
    last = (ends_at - timedelta(microseconds=1)).astimezone(zone).date()
    today = context.facts["today"]
    return close_of_day(last + (day - day.fromisoformat(today)), context.requester.timezone)


def end_fields(document: OfferingDocument) -> frozenset[str]:
    """The fields of an offering that say when it begins and ends, and why it is asked for."""
    ends = document.ends
    names = (ends.date if ends else None, ends.lasting if ends else None, document.starts, document.reason)
    return frozenset(name for name in names if name)


def _lasting(document: OfferingDocument, answers: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for, whenever it ends; what the form no longer has does not count."""
    times = end_fields(document)
    return {
        field.name: answers[field.name]
        for field in document.fields
        if field.name in answers and field.name not in times and field.name != document.beneficiary
    }
