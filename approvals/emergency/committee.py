"""The committee: who decides an emergency, in one stage in place of the whole ordinary route."""

from __future__ import annotations

from approvals.routing.relations import excluded_from, parties_of
from approvals.routing.resolve import Find, NobodyToAsk
from approvals.routing.wanted import rule_in, rule_of
from approvals.routing.words import described, in_every_language, joined
from catalog.offerings.emergency import COMMITTEE, Emergency
from catalog.offerings.first_aid import beyond_first_aid, is_emergency
from catalog.offerings.language import OfferingDocument
from catalog.offerings.route import Ask
from catalog.requests.route import Proposal, RouteApprover, RouteStage
from portal.core.errors import PortalError
from portal.core.language import N_, Said, every_language, ngettext, say

NAME = N_("Emergency committee")


class NoFirstAid(PortalError):
    """The request asks for more than may be done in an emergency; nobody was asked."""

    status = 422
    title = N_("This is not first aid")


def convenes(proposal: Proposal, document: OfferingDocument) -> bool:
    """Whether a committee decides on this proposal."""
    return is_emergency(document, proposal.facts)


def committee_stage(
    document: OfferingDocument, proposal: Proposal, find: Find, *, debt: int = 0
) -> RouteStage:
    """The one stage in which the committee decides, with the people of every seat, whom `find` finds.

    `debt` is how many reviews of earlier emergencies are open: from the offering's limit on, one more must agree.
    Too few people in the seats climb to the group that answers for the offering. Raises NoFirstAid for what is
    beyond first aid, NobodyToAsk when the quorum cannot be met; ValueError where there is no committee.
    """
    emergency = document.emergency
    if emergency is None:
        message = f"{document.slug} has no committee"
        raise ValueError(message)
    if why := beyond_first_aid(document, proposal.facts):
        raise NoFirstAid(why)
    quorum = emergency.quorum + (debt >= emergency.debt_limit)
    people, notes = _seated(document, emergency, proposal, find, quorum)
    if quorum > emergency.quorum:
        notes.append(_tightened(debt, emergency.quorum, min(quorum, len(people))))
    quorum = min(quorum, len(people))
    if quorum < emergency.quorum:
        raise NobodyToAsk(
            say(
                "The emergency committee needs %(quorum)s people to agree, and only %(people)s can be asked. "
                "Whoever asks, receives, last edited or published cannot decide. "
                "Ask the owners of this service to name more.",
                quorum=emergency.quorum,
                people=len(people),
            ),
            _as_ask(emergency),
            "too-few" if people else "nobody",
        )
    return RouteStage(
        slug=COMMITTEE,
        name=say(NAME),
        quorum=quorum,
        approvers=tuple(people.values()),
        because=joined(notes),
        target_minutes=emergency.target_minutes,
        acr=emergency.acr or "",
        calendar=document.calendar,
    )


def _seated(
    document: OfferingDocument, emergency: Emergency, proposal: Proposal, find: Find, quorum: int
) -> tuple[dict[int, RouteApprover], list[Said]]:
    """Everybody in the seats, each once; with whoever answers for the offering where they are too few."""
    rules = [rule_in(proposal.unit, rule_of(seat.approvers, proposal.facts)) for seat in emergency.committee]
    fallback = f"group:{document.route.fallback or document.owner}"
    found = find({*rules, fallback}, parties_of(proposal), excluded_from(proposal, proposal.version))
    people: dict[int, RouteApprover] = {}
    notes = [say("This is an emergency, so a committee decides and it starts at once.")]
    for seat, rule in zip(emergency.committee, rules, strict=True):
        here = found[rule]
        name = in_every_language(document, seat.name)
        if here:
            notes.append(say("%(seat)s: %(people)s.", seat=name, people=_names(here)))
        else:
            notes.append(say("%(seat)s: nobody can be asked as %(rule)s.", seat=name, rule=described(rule)))
        for person in here:
            people.setdefault(person.person_id, person)
    if len(people) < quorum:
        more = [person for person in found[fallback] if person.person_id not in people]
        if more:
            notes.append(say("Asked beside them, for they are too few: %(people)s.", people=_names(more)))
        people |= {person.person_id: person for person in more}
    return people, notes


def _tightened(debt: int, usual: int, quorum: int) -> Said:
    def speak() -> str:
        if quorum == usual:
            return ngettext(
                "%(number)s emergency waits for its review, so one more would have to agree, but nobody else can be asked.",
                "%(number)s emergencies wait for their review, so one more would have to agree, but nobody else can be asked.",
                debt,
            )
        return ngettext(
            "%(number)s emergency waits for its review, so %(quorum)s must agree instead of %(usual)s.",
            "%(number)s emergencies wait for their review, so %(quorum)s must agree instead of %(usual)s.",
            debt,
            quorum=quorum,
            usual=usual,
        )

    return every_language(speak)


def _as_ask(emergency: Emergency) -> Ask:
    return Ask(
        slug=COMMITTEE,
        name=NAME,
        when=None,
        when_says=None,
        approvers=emergency.committee[0].approvers,
        quorum=emergency.quorum,
        target_minutes=emergency.target_minutes,
        acr=emergency.acr or "",
        text=emergency.text or "",
    )


def _names(people: tuple[RouteApprover, ...] | list[RouteApprover]) -> str:
    return ", ".join(person.name for person in people)
