"""Routes over one reading of the organisation: for thousands of requests at once, without the database.

The stages are filled by the same code that fills those of a real request (resolve.fill); only where the people come
from differs. A test holds the two answers against each other, rule by rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from approvals.routing import words
from approvals.routing.deadlines import calendar_for, calendar_of, due_in_turn
from approvals.routing.relations import PARTIES, SUPERIORS, People
from approvals.routing.resolve import NobodyToAsk, Wanted, fill, stages_wanted
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.requests.route import Proposal, RouteApprover, RouteStage
from catalog.versions.organisation import Organisation
from catalog.versions.routes import Shortfall, StageOutline, WorkedOut
from portal.core.calendar import WorkingCalendar
from portal.identity.model import Person

#: The kinds of rules that offerings can name.
RULES = frozenset({*SUPERIORS, "group", "group-owner", "person", "named", "asset-owner", "rota"})


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
        due = due_in_turn(
            (
                (stage.outline.position, stage.calendars, stage.minutes, stage.outline.quorum)
                for stage in stages
            ),
            start,
        )
        return WorkedOut(tuple(stage.outline for stage in stages), due)

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
            tuple((want.ask.slug, want.rule) for want in wanted),
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
            StageOutline(stage.slug, str(stage.name), rules, stage.quorum, stage.position),
            stage.target_minutes,
            tuple(
                calendar_for(person.rule, self._calendar(document, people[person.person_id]))
                for person in stage.called
            ),
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
                    RouteApprover(
                        person.id, person.issuer, person.subject, person.name, relation, rule, called
                    )
                    for person, relation, called in self._meant(kind, name, parties)
                    if person.active
                )
            found[rule] = tuple(person for person in self._people[key] if person.person_id not in excluded)
        return found

    def means(self, rule: str, person_id: int, parties: Mapping[str, int], excluded: frozenset[int]) -> bool:
        """Whether the rule means this person now and they may decide; a rule that is not an offering's always does."""
        if rule.partition(":")[0] not in RULES:
            return True
        return any(
            found.person_id == person_id and found.called
            for found in self.find({rule}, parties, excluded)[rule]
        )

    def _meant(self, kind: str, name: str, parties: Mapping[str, int]) -> Iterator[tuple[Person, str, bool]]:
        organisation = self._organisation
        people = organisation.people
        one: tuple[Person | None, Callable[[], str]] | None = None
        if kind in SUPERIORS and name in PARTIES:
            one = self._superior(kind, people[parties[name]]), lambda: words.superior(f"{kind}:{name}")
        elif kind == "group-owner":
            group = organisation.groups.get(name)
            owner = people.get((group.owner_id if group else None) or 0)
            one = owner, lambda: words.owner(group.name if group else name)
        elif kind == "person":
            one = people.get(int(name)), words.named
        elif kind == "named":
            one = organisation.by_user_name.get(name), words.named
        elif kind not in self._several:
            message = f"This is not a rule of a route: {kind}:{name}"
            raise ValueError(message)
        if one is None:
            yield from self._several[kind](name)
        elif one[0] is not None:
            yield one[0], one[1](), True

    @cached_property
    def _several(self) -> Mapping[str, Callable[[str], Iterator[tuple[Person, str, bool]]]]:
        return {"group": self._members, "asset-owner": self._asset_owners, "rota": self._on_duty}

    def _members(self, slug: str) -> Iterator[tuple[Person, str, bool]]:
        for number in self._organisation.members.get(slug, ()):
            relation = words.member(self._organisation.groups[slug].name)
            yield self._organisation.people[number], relation, True

    def _on_duty(self, slug: str) -> Iterator[tuple[Person, str, bool]]:
        for duty in self._organisation.duties.get(slug, ()):
            yield self._organisation.people[duty.person.id], words.on_duty(duty.rota_name), duty.now

    def _asset_owners(self, asset_id: str) -> Iterator[tuple[Person, str, bool]]:
        asset = self._organisation.assets.get(asset_id)
        if asset is None:
            return
        people = self._organisation.people
        if asset.owner_id is not None:
            yield people[asset.owner_id], words.owner(asset.name), True
        elif asset.group is not None:
            group = self._organisation.groups[asset.group]
            for number in self._organisation.members.get(asset.group, ()):
                yield people[number], words.owners(asset.name, group.name), True

    def _superior(self, relation: str, person: Person) -> Person | None:
        people = self._organisation.people
        if relation == "unit-head":
            return people.get(person.unit.head_id or 0)
        manager = people.get(person.manager_id or 0)
        if relation == "line-manager" or manager is None:
            return manager
        return people.get(manager.manager_id or 0)
