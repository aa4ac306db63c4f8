"""Routes over one reading of the organisation: for thousands of requests at once, without the database.

The stages are filled by the same code that fills those of a real request (resolve.fill); only where the people come
from differs. A test holds the two answers against each other, rule by rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals.routing.deadlines import calendar_of, due_at
from approvals.routing.relations import PARTIES, SUPERIORS, People
from approvals.routing.resolve import NobodyToAsk, Wanted, fill, stages_wanted
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.requests.route import Proposal, RouteApprover, RouteStage
from catalog.versions.organisation import Organisation
from catalog.versions.routes import Shortfall, StageOutline, WorkedOut
from portal.core.calendar import WorkingCalendar
from portal.identity.model import Person


@dataclass(frozen=True, slots=True)
class _Stage:
    """What is kept of a filled stage: its outline, its time, and how its people work."""

    outline: StageOutline
    minutes: int
    calendars: tuple[WorkingCalendar, ...]


class RouteBook:
    """Implements catalog.versions.routes.Routes. What was worked out once is kept: many requests are alike."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._people: dict[str, tuple[RouteApprover, ...]] = {}
        self._filled: dict[Any, tuple[_Stage, ...] | Shortfall] = {}
        self._calendars: dict[Any, WorkingCalendar] = {}

    def work_out(self, proposal: Proposal, start: datetime) -> WorkedOut | Shortfall:
        """The route of this proposal, begun at `start` (UTC). Raises RuleFailed."""
        document = document_of(proposal.version)
        stages = self._stages(document, stages_wanted(document, proposal.facts, proposal.unit), proposal)
        if isinstance(stages, Shortfall):
            return stages
        for stage in stages:
            start = due_at(stage.calendars, start=start, minutes=stage.minutes, quorum=stage.outline.quorum)
        return WorkedOut(tuple(stage.outline for stage in stages), start)

    def working_minutes(
        self, document: OfferingDocument, person: Person, first: datetime, last: datetime
    ) -> int:
        """Working minutes from `first` to `last` where this person lives; negative when `last` is earlier."""
        calendar = self._calendar(document, person)
        if last < first:
            return -calendar.minutes_between(last, first)
        return calendar.minutes_between(first, last)

    def _stages(
        self, document: OfferingDocument, wanted: Wanted, proposal: Proposal
    ) -> tuple[_Stage, ...] | Shortfall:
        version = proposal.version
        key = (
            version.digest,
            version.publisher_id,
            tuple((stage.slug, rule) for stage, rule in wanted),
            proposal.requester_id,
            proposal.beneficiary_id,
            proposal.editor_id,
        )
        known = self._filled.get(key)
        if known is None:
            known = self._filled[key] = self._fill(document, wanted, proposal)
        return known

    def _fill(
        self, document: OfferingDocument, wanted: Wanted, proposal: Proposal
    ) -> tuple[_Stage, ...] | Shortfall:
        try:
            stages = fill(document, wanted, proposal, self.find)
        except NobodyToAsk as error:
            return Shortfall(error.stage.slug, error.stage.name, error.lack)
        return tuple(self._kept(document, stage) for stage in stages)

    def _kept(self, document: OfferingDocument, stage: RouteStage) -> _Stage:
        people = self._organisation.people
        rules = tuple(sorted({person.rule for person in stage.approvers}))
        return _Stage(
            StageOutline(stage.slug, stage.name, rules, stage.quorum),
            stage.target_minutes,
            tuple(self._calendar(document, people[person.person_id]) for person in stage.approvers),
        )

    def _calendar(self, document: OfferingDocument, person: Person) -> WorkingCalendar:
        # Who is away today says nothing about the time in which a past request was made.
        key = (id(document), person.timezone, person.unit_id)
        known = self._calendars.get(key)
        if known is None:
            unit = person.unit
            known = self._calendars[key] = calendar_of(
                document.calendar,
                person.timezone,
                unit.country,
                unit=self._organisation.settings_of(unit),
            )
        return known

    def find(self, rules: set[str], parties: Mapping[str, int], excluded: frozenset[int]) -> People:
        """As approvals.routing.relations.people_by_rule. Raises ValueError for what is no rule."""
        found: People = {}
        for rule in rules:
            kind, _, name = rule.partition(":")
            key = rule
            if kind in SUPERIORS and name in PARTIES:
                key = f"{rule}:{parties[name]}"
            if key not in self._people:
                self._people[key] = tuple(
                    RouteApprover(person.id, person.issuer, person.subject, person.name, relation, rule)
                    for person, relation in self._meant(kind, name, parties)
                    if person.active
                )
            found[rule] = tuple(person for person in self._people[key] if person.person_id not in excluded)
        return found

    def _meant(self, kind: str, name: str, parties: Mapping[str, int]) -> Iterator[tuple[Person, str]]:
        people, groups = self._organisation.people, self._organisation.groups
        if kind in SUPERIORS and name in PARTIES:
            superior = self._superior(kind, people[parties[name]])
            if superior is not None:
                yield superior, f"{SUPERIORS[kind]} of the {name}"
        elif kind == "group":
            for number in self._organisation.members.get(name, ()):
                yield people[number], f"member of {groups[name].name}"
        elif kind == "group-owner":
            owner = people.get((groups[name].owner_id if name in groups else None) or 0)
            if owner is not None:
                yield owner, f"owner of {groups[name].name}"
        elif kind == "person":
            if int(name) in people:
                yield people[int(name)], "named in the request"
        else:
            message = f"This is not a rule of a route: {kind}:{name}"
            raise ValueError(message)

    def _superior(self, relation: str, person: Person) -> Person | None:
        people = self._organisation.people
        if relation == "unit-head":
            return people.get(person.unit.head_id or 0)
        manager = people.get(person.manager_id or 0)
        if relation == "line-manager" or manager is None:
            return manager
        return people.get(manager.manager_id or 0)
