"""The router that requests are given (catalog.requests.route.Router): previews, promises, progress, visibility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from approvals.emergency.queries import is_reviewer, reviewed_by
from approvals.routing.chosen import route_of
from approvals.routing.deadlines import promised_by
from approvals.routing.outlook import outlook
from approvals.routing.progress import asked_of, progress_of, was_asked
from catalog.offerings.language import OfferingDocument
from catalog.requests.route import Proposal, RouteStage, StageProgress
from portal.identity.model import Person


class Router:
    """Implements catalog.requests.route.Router over the tables of this package."""

    def preview(self, session: Session, proposal: Proposal) -> tuple[RouteStage, ...]:
        """The route that this proposal would take now; changes nothing. Raises NobodyToAsk."""
        return route_of(session, proposal)

    def promised_by(self, session: Session, stages: tuple[RouteStage, ...], start: datetime) -> datetime:
        """When the last stage is due (UTC) if each one uses up its working time."""
        return promised_by(session, stages, start)

    def outlook(
        self, session: Session, person: Person, documents: Sequence[OfferingDocument], start: datetime
    ) -> Mapping[str, datetime]:
        """When the last stage of each offering would be due (UTC), by slug, if every stage is asked.

        The person is read with their unit.
        """
        return outlook(session, person, documents, start)

    def progress(self, session: Session, request_id: int) -> tuple[StageProgress, ...]:
        """The stages of the request's current revision, with their decisions. Three statements."""
        return progress_of(session, request_id)

    def may_see(self, session: Session, request_id: int, person_id: int) -> bool:
        """Whether the person is or was an approver of the request in a stage that has opened, or reviews it."""
        return was_asked(session, request_id, person_id) or is_reviewer(session, request_id, person_id)

    def seen_by(self, person_id: int, at: datetime) -> Select[Any]:
        """As a subquery: the requests that `may_see` lets the person see at this moment (aware)."""
        either = union(asked_of(person_id, at), reviewed_by(person_id)).subquery()
        return select(next(iter(either.c)))
