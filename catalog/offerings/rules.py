"""What an offering's rules say about one set of answers: facts, risk, broken rules, parameters, the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from catalog.offerings.derived import find_resource
from catalog.offerings.expressions import RuleFailed, evaluate, holds, number_of, text_of
from catalog.offerings.facts import Facts, PersonFacts, gather, person_facts
from catalog.offerings.language import OfferingDocument
from catalog.offerings.route import FromAnswer, FromCel, RiskLevel, StepRule
from portal.core.errors import FieldError

__all__ = [
    "Facts",
    "PersonFacts",
    "Reason",
    "Risk",
    "RuleFailed",
    "assess_risk",
    "broken_rules",
    "facts_for",
    "holds",
    "last_day",
    "owning_group",
    "parameters_of",
    "person_facts",
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
) -> Facts:
    """Everything that the document's expressions may read, with the risk. `today` is the requester's day.

    Raises RuleFailed when a reason for risk cannot be worked out.
    """
    facts = gather(document, answers, requester=requester, beneficiary=beneficiary, today=today)
    return Facts(document, {**facts, "risk": _assess(facts).to_json()})


def assess_risk(document: OfferingDocument, facts: Facts) -> Risk:
    """The risk that facts_for has found. Raises KeyError for facts without one."""
    return Risk.from_json(facts["risk"])


def broken_rules(document: OfferingDocument, facts: Facts) -> tuple[FieldError, ...]:
    """One error for each rule across fields that does not hold."""
    return tuple(
        FieldError(rule.field, rule.message) for rule in document.rules if not holds(rule.check, facts)
    )


def parameters_of(step: StepRule, facts: Facts) -> dict[str, Any]:
    """A fulfilment step's parameters as JSON values. Raises RuleFailed."""
    parameters: dict[str, Any] = {}
    for name, given in step.parameters.items():
        if isinstance(given, FromAnswer):
            parameters[name] = facts["answers"][given.answer]
        elif isinstance(given, FromCel):
            value = evaluate(given.cel, facts, object)
            parameters[name] = value.date().isoformat() if isinstance(value, datetime) else value
        else:
            parameters[name] = given
    return parameters


def last_day(document: OfferingDocument, facts: Facts) -> date | None:
    """The last day on which what was ordered is in place; None for no end. Raises RuleFailed."""
    if document.ends is None:
        return None
    if document.ends.date is not None:
        day = facts["answers"][document.ends.date]
        return date.fromisoformat(day) if day else None
    return date.fromisoformat(facts["today"]) + timedelta(days=number_of(document.ends.days or "", facts))


def owning_group(facts: Facts, field: str) -> str | None:
    """The slug of the group that owns what was chosen in the field, or None."""
    resource = find_resource(facts.document, field, facts["answers"][field])
    return resource.owner if resource else None


def _assess(facts: Facts) -> Risk:
    rule = facts.document.risk
    reasons = tuple(Reason(r.points, r.because) for r in rule.reasons if holds(r.when, facts))
    score = max(0, sum(reason.points for reason in reasons))
    reached: tuple[tuple[RiskLevel, int], ...] = (
        ("critical", rule.levels.critical),
        ("high", rule.levels.high),
        ("medium", rule.levels.medium),
    )
    level: RiskLevel = next((level for level, least in reached if score >= least), "low")
    return Risk(level, score, reasons)
