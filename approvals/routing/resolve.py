"""Resolving: from an offering's route to the people who must decide, now.

A stage, or a part of one, that finds too few people climbs: to the manager's manager, then to the group that the
offering falls back on, and says so. A route that still lacks somebody is an error at once, never a request that
waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from sqlalchemy.orm import Session

from approvals.routing.matching import Demand, first_unmet, people_who_fit
from approvals.routing.relations import People, excluded_from, parties_of, people_by_rule
from approvals.routing.wanted import rule_in, rule_of
from approvals.routing.words import described, in_every_language, joined
from catalog.offerings.facts import Facts
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.offerings.route import Ask
from catalog.offerings.rules import holds, kind_of
from catalog.requests.route import Proposal, RouteApprover, RouteStage
from portal.core.errors import PortalError
from portal.core.language import N_, Said, every_language, say
from portal.identity.unit_settings import UnitSettings

#: What a stage lacks: anybody, as many as its quorum, or people who do not decide another stage already.
Lack = Literal["nobody", "too-few", "twice"]
#: Finds the people of rules, given the parties and who may never decide, as relations.people_by_rule does.
Find = Callable[[set[str], Mapping[str, int], frozenset[int]], People]


class Want(NamedTuple):
    """A stage, or a part of one, that applies, with the rule that says who is asked."""

    ask: Ask
    rule: str
    #: Of the stage, from 1; its parts are counted from 0.
    position: int
    part: int


Wanted = tuple[Want, ...]


class NobodyToAsk(PortalError):
    """A stage has too few people who may decide in it; nothing was sent to anybody."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = N_("Nobody can approve this")

    def __init__(self, sentence: str, stage: Ask, lack: Lack) -> None:
        super().__init__(sentence)
        self.stage = stage
        self.lack = lack


@dataclass(slots=True)
class _Filling:
    """One stage or part while its people are looked for. `ladder` are the rules it may still climb to."""

    want: Want
    name: Said
    ladder: list[str]
    #: Who can be asked now; the others of a rota, who have their duty later, are kept aside.
    people: dict[int, RouteApprover] = field(default_factory=dict)
    later: dict[int, RouteApprover] = field(default_factory=dict)
    quorum: int = 0
    notes: list[str] = field(default_factory=list)

    def take(self, people: Sequence[RouteApprover]) -> None:
        """Count these people among those who decide."""
        for person in people:
            (self.people if person.called else self.later)[person.person_id] = person

    def climb(self, found: People) -> bool:
        """Add the people of the next rung that has somebody new; False when no rung is left."""
        while self.ladder:
            rule = self.ladder.pop(0)
            new = [person for person in found[rule] if person.person_id not in self.people]
            if new:
                self.notes.append(
                    say(
                        "Asked instead: %(names)s, as %(relation)s.",
                        names=_names(new),
                        relation=new[0].relation,
                    )
                )
                self.take(new)
                return True
            self.notes.append(say("Nobody else can be asked as %(whom)s.", whom=described(rule)))
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
    """The stages whose conditions hold, with their parts, and whom each one asks in this unit. Raises RuleFailed.

    A standard change has none: the published version is what approves it.
    """
    if kind_of(facts) == "standard":
        return ()
    wanted: list[Want] = []
    position = 1
    for stage in document.route.stages:
        if stage.when is not None and not holds(stage.when, facts):
            continue
        asks = [ask for ask in stage.asks if not ask.part_of or ask.when is None or holds(ask.when, facts)]
        wanted += [
            Want(ask, rule_in(unit, rule_of(ask.approvers, facts)), position, part)
            for part, ask in enumerate(asks)
        ]
        position += bool(asks)
    return tuple(wanted)


def fill(
    document: OfferingDocument, wanted: Wanted, proposal: Proposal, find: Find
) -> tuple[RouteStage, ...]:
    """These stages with people, whom `find` finds. Raises NobodyToAsk as `resolve` does."""
    ladders = [_ladder(want, document) for want in wanted]
    found = find(
        {want.rule for want in wanted} | {rung for ladder in ladders for rung in ladder},
        parties_of(proposal),
        excluded_from(proposal, proposal.version),
    )
    fillings = [_filled(document, want, ladder, found) for want, ladder in zip(wanted, ladders, strict=True)]
    _make_distinct(fillings, found)
    return tuple(_route_stage(fillings, index, document, proposal) for index in range(len(fillings)))


