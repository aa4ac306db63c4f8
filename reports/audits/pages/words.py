"""Words for what audit.json states in codes."""

from __future__ import annotations

from datetime import date

from portal.core import times
from portal.core.language import N_, _, ngettext
from portal.core.times import number
from reports.audits.document import AttributeRule, Audit, FixedRule, PercentRule

KINDS = {"standard": N_("Standard"), "normal": N_("Normal"), "emergency": N_("Emergency")}
PROMISES = {"kept": N_("kept"), "missed": N_("missed"), "open": N_("still open"), "none": N_("no promise")}


def day_of(text: str) -> str:
    """A day of the query: 1 January 2026."""
    return times.day(date.fromisoformat(text))


def period(audit: Audit) -> str:
    """The period in its days."""
    return _(
        "%(first)s to %(last)s (%(zone)s)",
        first=day_of(audit.query.first_day),
        last=day_of(audit.query.last_day),
        zone=audit.query.zone,
    )


def scope(audit: Audit) -> tuple[tuple[str, str], ...]:
    """What was looked at, by name; everything where nothing was chosen."""
    query = audit.query
    return (
        (
            _("Units"),
            ", ".join(audit.units.get(slug, slug) for slug in query.units) or _("All units"),
        ),
        (
            _("Services"),
            ", ".join(audit.offerings.get(slug, slug) for slug in query.offerings) or _("All services"),
        ),
        (_("Controls"), ", ".join(query.controls) or _("All controls, and requests that name none")),
    )


def rule_in_words(audit: Audit) -> str:
    """How large the sample is and why, with the numbers of this audit."""
    rule, count, size = audit.sample.rule, audit.population.count, audit.sample.size
    match rule:
        case FixedRule():
            return _(
                "The auditor asked for %(wanted)s requests; the population has %(count)s, so %(size)s are drawn.",
                wanted=number(rule.size),
                count=number(count),
                size=number(size),
            )
        case PercentRule():
            return _(
                "The auditor asked for %(percent)s per cent, rounded up, but at least %(least)s and at most %(most)s; of %(count)s requests these are %(size)s.",
                percent=number(float(rule.percent)),
                least=number(rule.least),
                most=number(rule.most),
                count=number(count),
                size=number(size),
            )
        case AttributeRule():
            return _attributes(rule, count, size)


def _attributes(rule: AttributeRule, count: int, size: int) -> str:
    tolerable = -(-count * _fraction(rule.tolerable)[0] // _fraction(rule.tolerable)[1])
    return ngettext(
        "Attribute sampling without an expected deviation, confidence %(confidence)s, tolerable rate %(tolerable)s: if %(deviating)s of %(count)s requests deviated (the rate, rounded up), a sample of %(size)s would hold none of them with a probability of at most 1 minus the confidence (hypergeometric, in exact fractions); one request fewer would not do.",
        "Attribute sampling without an expected deviation, confidence %(confidence)s, tolerable rate %(tolerable)s: if %(deviating)s of %(count)s requests deviated (the rate, rounded up), a sample of %(size)s would hold none of them with a probability of at most 1 minus the confidence (hypergeometric, in exact fractions); one request fewer would not do.",
        count,
        confidence=number(float(rule.confidence)),
        tolerable=number(float(rule.tolerable)),
        deviating=number(tolerable),
        count=number(count),
        size=number(size),
    )


def _fraction(digits: str) -> tuple[int, int]:
    """A decimal number as two whole ones, so that nothing is rounded on the way."""
    whole, _dot, part = digits.partition(".")
    return int(whole + part), 10 ** len(part)
