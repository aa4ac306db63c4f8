"""How long offerings take, as the catalogue and the forms say it: what it took before, and what is promised now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from catalog.changes.scheduling import usual_openings
from catalog.offerings.catalogue import Times
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.ordering.pace import PaceFigures, pace_of, paces
from catalog.requests.promise import calendar_for, promised
from catalog.requests.route import Router
from portal.core.clock import now
from portal.core.language import _
from portal.core.times import soon
from portal.identity.model import Person

#: A promise that is not yet about anything in particular is given in quarters of an hour, rounded up.
_QUARTER = timedelta(minutes=15)


def times_of(
    session: Session, person: Person, versions: Iterable[OfferingVersion], router: Router
) -> dict[str, Times]:
    """By slug, for somebody who asks now. The person is read with their unit. At most five statements."""
    versions = tuple(versions)
    return _times(session, person, versions, router, paces(session))


def times_for(session: Session, person: Person, version: OfferingVersion, router: Router) -> Times:
    """As times_of, for one offering."""
    pace = pace_of(session, version.offering_id)
    found = _times(session, person, (version,), router, {version.offering_id: pace} if pace else {})
    return found[document_of(version).slug]


def _times(
    session: Session,
    person: Person,
    versions: Sequence[OfferingVersion],
    router: Router,
    figures: Mapping[int, PaceFigures],
) -> dict[str, Times]:
    begun = rounded_up(now(session))
    documents = [document_of(version) for version in versions]
    due = router.outlook(session, person, documents, begun)
    openings = usual_openings(session, person, versions)
    zone = ZoneInfo(person.timezone)
    found = {}
    for version, document in zip(versions, documents, strict=True):
        calendar = calendar_for(document, person)
        done = promised(
            due[document.slug],
            document,
            None,
            begun=begun,
            calendar=calendar,
            opening=openings[version.offering_id],
        )
        pace = figures.get(version.offering_id)
        by = spoken_moment(rounded_up(done).astimezone(zone), begun.astimezone(zone))
        found[document.slug] = Times(pace.text if pace else "", by)
    return found


def rounded_up(moment: datetime) -> datetime:
    """The next full quarter of an hour (UTC), so that a promise never says less than was worked out."""
    whole = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    quarters = -(-(moment - whole) // _QUARTER)
    return whole + quarters * _QUARTER


def spoken_moment(moment: datetime, at: datetime) -> str:
    """A moment in the reader's zone as people say it: `Thursday 26 November, 14:00 your time`."""
    return _("%(moment)s your time", moment=soon(moment, at))