def _ladder(want: Want, document: OfferingDocument) -> list[str]:
    approvers = want.ask.approvers
    party = approvers.of if approvers.relation else "beneficiary"
    rungs = (f"manager-of-manager:{party}", f"group:{document.route.fallback or document.owner}")
    return [rung for rung in rungs if rung != want.rule]


def _filled(document: OfferingDocument, want: Want, ladder: list[str], found: People) -> _Filling:
    ask = want.ask
    filling = _Filling(want, in_every_language(document, ask.name), list(ladder))
    filling.take(found[want.rule])
    if ask.when_says:
        says = ask.when_says
        filling.notes.append(every_language(lambda: f"{document.speak(says).rstrip('.')}."))
    if filling.people:
        filling.notes.append(say("Asked as %(relation)s.", relation=found[want.rule][0].relation))
        if filling.later:
            filling.notes.append(
                say("After them: %(names)s, when it is their turn.", names=_names([*filling.later.values()]))
            )
    else:
        filling.notes.append(say("Nobody can be asked as %(whom)s.", whom=described(want.rule)))
        filling.climb(found)
    filling.quorum = len(filling.people) if ask.quorum == "all" else ask.quorum
    if not filling.people:
        raise NobodyToAsk(
            say(
                "Nobody can decide the stage “%(stage)s” of this request. %(notes)s Whoever asks, receives, last "
                "edited or published cannot decide. Ask the owners of this service to name somebody.",
                stage=filling.name,
                notes=joined(filling.notes),
            ),
            ask,
            "nobody",
        )
    if filling.quorum > len(filling.people):
        raise NobodyToAsk(
            say(
                "The stage “%(stage)s” needs %(quorum)s people to agree, and only %(people)s can be asked. %(notes)s "
                "Ask the owners of this service to name more.",
                stage=filling.name,
                quorum=filling.quorum,
                people=len(filling.people),
                notes=joined(filling.notes),
            ),
            ask,
            "too-few",
        )
    return filling


def _make_distinct(fillings: Sequence[_Filling], found: People) -> None:
    """Let stages climb until different people can fill every quorum. Raises NobodyToAsk when they cannot."""
    while (position := first_unmet(_demands(fillings))) is not None:
        short = fillings[position]
        if not short.climb(found):
            raise NobodyToAsk(
                say(
                    "The stage “%(stage)s” would need a person to decide twice: one person counts once in a request. "
                    "%(notes)s Ask the owners of this service to name somebody else.",
                    stage=short.name,
                    notes=joined(short.notes),
                ),
                short.want.ask,
                "twice",
            )


def _demands(fillings: Sequence[_Filling]) -> list[Demand]:
    return [Demand(filling.quorum, frozenset(filling.people)) for filling in fillings]


def _route_stage(
    fillings: Sequence[_Filling], index: int, document: OfferingDocument, proposal: Proposal
) -> RouteStage:
    """The stage without those who must be kept for another one, since nobody else could decide there."""
    filling = fillings[index]
    ask = filling.want.ask
    fit = people_who_fit(_demands(fillings), index)
    kept = [person for number, person in filling.people.items() if number not in fit]
    if kept:
        filling.notes.append(
            say("%(names)s must decide another stage instead: one person counts once.", names=_names(kept))
        )
    asked = [person for number, person in filling.people.items() if number in fit]
    later = [person for number, person in filling.later.items() if number not in filling.people]
    return RouteStage(
        slug=ask.slug,
        name=filling.name,
        quorum=filling.quorum,
        approvers=(*asked, *later),
        because=joined(filling.notes),
        target_minutes=proposal.unit.target_for(document.slug, ask.slug, ask.target_minutes),
        acr=ask.acr,
        calendar=document.calendar,
        position=filling.want.position,
        part=filling.want.part,
        part_of=in_every_language(document, ask.part_of) if ask.part_of else "",
    )


def _names(people: Sequence[RouteApprover]) -> str:
    return ", ".join(person.name for person in people)
