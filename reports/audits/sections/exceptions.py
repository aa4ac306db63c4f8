"""Exceptions still open: findings that two people agreed may stay until a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.reconciliation.model import Acceptance, Finding
from portal.core import times
from portal.core.language import _, kept, ngettext, spoken
from reports.audits.document import Audit, Day
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    Column,
    Deviation,
    Shown,
    Table,
    moment,
    named,
    on_day,
    person,
    tone_of,
)
from reports.evidence.terms import Count, Kept, Moment, Part, PersonRef


class ExceptionLine(Part):
    """One accepted finding: what it is, why and until when it may stay, and the two people who said so."""

    finding: Count
    label: Kept
    kind: str
    connector: str
    reason: str
    until: Day
    proposed_by: PersonRef
    confirmed_by: PersonRef
    confirmed_at: Moment


class Facts(Part):
    """Those in force at the time of the report; `today` is that day in the organisation's zone."""

    today: Day
    lines: tuple[ExceptionLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """One statement."""
    statement = (
        select(Acceptance, Finding)
        .join(Finding, Finding.id == Acceptance.finding_id)
        .where(
            Acceptance.confirmed_at <= scope.as_of,
            or_(Acceptance.ended_at.is_(None), Acceptance.ended_at > scope.as_of),
        )
        .order_by(Acceptance.until, Acceptance.id)
    )
    return Facts(
        today=scope.as_of.astimezone(ZoneInfo(scope.query.zone)).date().isoformat(),
        lines=tuple(
            ExceptionLine(
                finding=finding.id,
                label=kept(finding.label),
                kind=finding.kind.value,
                connector=finding.connector,
                reason=acceptance.reason,
                until=acceptance.until.isoformat(),
                proposed_by=person(acceptance.proposed_by_id) or "",
                confirmed_by=person(acceptance.confirmed_by_id) or "",
                confirmed_at=moment(acceptance.confirmed_at) or "",
            )
            for acceptance, finding in session.execute(statement)
        ),
    )


def show(audit: Audit, facts: Facts) -> Shown:
    """Each with its end; one that is past it, or that one person agreed with themselves, is a deviation."""
    deviations = tuple(_deviations(audit, facts))
    claim = (
        ngettext(
            "%(number)s exception is in force; each has an end and two people who agreed to it.",
            "%(number)s exceptions are in force; each has an end and two people who agreed to it.",
            len(facts.lines),
        )
        if not deviations
        else ngettext(
            "%(number)s exception is in force, past its end or agreed by one person alone.",
            "%(number)s exceptions are in force; %(wrong)s of them past their end or agreed by one person alone.",
            len(facts.lines),
            wrong=times.number(len(deviations)),
        )
    )
    return Shown(
        title=_("Exceptions still open"),
        claim=claim if facts.lines else _("No exception is in force."),
        tone=tone_of(deviations, len(facts.lines)),
        checked=(
            _(
                "What is live on a target and no request explains is a finding. One person of compliance may propose that it stays until a day, a second one confirms. These are all that were in force when the second head of the ledger was signed, whenever they were agreed."
            ),
        ),
        figures=((_("Exceptions in force"), times.number(len(facts.lines))),),
        charts=(),
        tables=(
            Table(
                _("Exceptions, the next to end first"),
                (
                    Column(_("Finding"), 20),
                    Column(_("What may stay, and why")),
                    Column(_("Until"), 26),
                    Column(_("Proposed and confirmed by"), 44),
                ),
                tuple(
                    (
                        times.number(line.finding),
                        _("%(what)s: %(why)s", what=spoken(line.label), why=line.reason),
                        times.day_short(date.fromisoformat(line.until)),
                        _(
                            "%(first)s, %(second)s on %(day)s",
                            first=named(audit, line.proposed_by),
                            second=named(audit, line.confirmed_by),
                            day=on_day(line.confirmed_at),
                        ),
                    )
                    for line in facts.lines
                ),
                _("None."),
            ),
        ),
        not_looked_at=(
            _("Exceptions that ended before this report; the ledger has them."),
            _("Exceptions are those of the whole organisation, whatever units and services were chosen."),
        ),
        deviations=deviations,
    )


def _deviations(audit: Audit, facts: Facts) -> Iterator[Deviation]:
    for line in facts.lines:
        about = _("Finding %(number)s", number=line.finding)
        if line.until < facts.today:
            yield Deviation(
                about,
                _(
                    "The exception ended on %(day)s and still stands.",
                    day=times.day_short(date.fromisoformat(line.until)),
                ),
            )
        if line.proposed_by == line.confirmed_by:
            yield Deviation(
                about,
                _("%(name)s proposed and confirmed the exception.", name=named(audit, line.confirmed_by)),
            )
