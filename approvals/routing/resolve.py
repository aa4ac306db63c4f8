"""Resolving: from an offering's route to the people who must decide, now.

A stage that finds nobody climbs: to the manager's manager, then to the group that answers for the offering, and
says so. A route that still lacks somebody is an error at once, never a request that waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sqlalchemy.orm import Session

from approvals.routing.matching import Demand, first_unmet, people_who_fit
from approvals.routing.relations import SUPERIORS, People, excluded_from, parties_of, people_by_rule
from approvals.routing.wanted import rule_in, rule_of
from catalog.offerings.facts import Facts
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.offerings.route import StageRule
from catalog.offerings.rules import holds, kind_of
from catalog.requests.route import Proposal, RouteApprover, RouteStage
from portal.core.errors import PortalError
from portal.identity.unit_settings import UnitSettings

#: What a stage lacks: anybody, as many as its quorum, or people who do not decide another stage already.
Lack = Literal["nobody", "too-few", "twice"]
#: Finds the people of rules, given the parties and who may never decide, as relations.people_by_rule does.
Find = Callable[[set[str], Mapping[str, int], frozenset[int]], People]
#: The stages that apply, each with the rule that says who is asked.
Wanted = tuple[tuple[StageRule, str], ...]


class NobodyToAsk(PortalError):
    """A stage has too few people who may decide in it; nothing was sent to anybody."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "Nobody can approve this"

    def __init__(self, sentence: str, stage: StageRule, lack: Lack) -> None:
        super().__init__(sentence)
        self.stage = stage
        self.lack = lack


@dataclass(slots=True)
class _Filling:
    """One stage while its people are looked for. `ladder` are the rules it may still climb to."""

    stage: StageRule
    ladder: list[str]
    people: dict[int, RouteApprover] = field(default_factory=dict)
    quorum: int = 0
    notes: list[str] = field(default_factory=list)

    def climb(self, found: People) -> bool:
        """Add the people of the next rung that has somebody new; False when no rung is left."""
        while self.ladder:
            rule = self.ladder.pop(0)
            new = [person for person in found[rule] if person.person_id not in self.people]
            if new:
                self.notes.append(f"Asked instead: {_names(new)}, as {new[0].relation}.")
                self.people |= {person.person_id: person for person in new}
                return True
            self.notes.append(f"Nobody else can be asked as {spoken(rule)}.")
        return False


def resolve(session: Session, proposal: Proposal) -> tuple[RouteStage, ...]:
    """The stages that the proposal takes and the people of each, in at most four statements.

    Raises NobodyToAsk with a sentence when a stage has too few people, or when the stages can only be filled by
    one person deciding twice. An offering whose stages all have conditions that do not hold gives an empty
    route: it is approved by its published policy.
    """

    def find(rules: set[str], parties: Mapping[str, int], excluded: frozenset[int]) -> People:
        return people_by_rule(session, rules, parties, excluded=excluded)

    document = document_of(proposal.version)
    return fill(document, stages_wanted(document, proposal.facts, proposal.unit), proposal, find)


def stages_wanted(document: OfferingDocument, facts: Facts, unit: UnitSettings) -> Wanted:
    """The stages whose conditions hold, in order, and whom each one asks in this unit. Raises RuleFailed.

    A standard change has none: the published version is what approves it.
    """
    if kind_of(facts) == "standard":
        return ()
    return tuple(
        (stage, rule_in(unit, rule_of(stage.approvers, facts)))
        for stage in document.route.stages
        if stage.when is None or holds(stage.when, facts)
    )


def fill(
    document: OfferingDocument, wanted: Wanted, proposal: Proposal, find: Find
) -> tuple[RouteStage, ...]:
    """These stages with people, whom `find` finds. Raises NobodyToAsk as `resolve` does."""
    ladders = [_ladder(stage, rule, document) for stage, rule in wanted]
    found = find(
        {rule for _, rule in wanted} | {rung for ladder in ladders for rung in ladder},
        parties_of(proposal),
        excluded_from(proposal, proposal.version),
    )
    fillings = [
        _filled(stage, rule, ladder, found) for (stage, rule), ladder in zip(wanted, ladders, strict=True)
    ]
    _make_distinct(fillings, found)
    return tuple(_route_stage(fillings, position, document, proposal) for position in range(len(fillings)))


