"""What an offering's rules say about one set of answers: facts, risk, broken rules, parameters, the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from catalog.offerings.derived import find_resource
from catalog.offerings.expressions import RuleFailed, evaluate, holds, number_of, spoken_by, text_of
from catalog.offerings.facts import Facts, Held, PersonFacts, gather, person_facts, timestamp
from catalog.offerings.language import OfferingDocument
from catalog.offerings.policy import Conflict, Denial, Kind
from catalog.offerings.route import FromAnswer, FromCel, RiskLevel, StepRule
from catalog.offerings.translating import STEP_TEXTS, said_alike
from catalog.offerings.words import span_of
from portal.core.canonical import digest
from portal.core.errors import FieldError
from portal.core.language import _

__all__ = [
    "Facts",
    "Held",
    "PersonFacts",
    "Reason",
    "Risk",
    "RuleFailed",
    "assess_risk",
    "broken_rules",
    "denial_of",
    "facts_for",
    "holds",
    "kind_of",
    "last_day",
    "lasts",
    "likeness_of",
    "owner_rule_of",
    "owning_group",
    "parameters_of",
    "person_facts",
    "say_text",
    "starts_at",
    "text_of",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One circumstance that counts towards the risk."""

    points: int
    because: str


@dataclass(frozen=True, slots=True)
class Risk:
    """How much could go wrong, and why."""

    level: RiskLevel
    score: int
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        """What is kept with the request and sealed."""
        return {
            "level": self.level,
            "score": self.score,
            "reasons": [{"points": reason.points, "because": reason.because} for reason in self.reasons],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Risk:
        """Raises KeyError when a part is missing."""
        reasons = tuple(Reason(reason["points"], reason["because"]) for reason in value["reasons"])
        return cls(value["level"], value["score"], reasons)


def facts_for(
    document: OfferingDocument,
    answers: Mapping[str, Any],
    *,
    requester: PersonFacts,
    beneficiary: PersonFacts,
    today: date,
    held: Held | None = None,
) -> Facts:
    """Everything that the document's expressions may read, with risk and kind. `today` is the requester's day.

    Raises RuleFailed when a reason for risk cannot be worked out.
    """
    facts = gather(document, answers, requester=requester, beneficiary=beneficiary, today=today, held=held)
    weighed = Facts(document, {**facts, "risk": _assess(facts).to_json()})
    return Facts(document, {**weighed, "kind": _kind(weighed)})


def assess_risk(document: OfferingDocument, facts: Facts) -> Risk:
    """The risk that facts_for has found. Raises KeyError for facts without one."""
    return Risk.from_json(facts["risk"])


def broken_rules(document: OfferingDocument, facts: Facts) -> tuple[FieldError, ...]:
    """One error for each rule across fields that does not hold, and for each conflict that refuses.

    Facts without risk are enough.
    """
    errors = [FieldError(rule.field, rule.message) for rule in document.rules if not holds(rule.check, facts)]
    errors += [
        FieldError(conflict.field or "", conflict.message)
        for conflict in document.conflicts
        if conflict.then == "refuse" and holds(conflict.when, facts)
    ]
    if (
        document.rollback is not None
        and document.rollback_required is not None
        and not facts["answered"][document.rollback]
        and holds(document.rollback_required, facts)
    ):
        message = _("A rollback plan is required for this. Say how you go back if it causes trouble.")
        errors.append(FieldError(document.rollback, message))
    return tuple(errors)


def denial_of(document: OfferingDocument, facts: Facts) -> str:
    """Why the portal itself says no: the first denial or refusing conflict that holds; empty for nothing."""
    refusing = (conflict for conflict in document.conflicts if conflict.then == "refuse")
    against: tuple[Denial | Conflict, ...] = (*document.denials, *refusing)
    return next((rule.message for rule in against if holds(rule.when, facts)), "")


def kind_of(facts: Facts) -> Kind:
    """The kind of change that facts_for has found."""
    return cast("Kind", facts["kind"])


def likeness_of(document: OfferingDocument, answers: Mapping[str, Any], beneficiary: str) -> str:
    """What two open requests for the same have in common: a digest, or empty where the offering names no fields."""
    if not document.duplicates:
        return ""
    return digest([beneficiary, {name: answers.get(name) for name in document.duplicates}])


def starts_at(document: OfferingDocument, facts: Facts) -> datetime | None:
    """The moment (UTC) before which nothing is carried out; None where the offering or the answers name none."""
    moment = facts["answers"][document.starts] if document.starts else None
    return timestamp(moment) if moment else None


def lasts(document: OfferingDocument, facts: Facts) -> timedelta | None:
    """How long it lasts from its start, where the offering's end is a duration; else None."""
    name = document.ends.lasting if document.ends else None
    given = facts["answers"][name] if name else None
    return timedelta(minutes=span_of(given)) if given else None


def parameters_of(step: StepRule, facts: Facts) -> dict[str, Any]:
    """A fulfilment step's parameters as JSON values; those that people read in every language. Raises RuleFailed."""
    parameters: dict[str, Any] = {}
    said = STEP_TEXTS.get(step.connector, {})
    for name, given in step.parameters.items():
        if name in said and not isinstance(given, FromAnswer):
            parameters[name] = _say(given, facts)
        elif isinstance(given, FromAnswer):
            parameters[name] = facts["answers"][given.answer]
        elif isinstance(given, FromCel):
            value = evaluate(given.cel, facts, object)
            parameters[name] = value.date().isoformat() if isinstance(value, datetime) else value
        elif isinstance(given, tuple):
            parameters[name] = list(given)
        else:
            parameters[name] = given
    return parameters


def say_text(expression: str, facts: Facts, *, longest: int) -> str:
    """The line that the expression gives, in every language that the offering has it in. Raises RuleFailed."""

    def speaker() -> str:
        line = " ".join(str(spoken_by(expression, facts)).split())
        return line if len(line) <= longest else line[: longest - 1] + "…"

    return said_alike(speaker)


def _say(given: Any, facts: Facts) -> Any:
    """A text, or a list of them, in every language."""
    document = facts.document
    if isinstance(given, FromCel):
        if isinstance(value := evaluate(given.cel, facts, object), list):
            return [
                said_alike(lambda place=place: str(spoken_by(given.cel, facts)[place]))  # type: ignore[misc]
                for place in range(len(value))
            ]
        return said_alike(lambda: str(spoken_by(given.cel, facts))) if isinstance(value, str) else value
    if isinstance(given, tuple):
        return [_say(item, facts) for item in given]
    return said_alike(lambda: document.speak(given)) if isinstance(given, str) else given


def last_day(document: OfferingDocument, facts: Facts) -> date | None:
    """The last day on which what was ordered is in place; None for no end, or one by the clock. Raises RuleFailed."""
    if document.ends is None or document.ends.lasting is not None:
        return None
    if document.ends.date is not None:
        day = facts["answers"][document.ends.date]
        return date.fromisoformat(day) if day else None
    return date.fromisoformat(facts["today"]) + timedelta(days=number_of(document.ends.days or "", facts))


def owning_group(facts: Facts, field: str) -> str | None:
    """The slug of the group that owns what was chosen in the field, or None."""
    resource = find_resource(facts.document, field, facts["answers"][field])
    return resource.owner if resource else None


def owner_rule_of(facts: Facts, field: str) -> str:
    """Who owns what was chosen in the field, as a rule of a route: `group:<slug>` or `asset-owner:<id>`.

    A group without a name, which has no members, stands for no owner. Whoever owns an asset is read from the
    register each time, because the answer keeps who did when it was asked for.
    """
    found = facts.document.find_field(field)
    if found is not None and found.kind == "asset":
        return f"asset-owner:{facts['answers'][field] or ''}"
    return f"group:{owning_group(facts, field) or ''}"


def _assess(facts: Facts) -> Risk:
    rule = facts.document.risk
    reasons = tuple(Reason(r.points, r.because) for r in rule.reasons if holds(r.when, facts))
    reasons += tuple(
        Reason(conflict.points, conflict.message)
        for conflict in facts.document.conflicts
        if conflict.then == "raise" and holds(conflict.when, facts)
    )
    score = max(0, sum(reason.points for reason in reasons))
    reached: tuple[tuple[RiskLevel, int], ...] = (
        ("critical", rule.levels.critical),
        ("high", rule.levels.high),
        ("medium", rule.levels.medium),
    )
    level: RiskLevel = next((level for level, least in reached if score >= least), "low")
    return Risk(level, score, reasons)


def _kind(facts: Facts) -> Kind:
    kind = facts.document.kind
    if isinstance(kind, str):
        return kind
    return next(rule.kind for rule in kind if rule.when is None or holds(rule.when, facts))
