"""What a set of answers means: the people, the facts that rules read, the end and the title."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.entitlements.extending.model import Extension
from catalog.entitlements.held import held_by
from catalog.fulfilment.connectors.contract import Beneficiary
from catalog.offerings.audience import groups_of
from catalog.offerings.facts import Facts, person_facts
from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.offerings.rules import facts_for, last_day, lasts, say_text, starts_at
from catalog.requests.model import Request
from catalog.requests.route import Proposal
from portal.core.errors import FieldError
from portal.core.language import say
from portal.identity.model import Person
from portal.identity.unit_settings import UnitSettings

LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class Context:
    """Checked answers with all that follows from them.

    `ends_at` is UTC, or None for no end; of a duration it is the end if nobody let it wait, see `end_when_granted`.
    """

    version: OfferingVersion
    document: OfferingDocument
    answers: Mapping[str, Any]
    requester: Person
    beneficiary: Person
    facts: Facts
    ends_at: datetime | None

    @property
    def receiver(self) -> Beneficiary:
        """The beneficiary as targets know them."""
        return Beneficiary(self.beneficiary.user_name, self.beneficiary.name, self.beneficiary.email)

    @property
    def lasts(self) -> timedelta | None:
        """How long it lasts by the clock from when it is granted, where that is what was asked for."""
        return lasts(self.document, self.facts)

    @property
    def title(self) -> str:
        """One line that tells this request from others of the offering, in every language."""
        return say_text(self.document.title, self.facts, longest=LONGEST_TITLE)

    @property
    def reason(self) -> str:
        """Why it is asked for, in the requester's words; empty where the offering does not ask."""
        return str(self.answers.get(self.document.reason) or "") if self.document.reason else ""

    def proposal(self, editor_id: int) -> Proposal:
        """The request as routing needs it."""
        return Proposal(
            version=self.version,
            requester_id=self.requester.id,
            beneficiary_id=self.beneficiary.id,
            editor_id=editor_id,
            facts=self.facts,
            unit=UnitSettings.from_json(self.beneficiary.unit.settings),
        )


def context_for(
    session: Session,
    version: OfferingVersion,
    answers: Mapping[str, Any],
    *,
    requester: Person,
    at: datetime,
    beneficiary: Person | None = None,
    without: int | None = None,
) -> Context:
    """Checked answers in context. `at` is when they were given: the requester's day then is the rules' today.

    `without` is an entitlement that does not count as held, because it is the one that is to be extended.
    Raises FieldError when the person named in the answers is not there any more, RuleFailed for a rule.
    """
    document = document_of(version)
    receiver = beneficiary or _beneficiary(session, document, answers, requester)
    today = day_of(at, requester.timezone)
    facts = facts_for(
        document,
        answers,
        requester=person_facts(requester, groups=groups_of(session, requester.id)),
        beneficiary=person_facts(receiver),
        today=today,
        held=held_by(session, receiver.user_name, without=without) if document.conflicts else None,
    )
    return Context(
        version=version,
        document=document,
        answers=answers,
        requester=requester,
        beneficiary=receiver,
        facts=facts,
        ends_at=_end(document, facts, at=at, timezone=requester.timezone),
    )


#: What a worker may be late for a start that was named before the end moves with it.
_PUNCTUAL = timedelta(minutes=1)


def end_when_granted(context: Context, granted_at: datetime) -> datetime | None:
    """When what is granted at this moment ends (UTC): the clock of a duration starts when it is granted.

    A day that was named stays that day, and so does the end of what was granted at the start that was named.
    """
    document, facts = context.document, context.facts
    duration = lasts(document, facts)
    if duration is not None:
        start = starts_at(document, facts)
        on_time = start is not None and start <= granted_at <= start + _PUNCTUAL
        return (start if on_time and start else granted_at).astimezone(UTC) + duration
    if document.ends is None or document.ends.days is None:
        return context.ends_at
    day = last_day(document, facts)
    if day is None:
        return None
    zone = context.requester.timezone
    waited = day_of(granted_at, zone) - date.fromisoformat(facts["today"])
    return close_of_day(day + waited, zone)


def _end(document: OfferingDocument, facts: Facts, *, at: datetime, timezone: str) -> datetime | None:
    """When it ends (UTC) if it is granted at once: by the clock from its start or from `at`, or with a day's close."""
    duration = lasts(document, facts)
    if duration is not None:
        return (starts_at(document, facts) or at).astimezone(UTC) + duration
    return close_of_day(last_day(document, facts), timezone)


def context_of(session: Session, request: Request) -> Context:
    """The context of a request that was submitted; its own people, and its day of submitting."""
    return context_for(
        session,
        request.version,
        request.answers,
        requester=request.requester,
        beneficiary=request.beneficiary,
        at=request.submitted_at,
        without=_extended(session, request),
    )


def _extended(session: Session, request: Request) -> int | None:
    """What the request extends, if anything; read only where rules look at what is held."""
    if not document_of(request.version).conflicts:
        return None
    return session.scalar(select(Extension.entitlement_id).where(Extension.request_id == request.id))


def day_of(moment: datetime, timezone: str) -> date:
    """The day that it is in the zone at that moment."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def close_of_day(day: date | None, timezone: str) -> datetime | None:
    """The UTC instant at which the day is over in the zone; None for no day."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def get_person(session: Session, person_id: int) -> Person:
    """The person with their unit, in one statement."""
    statement = select(Person).where(Person.id == person_id).options(joinedload(Person.unit))
    return session.scalars(statement).one()


def _beneficiary(
    session: Session, document: OfferingDocument, answers: Mapping[str, Any], requester: Person
) -> Person:
    if document.beneficiary is None:
        return requester
    user_name = answers.get(document.beneficiary)
    if user_name in (None, "", requester.user_name):
        return requester
    statement = select(Person).where(Person.user_name == user_name, Person.active)
    person = session.scalars(statement.options(joinedload(Person.unit))).one_or_none()
    if person is None:
        raise FieldError(
            document.beneficiary, say("This person is not in the organisation any more; choose another.")
        )
    return person
