"""Standing approvals: what was signed in advance and in force during the period, and what was done by it."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from approvals.standing.model import StandingApproval, StandingSignature, StandingUse
from catalog.offerings.model import Offering, OfferingVersion
from portal.core import times
from portal.core.language import _, ngettext
from reports.audits.document import Audit
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    Column,
    Deviation,
    Shown,
    Table,
    called,
    moment,
    named,
    on_day,
    person,
    tone_of,
)
from reports.evidence.terms import Count, Digest, Moment, Part, PersonRef
from reports.evidence.words import listed


class StandingLine(Part):
    """One standing approval: what its signers agreed to, and how often it was used, ever and in the period."""

    number: Count
    name: str
    offering: str
    version: Count
    condition: str
    digest: Digest
    uses: Count
    used: Count
    used_in_period: Count
    in_force_at: Moment
    ends_at: Moment
    revoked_at: Moment | None
    proposer: PersonRef | None
    signers: tuple[PersonRef, ...]
    #: Uses outside of the time in which it allowed anything.
    uses_outside: Count


class Facts(Part):
    """All that were in force at some time of the period."""

    lines: tuple[StandingLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """Three statements."""
    begins, until = scope.query.begins, scope.query.until
    statement = (
        select(StandingApproval, Offering.slug, OfferingVersion.number)
        .join(Offering, Offering.id == StandingApproval.offering_id)
        .join(OfferingVersion, OfferingVersion.id == StandingApproval.offering_version_id)
        .where(
            StandingApproval.in_force_at < until,
            StandingApproval.ends_at >= begins,
            or_(StandingApproval.revoked_at.is_(None), StandingApproval.revoked_at >= begins),
        )
        .order_by(StandingApproval.id)
    )
    if scope.query.offerings:
        statement = statement.where(Offering.slug.in_(scope.query.offerings))
    found = session.execute(statement).all()
    numbers = [standing.id for standing, _slug, _number in found]
    signers: dict[int, list[str]] = defaultdict(list)
    for standing_id, signer in session.execute(
        select(StandingSignature.standing_id, StandingSignature.person_id)
        .where(StandingSignature.standing_id.in_(numbers))
        .order_by(StandingSignature.id)
    ):
        signers[standing_id].append(f"person:{signer}")
    used, outside, ever = _uses(session, scope, numbers)
    return Facts(
        lines=tuple(
            StandingLine(
                number=standing.id,
                name=standing.name,
                offering=slug,
                version=number,
                condition=standing.scope,
                digest=standing.digest,
                uses=standing.uses,
                used=ever[standing.id],
                used_in_period=used[standing.id],
                in_force_at=moment(standing.in_force_at) or "",
                ends_at=moment(standing.ends_at) or "",
                revoked_at=moment(standing.revoked_at)
                if standing.revoked_at and standing.revoked_at <= scope.as_of
                else None,
                proposer=person(standing.proposer_id),
                signers=tuple(signers[standing.id]),
                uses_outside=outside[standing.id],
            )
            for standing, slug, number in found
        )
    )


def _uses(
    session: Session, scope: Scope, numbers: list[int]
) -> tuple[Counter[int], Counter[int], Counter[int]]:
    """By standing approval: uses in the period, uses when it was not in force, all uses so far."""
    in_period = StandingUse.spent_at >= scope.query.begins, StandingUse.spent_at < scope.query.until
    not_in_force = or_(
        StandingUse.spent_at < StandingApproval.in_force_at,
        StandingUse.spent_at >= StandingApproval.ends_at,
        StandingUse.spent_at > StandingApproval.revoked_at,
    )
    used: Counter[int] = Counter()
    outside: Counter[int] = Counter()
    ever: Counter[int] = Counter()
    for number, count, of_period, of_outside in session.execute(
        select(
            StandingUse.standing_id,
            func.count(),
            func.count().filter(*in_period),
            func.count().filter(not_in_force),
        )
        .join(StandingApproval, StandingApproval.id == StandingUse.standing_id)
        .where(StandingUse.standing_id.in_(numbers), StandingUse.spent_at <= scope.as_of)
        .group_by(StandingUse.standing_id)
        .order_by(StandingUse.standing_id)
    ):
        ever[number], used[number], outside[number] = count, of_period, of_outside
    return used, outside, ever


def show(audit: Audit, facts: Facts) -> Shown:
    """Each with its signers and uses."""
    deviations = tuple(
        Deviation(
            _("Standing approval %(number)s", number=line.number),
            ngettext(
                "%(number)s use lies outside of the time in which it was in force.",
                "%(number)s uses lie outside of the time in which it was in force.",
                line.uses_outside,
            ),
        )
        for line in facts.lines
        if line.uses_outside
    ) + tuple(
        Deviation(
            _("Standing approval %(number)s", number=line.number),
            _(
                "It was used %(used)s times and allows %(uses)s.",
                used=times.number(line.used),
                uses=times.number(line.uses),
            ),
        )
        for line in facts.lines
        if line.used > line.uses
    )
    used = sum(line.used_in_period for line in facts.lines)
    claim = (
        ngettext(
            "%(number)s standing approval was in force during the period; uses in the period: %(used)s.",
            "%(number)s standing approvals were in force during the period; uses in the period: %(used)s.",
            len(facts.lines),
            used=times.number(used),
        )
        if facts.lines
        else _("No standing approval was in force during the period.")
    )
    return Shown(
        title=_("Standing approvals and their uses"),
        claim=claim,
        tone=tone_of(deviations, len(facts.lines)),
        checked=(
            _(
                "A standing approval allows a number of requests of one version of a service, within a condition and until a day. Its signers agreed to the digest that is shown. Each use is a request; the register tells which."
            ),
        ),
        figures=(
            (_("In force during the period"), times.number(len(facts.lines))),
            (_("Uses in the period"), times.number(used)),
        ),
        charts=(),
        tables=(
            Table(
                _("Standing approvals"),
                (
                    Column(_("Standing approval"), 34),
                    Column(_("Service, condition")),
                    Column(_("Signed by"), 36),
                    Column(_("In force"), 30),
                    Column(_("Used, of, in period"), 24, figure=True),
                ),
                tuple(
                    (
                        f"{line.number}. {line.name}",
                        _(
                            "%(service)s, version %(version)s: %(condition)s",
                            service=called(audit.offerings, line.offering),
                            version=line.version,
                            condition=line.condition,
                        ),
                        listed([named(audit, signer) for signer in line.signers]),
                        _(
                            "%(begins)s to %(ends)s",
                            begins=on_day(line.in_force_at),
                            ends=on_day(line.revoked_at or line.ends_at),
                        ),
                        f"{times.number(line.used)} / {times.number(line.uses)} / {times.number(line.used_in_period)}",
                    )
                    for line in facts.lines
                ),
                _("None."),
            ),
        ),
        not_looked_at=(
            _("Whether a condition is narrow enough: that is what its signers judged."),
            _("Uses are counted whatever unit they were for."),
        ),
        deviations=deviations,
    )
