"""Control matrix: which requests support which control, as the published versions of their offerings name them."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy.orm import Session

from portal.core import times
from portal.core.language import _, ngettext
from reports.audits.document import Audit
from reports.audits.scope import Scope
from reports.audits.sections.shapes import Column, Shown, Table, called
from reports.charts.bars import bars
from reports.charts.chart import Amount
from reports.evidence.terms import Count, Part

#: Where a request got as far as its target.
CARRIED_OUT = frozenset({"fulfilled", "ended"})
#: As many controls as a chart shows; all of them stand in the table.
DRAWN = 12


class ControlLine(Part):
    """One control of one framework: how many requests support it, by offering; so many of all were carried out."""

    framework: str
    control: str
    requests: Count
    carried_out: Count
    offerings: dict[str, Count]


class Facts(Part):
    """Every control that a request of the population supports. `without` are requests that name none."""

    lines: tuple[ControlLine, ...]
    without: Count


def gather(_session: Session, scope: Scope) -> Facts:
    """From the population alone."""
    offerings: dict[str, Counter[str]] = defaultdict(Counter)
    done: Counter[str] = Counter()
    without = 0
    for member in scope.members:
        row = member.row
        without += not row.controls
        for control in row.controls:
            offerings[control][row.offering] += 1
            done[control] += row.state in CARRIED_OUT
    lines = []
    for name in sorted(offerings, key=_natural):
        # An identifier has no space in it; a framework has.
        framework, _space, control = name.rpartition(" ")
        counts = dict(sorted(offerings[name].items()))
        lines.append(
            ControlLine(
                framework=framework,
                control=control,
                requests=sum(counts.values()),
                carried_out=done[name],
                offerings=counts,
            )
        )
    return Facts(lines=tuple(lines), without=without)


def show(audit: Audit, facts: Facts) -> Shown:
    """The matrix: one line for each control."""
    frameworks = list(dict.fromkeys(line.framework for line in facts.lines))
    claim = (
        _(
            "The %(requests)s requests of the population support %(controls)s controls of %(frameworks)s frameworks.",
            requests=times.number(audit.population.count),
            controls=times.number(len(facts.lines)),
            frameworks=times.number(len(frameworks)),
        )
        if facts.lines
        else _("No request of the population supports a control.")
    )
    tables = tuple(
        Table(
            framework,
            (
                Column(_("Control"), 26),
                Column(_("Requests"), 20, figure=True),
                Column(_("Carried out"), 22, figure=True),
                Column(_("Services, with how many requests each")),
            ),
            tuple(
                (
                    line.control,
                    times.number(line.requests),
                    times.number(line.carried_out),
                    "; ".join(
                        f"{called(audit.offerings, slug)}: {times.number(count)}"
                        for slug, count in line.offerings.items()
                    ),
                )
                for line in facts.lines
                if line.framework == framework
            ),
        )
        for framework in frameworks
    )
    most = sorted(facts.lines, key=lambda line: (-line.requests, _natural(line.control)))[:DRAWN]
    chart = bars(
        "controls-most",
        _("The controls that most requests support"),
        _("Most requests support %(control)s.", control=most[0].control) if most else claim,
        [Amount(f"{line.framework} {line.control}", line.requests) for line in most],
        measured=_("Requests"),
        label=_("Control"),
    )
    not_looked_at = [
        _(
            "Whether a control is met: a request supports a control because its service says so; the judgement is for the auditor."
        ),
        _("Controls that no service of this portal names, and what happened outside of this portal."),
    ]
    if facts.without:
        not_looked_at.append(
            ngettext(
                "%(number)s request names no control.", "%(number)s requests name no control.", facts.without
            )
        )
    return Shown(
        title=_("Control matrix"),
        claim=claim,
        tone="good" if facts.lines else "wait",
        checked=(
            _(
                "Each request counts for every control that the version of the service it was made with names. The register in the annex tells the service and the version of each request, so that every figure can be counted again."
            ),
        ),
        figures=(
            (_("Controls supported"), times.number(len(facts.lines))),
            (_("Frameworks"), times.number(len(frameworks))),
        ),
        charts=(chart,) if most else (),
        tables=tables,
        in_tables=frozenset({"controls-most"}),
        not_looked_at=tuple(not_looked_at),
    )


def _natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Numbers in order of their size: AC-2 before AC-10."""
    parts: list[tuple[bool, int, str]] = []
    digits = ""
    for character in name + "\0":
        if character.isdecimal():
            digits += character
            continue
        if digits:
            parts.append((True, int(digits), ""))
            digits = ""
        parts.append((False, 0, character))
    return tuple(parts)
