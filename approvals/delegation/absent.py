"""Naming in a route who is away just now, and who decides in their place if anybody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from approvals.delegation.in_force import in_force
from approvals.routing.words import joined
from catalog.requests.route import RouteStage
from portal.core.language import Said, _, every_language
from portal.core.times import day
from portal.identity.absences.queries import away_today


def with_absences(session: Session, stages: Sequence[RouteStage], offering: str) -> tuple[RouteStage, ...]:
    """The stages, each saying which of its people are away today. One statement, and one more where somebody is."""
    people = {person.person_id for stage in stages for person in stage.approvers}
    away = away_today(session, people) if people else {}
    if not away:
        return tuple(stages)
    substitutes = {one.delegator_id: one.name for one in in_force(session, away, offering) if one.covers}
    noted = []
    for stage in stages:
        notes = [
            _note(person.name, away[person.person_id], substitutes.get(person.person_id, ""))
            for person in stage.approvers
            if person.person_id in away
        ]
        noted.append(replace(stage, because=joined([stage.because, *notes])) if notes else stage)
    return tuple(noted)


def _note(name: str, until: date, substitute: str) -> Said:
    def speak() -> str:
        if substitute:
            return _(
                "%(name)s is away until %(day)s; %(substitute)s may decide in their place.",
                name=name,
                day=day(until),
                substitute=substitute,
            )
        return _(
            "%(name)s is away until %(day)s, and nobody decides in their place.", name=name, day=day(until)
        )

    return every_language(speak)
