"""What one past request would meet with one text: refused, or so risky and on this route until then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.fulfilment.connectors.contract import Choice
from catalog.offerings.answers import check_with_facts
from catalog.offerings.facts import Facts
from catalog.offerings.form_context import FormContext
from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import OfferingVersion
from catalog.offerings.rules import RuleFailed, denial_of, holds, kind_of
from catalog.offerings.windows import next_opening
from catalog.requests.context import day_of
from catalog.requests.route import Proposal
from catalog.versions.organisation import Organisation
from catalog.versions.past import Past
from catalog.versions.routes import Routes, Shortfall, WorkedOut
from portal.core.errors import FieldError, FieldErrors
from portal.identity.model import Person


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that a request breaks: where it stands in the text, and what a person would read."""

    where: str
    says: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it. `unanswered` are labels of required questions that were not asked then."""

    refusals: tuple[Refusal, ...] = ()
    unanswered: tuple[str, ...] = ()
    risk: str = ""
    kind: str = ""
    route: WorkedOut | Shortfall | None = None
    done_at: datetime | None = None


class Judge:
    """Judges past requests by one text. Targets are never asked: what they offered and allowed then is taken as so."""

    def __init__(
        self, document: OfferingDocument, organisation: Organisation, routes: Routes, publisher_id: int | None
    ) -> None:
        self.document = document
        self._organisation = organisation
        self._routes = routes
        self._names = frozenset(field.name for field in document.fields)
        self._lenient: dict[frozenset[str], tuple[OfferingDocument, frozenset[str]]] = {}
        self._version = OfferingVersion(
            number=0,
            digest=document.digest,
            document=document.to_json(),
            source="",
            publisher_id=publisher_id,
        )

    def judge(self, past: Past, asked_then: frozenset[str]) -> Outcome:
        """The outcome; `asked_then` are the names of the fields that the request's own version had."""
        people = self._organisation.people
        requester = people[past.requester_id]
        raw = {name: answer for name, answer in past.answers.items() if name in self._names}
        document, new = self._lenient_for(asked_then)
        unanswered = tuple(
            field.label for field in self.document.fields if field.name in new and field.name not in raw
        )
        try:
            answers, facts = check_with_facts(document, raw, self._context(raw, requester, past))
            refusals = self._denied(facts)
            if refusals:
                return Outcome(refusals, unanswered)
            beneficiary = self._beneficiary(answers, requester, past)
            return self._onwards(past, beneficiary, facts, unanswered)
        except FieldErrors as errors:
            return Outcome(tuple(self._refusal(error) for error in errors.errors), unanswered)
        except RuleFailed as failed:
            where = f"the expression {' '.join(failed.expression.split())}"
            return Outcome(
                (Refusal(where, f"It gives no value for these answers: {failed.why}"),), unanswered
            )

    def _onwards(self, past: Past, beneficiary: Person, facts: Facts, unanswered: tuple[str, ...]) -> Outcome:
        unit = self._organisation.settings_of(beneficiary.unit)
        proposal = Proposal(self._version, past.requester_id, beneficiary.id, past.editor_id, facts, unit)
        route = self._routes.work_out(proposal, past.submitted_at)
        done_at = None
        if isinstance(route, WorkedOut):
            window, done_at = self.document.window, route.due
            if window is not None and (window.when is None or holds(window.when, facts)):
                done_at = next_opening(window, done_at)
        return Outcome((), unanswered, facts["risk"]["level"], kind_of(facts), route, done_at)

    def _context(self, raw: Mapping[str, Any], requester: Person, past: Past) -> FormContext:
        """The requester on the day of asking, with everything on offer that they chose then."""
        known: list[Choice] = []

        def choices(_connector: str, _name: str) -> list[Choice]:
            if not known:
                known.extend(Choice(text, text) for text in _texts(raw.values()))
            return known

        return FormContext(
            actor=self._organisation.facts_of(requester),
            today=day_of(past.submitted_at, requester.timezone),
            people=self._organisation,
            choices=choices,
        )

    def _denied(self, facts: Facts) -> tuple[Refusal, ...]:
        refusals = []
        if self.document.audience is not None and not holds(self.document.audience, facts):
            refusals.append(Refusal("audience", "Whoever asked may not order this."))
        if denial := denial_of(self.document, facts):
            refusals.append(Refusal("denials", denial))
        return tuple(refusals)

    def _refusal(self, error: FieldError) -> Refusal:
        for name, rules in (("rules", self.document.rules), ("conflicts", self.document.conflicts)):
            for number, rule in enumerate(rules):
                if rule.message == error.message:  # type: ignore[attr-defined]  # both kinds have one
                    return Refusal(f"{name}[{number}]", error.message)
        field = self.document.find_field(error.field)
        return Refusal(f"question “{field.label}”" if field else "the form", error.message)

    def _beneficiary(self, answers: Mapping[str, Any], requester: Person, past: Past) -> Person:
        if self.document.beneficiary is None:
            return requester
        named = answers.get(self.document.beneficiary)
        if not isinstance(named, str) or not named:
            return self._organisation.people[past.beneficiary_id]
        return self._organisation.by_user_name.get(named) or self._organisation.people[past.beneficiary_id]

    def _lenient_for(self, asked_then: frozenset[str]) -> tuple[OfferingDocument, frozenset[str]]:
        """The document with what was not asked then made optional, and the names of what it would require."""
        known = self._lenient.get(asked_then)
        if known is None:
            new = frozenset(f.name for f in self.document.fields if f.required and f.name not in asked_then)
            known = self._lenient[asked_then] = (_without_requiring(self.document, new), new)
        return known


def _without_requiring(document: OfferingDocument, names: frozenset[str]) -> OfferingDocument:
    if not names:
        return document
    sections = tuple(
        section.model_copy(
            update={
                "fields": tuple(
                    field.model_copy(update={"required": False}) if field.name in names else field
                    for field in section.fields
                )
            }
        )
        for section in document.form.sections
    )
    return document.model_copy(update={"form": document.form.model_copy(update={"sections": sections})})


def _texts(values: Any) -> Iterator[str]:
    """Every text in answers, however deep: what was chosen then could be chosen then."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from _texts(value.values())
        elif isinstance(value, list | tuple):
            yield from _texts(value)
