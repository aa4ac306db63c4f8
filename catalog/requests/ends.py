"""When a request ends, as people say it before it is granted: a duration's clock has not started yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from catalog.entitlements.extending.orders import EXTEND
from catalog.offerings.language import OfferingDocument
from catalog.offerings.words import duration_text
from catalog.requests.answers import spoken_end
from catalog.requests.context import Context
from catalog.requests.model import Request
from portal.core.language import _, ngettext


def spoken_end_of(request: Request, document: OfferingDocument, timezone: str) -> str:
    """When the request ends, for a reader in this zone. Reads the requester."""
    if any(plan["action"] == EXTEND for plan in request.plans):
        return spoken_end(request.ends_at, timezone)
    zone = request.requester.timezone
    return _said(
        document, request.answers, request.ends_at, request.submitted_at, zone=zone, timezone=timezone
    )


def known_end(request: Request, document: OfferingDocument) -> datetime | None:
    """The end (UTC) where it is known before it is granted; None where a clock has yet to start, and for no end."""
    lasting = document.ends.lasting if document.ends else None
    extends = any(plan["action"] == EXTEND for plan in request.plans)
    return None if lasting and not document.starts and not extends else request.ends_at


def spoken_end_in(context: Context, at: datetime, timezone: str) -> str:
    """The same for what is not submitted yet; `at` is now (UTC)."""
    zone = context.requester.timezone
    return _said(context.document, context.answers, context.ends_at, at, zone=zone, timezone=timezone)


def _said(
    document: OfferingDocument,
    answers: Mapping[str, Any],
    ends_at: datetime | None,
    since: datetime,
    *,
    zone: str,
    timezone: str,
) -> str:
    ends = document.ends
    if ends is None or ends_at is None:
        return spoken_end(ends_at, timezone)
    if ends.days is not None:
        here = ZoneInfo(zone)
        last = (ends_at - timedelta(microseconds=1)).astimezone(here).date()
        count = (last - since.astimezone(here).date()).days
        return ngettext("%(number)s day after it is in place", "%(number)s days after it is in place", count)
    given = answers.get(ends.lasting) if ends.lasting else None
    if not given:
        return spoken_end(ends_at, timezone)
    if document.starts and answers.get(document.starts):
        return _("%(end)s, or later if it begins later", end=spoken_end(ends_at, timezone))
    return _("%(span)s after it is in place", span=duration_text(given))
