"""Replay: past requests of an offering run through a text that is not published yet. Nothing is written or asked.

The text is held against the version in force, and both are worked out with the organisation as it is now, so that
every difference comes from the text alone: not from somebody who has changed the unit since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import Offering, OfferingVersion
from catalog.offerings.queries import document_of
from catalog.versions.organisation import Organisation, read_organisation
from catalog.versions.outcome import Judge, Outcome
from catalog.versions.past import Past, count_past, past_requests
from catalog.versions.report import Report, Unknown
from catalog.versions.routes import MakeRoutes, Routes
from catalog.versions.tally import Tally, moved_found
from portal.core.clock import now
from portal.core.database import Database
from portal.identity.model import Person

Progress = Callable[[int, int], None]


def replay(
    db: Database,
    document: OfferingDocument,
    *,
    make_routes: MakeRoutes,
    publisher_id: int | None = None,
    since: datetime | None = None,
    most: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Report:
    """What past requests would meet with this text: the latest `most`, submitted at `since` (aware) or later.

    `publisher_id` is who would publish it, for a publisher approves nothing of their version. `progress` is told
    after every batch how many of how many are done. Six statements, and one for each thousand requests.
    """
    with db.reading() as session:
        at = now(session)
        offering_id = session.scalar(select(Offering.id).where(Offering.slug == document.slug))
        organisation = read_organisation(session)
        versions = _versions(session, offering_id)
        total = count_past(session, offering_id, since=since, most=most) if offering_id else 0
    base = versions[-1] if versions else None
    routes = make_routes(organisation)
    tally = Tally()
    if base is not None and offering_id is not None:
        asked = {
            version.id: frozenset(field.name for field in document_of(version).fields) for version in versions
        }
        pair = _Pair(
            Judge(document_of(base), organisation, routes, base.publisher_id),
            Judge(document, organisation, routes, publisher_id),
            routes,
            organisation.people,
        )
        progress(0, total)
        for batch in past_requests(db, offering_id, since=since, most=most):
            for past in batch:
                pair.compare(tally, past, asked[past.version_id])
            progress(tally.requests, total)
    return Report(
        slug=document.slug,
        digest=document.digest,
        base_number=base.number if base else 0,
        base_digest=base.digest if base else "",
        as_of=at.isoformat(),
        since=since.isoformat() if since else "",
        limit=most or 0,
        publisher=f"person:{publisher_id}" if publisher_id is not None else "",
        requests=tally.requests,
        refused=tally.refused,
        refused_already=tally.refused_already,
        compared=tally.compared,
        rules=tally.rules_found(),
        risks=moved_found(tally.risks),
        kinds=moved_found(tally.kinds),
        routes=moved_found(tally.routes),
        routes_changed=tally.routes_changed,
        approvals=tally.approvals_found(lambda rule: _who(rule, organisation)),
        broken=tally.broken_found(),
        promise=tally.promise_found(),
        unknown=(*tally.unknown_found(), *_never_known(document, tally.requests)),
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """The two texts that are held against each other."""

    before: Judge
    after: Judge
    routes: Routes
    people: Mapping[int, Person]

    def compare(self, tally: Tally, past: Past, asked: frozenset[str]) -> None:
        """Judge the request by both and count what differs."""
        old, new = self.before.judge(past, asked), self.after.judge(past, asked)
        tally.add(past, old, new, lambda: self._minutes(past, old, new))

    def _minutes(self, past: Past, old: Outcome, new: Outcome) -> int:
        if old.done_at is None or new.done_at is None or old.done_at == new.done_at:
            return 0
        person = self.people[past.requester_id]
        return self.routes.working_minutes(self.after.document, person, old.done_at, new.done_at)


def _versions(session: Session, offering_id: int | None) -> list[OfferingVersion]:
    statement = select(OfferingVersion).where(OfferingVersion.offering_id == offering_id)
    return list(session.scalars(statement.order_by(OfferingVersion.number)))


def _never_known(document: OfferingDocument, requests: int) -> tuple[Unknown, ...]:
    """What no replay can know, said where it matters to this text."""
    connectors = sorted({check.connector for check in document.checked_by})
    listed = sorted(
        field.label for field in document.fields if getattr(field, "choices_from", None) is not None
    )
    said = []
    if connectors:
        said.append(f"targets are not asked: what {' and '.join(connectors)} would say of the answers today")
    if listed:
        said.append(f"what was chosen then counts as still offered: {', '.join(listed)}")
    if document.conflicts:
        said.append("what the person had at that time: conflicts are judged as if they had had nothing")
    if document.duplicates:
        said.append("which requests were open at that time: duplicates are not looked for")
    said.append("absences: everybody counts as at work")
    return tuple(Unknown(what, requests) for what in said)


def _who(rule: str, organisation: Organisation) -> str:
    """Rules of a route in words: groups by their names."""
    return " or ".join(_spoken(one, organisation) for one in rule.split(" or "))


def _spoken(rule: str, organisation: Organisation) -> str:
    kind, _, name = rule.partition(":")
    group = organisation.groups.get(name)
    title = group.name if group else name
    words = {
        "group": f"Members of {title}",
        "group-owner": f"Owner of {title}",
        "line-manager": f"Line manager of the {name}",
        "manager-of-manager": f"Manager of the line manager of the {name}",
        "unit-head": f"Head of the unit of the {name}",
        "asset-owner": f"Owner of the asset {name}",
        "rota": f"On duty in {name}",
    }
    return words.get(kind, "The person named in the request")