def spoken(rule: str) -> str:
    """A rule in words, where nobody was found who could be named instead."""
    kind, _, name = rule.partition(":")
    match kind:
        case "group":
            return f"member of the group {name or 'that owns it, for none does'}"
        case "group-owner":
            return f"owner of the group {name}"
        case "person":
            return "the person named in the request"
        case _:
            return f"{SUPERIORS[kind]} of the {name}"


def _ladder(stage: StageRule, rule: str, document: OfferingDocument) -> list[str]:
    party = stage.approvers.of if stage.approvers.relation else "beneficiary"
    rungs = (f"manager-of-manager:{party}", f"group:{document.owner}")
    return [rung for rung in rungs if rung != rule]


def _filled(stage: StageRule, rule: str, ladder: list[str], found: People) -> _Filling:
    filling = _Filling(stage, list(ladder), {person.person_id: person for person in found[rule]})
    if stage.when_says:
        filling.notes.append(f"{stage.when_says.rstrip('.')}.")
    if filling.people:
        filling.notes.append(f"Asked as {found[rule][0].relation}.")
    else:
        filling.notes.append(f"Nobody can be asked as {spoken(rule)}.")
        filling.climb(found)
    filling.quorum = len(filling.people) if stage.quorum == "all" else stage.quorum
    if not filling.people:
        raise NobodyToAsk(
            f"Nobody can decide the stage “{stage.name}” of this request. {' '.join(filling.notes)} "
            "Whoever asks, receives, last edited or published cannot decide. "
            "Ask the owners of this service to name somebody.",
            stage,
            "nobody",
        )
    if filling.quorum > len(filling.people):
        raise NobodyToAsk(
            f"The stage “{stage.name}” needs {filling.quorum} people to agree, and only {len(filling.people)} can "
            f"be asked. {' '.join(filling.notes)} Ask the owners of this service to name more.",
            stage,
            "too-few",
        )
    return filling


def _make_distinct(fillings: Sequence[_Filling], found: People) -> None:
    """Let stages climb until different people can fill every quorum. Raises NobodyToAsk when they cannot."""
    while (position := first_unmet(_demands(fillings))) is not None:
        short = fillings[position]
        if not short.climb(found):
            raise NobodyToAsk(
                f"The stage “{short.stage.name}” would need a person to decide twice: one person counts once in a "
                f"request. {' '.join(short.notes)} Ask the owners of this service to name somebody else.",
                short.stage,
                "twice",
            )


def _demands(fillings: Sequence[_Filling]) -> list[Demand]:
    return [Demand(filling.quorum, frozenset(filling.people)) for filling in fillings]


def _route_stage(
    fillings: Sequence[_Filling], position: int, document: OfferingDocument, proposal: Proposal
) -> RouteStage:
    """The stage without those who must be kept for another one, since nobody else could decide there."""
    filling = fillings[position]
    fit = people_who_fit(_demands(fillings), position)
    kept = [person for number, person in filling.people.items() if number not in fit]
    if kept:
        filling.notes.append(f"{_names(kept)} must decide another stage instead: one person counts once.")
    return RouteStage(
        slug=filling.stage.slug,
        name=filling.stage.name,
        quorum=filling.quorum,
        approvers=tuple(person for number, person in filling.people.items() if number in fit),
        because=" ".join(filling.notes),
        target_minutes=proposal.unit.target_for(
            document.slug, filling.stage.slug, filling.stage.target_minutes
        ),
        acr=filling.stage.acr or "",
        calendar=document.calendar,
    )


def _names(people: Sequence[RouteApprover]) -> str:
    return ", ".join(person.name for person in people)
