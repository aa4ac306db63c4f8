"""Words for what audit.json states in codes."""

from __future__ import annotations

from datetime import date, datetime

from portal.core import times
from portal.core.language import N_, _, ngettext
from portal.core.times import number
from reports.audits.document import AttributeRule, Audit, FixedRule, PercentRule, QueryPart
from reports.audits.scope import cut_at

KINDS = {"standard": N_("Standard"), "normal": N_("Normal"), "emergency": N_("Emergency")}
PROMISES = {"kept": N_("kept"), "missed": N_("missed"), "open": N_("still open"), "none": N_("no promise")}


def day_of(text: str) -> str:
    """A day of the query: 1 January 2026."""
    return times.day(date.fromisoformat(text))


def days(first: date, last: date, up_to: str = "") -> str:
    """A period: 1 October 2026 to 31 October 2026; of one that was cut, up to which time: …, up to 06:41."""
    words = {"first": times.day(first), "last": times.day(last)}
    if up_to:
        return _("%(first)s to %(last)s, up to %(time)s", time=up_to, **words)
    return _("%(first)s to %(last)s", **words)


def cut_of(query: QueryPart) -> datetime | None:
    """Where the period was cut because its last day was not over when it was ordered, in its zone."""
    return cut_at(datetime.fromisoformat(query.until), date.fromisoformat(query.last_day), query.zone)


def period(audit: Audit) -> str:
    """The period in its days, and up to which time of the last one where that was not over."""
    cut = cut_of(audit.query)
    if cut is not None:
        return _(
            "%(first)s to %(last)s, up to %(time)s (%(zone)s)",
            first=day_of(audit.query.first_day),
            last=day_of(audit.query.last_day),
            time=times.clock(cut),
            zone=audit.query.zone,
        )
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
