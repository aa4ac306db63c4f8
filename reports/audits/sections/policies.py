"""Policies in force during the period: versions of services with their approval rules, windows and freezes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from catalog.changes.hours import hours_text
from catalog.changes.model import Kind, Restriction
from catalog.changes.model import Scope as Whose
from catalog.offerings.model import Offering, OfferingVersion
from catalog.offerings.queries import document_of
from catalog.offerings.route import WAYS, Approvers
from portal.core import times
from portal.core.language import N_, _, ngettext
from reports.audits.document import Audit
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    called,
    moment,
    named,
    person,
    tone_of,
)
from reports.evidence.terms import Count, Digest, Moment, Part, PersonRef


class AskedLine(Part):
    """Who is asked in one stage: by which way of the offering language, how many must agree, and when (CEL)."""

    stage: str
    way: str
    who: str
    quorum: str
    when: str | None


class VersionLine(Part):
    """One published version that was in force at some time of the period, and its approval chain."""

    offering: str
    version: Count
    digest: Digest
    published_at: Moment
    replaced_at: Moment | None
    author: PersonRef | None
    publisher: PersonRef | None
    asked: tuple[AskedLine, ...]


class RestrictionLine(Part):
    """One window or freeze; `whose` is what it is for: all, offering:<slug>, unit:<slug> or asset:<id>."""

    number: Count
    kind: Literal["window", "freeze"]
    name: str
    whose: str
    timezone: str
    hours: tuple[str, ...]
    begins_at: Moment | None
    ends_at: Moment | None
    set_by: PersonRef
    set_at: Moment
    ended_by: PersonRef | None
    ended_at: Moment | None


class Facts(Part):
    """All of it."""

    versions: tuple[VersionLine, ...]
    restrictions: tuple[RestrictionLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """Two statements, beside the reading of documents."""
    return Facts(versions=_versions(session, scope), restrictions=_restrictions(session, scope))


def _versions(session: Session, scope: Scope) -> tuple[VersionLine, ...]:
    following = (
        select(
            OfferingVersion.id,
            func.lead(OfferingVersion.published_at)
            .over(partition_by=OfferingVersion.offering_id, order_by=OfferingVersion.number)
            .label("replaced_at"),
        )
    ).subquery()
    statement = (
        select(OfferingVersion, following.c.replaced_at)
        .join(following, following.c.id == OfferingVersion.id)
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .where(
            OfferingVersion.published_at < scope.query.until,
            or_(following.c.replaced_at.is_(None), following.c.replaced_at > scope.query.begins),
        )
        .options(joinedload(OfferingVersion.offering))
        .order_by(Offering.slug, OfferingVersion.number)
    )
    if scope.query.offerings:
        statement = statement.where(Offering.slug.in_(scope.query.offerings))
    return tuple(
        VersionLine(
            offering=version.offering.slug,
            version=version.number,
            digest=version.digest,
            published_at=moment(version.published_at) or "",
            replaced_at=moment(replaced),
            author=person(version.author_id),
            publisher=person(version.publisher_id),
            asked=tuple(
                AskedLine(
                    stage=ask.slug,
                    way=_way(ask.approvers),
                    who=str(getattr(ask.approvers, _way(ask.approvers))),
                    quorum=str(ask.quorum),
                    when=ask.when,
                )
                for stage in document_of(version).route.stages
                for ask in stage.asks
            ),
        )
        for version, replaced in session.execute(statement)
    )


def _way(approvers: Approvers) -> str:
    return next(way for way in WAYS if getattr(approvers, way) is not None)


def _restrictions(session: Session, scope: Scope) -> tuple[RestrictionLine, ...]:
    statement = (
        select(Restriction)
        .where(
            Restriction.set_at < scope.query.until,
            or_(Restriction.ended_at.is_(None), Restriction.ended_at > scope.query.begins),
            or_(
                Restriction.kind == Kind.WINDOW,
                and_(Restriction.begins_at < scope.query.until, Restriction.ends_at > scope.query.begins),
            ),
        )
        .options(
            joinedload(Restriction.offering), joinedload(Restriction.unit), joinedload(Restriction.asset)
        )
        .order_by(Restriction.id)
    )
    return tuple(
        RestrictionLine(
            number=restriction.id,
            kind=restriction.kind.value,
            name=restriction.name,
            whose=_whose(restriction),
            timezone=restriction.timezone,
            hours=tuple(str(hours) for hours in restriction.times),
            begins_at=moment(restriction.begins_at),
            ends_at=moment(restriction.ends_at),
            set_by=person(restriction.set_by_id) or "",
            set_at=moment(restriction.set_at) or "",
            ended_by=person(restriction.ended_by_id),
            ended_at=moment(restriction.ended_at),
        )
        for restriction in session.scalars(statement)
    )


def _whose(restriction: Restriction) -> str:
    match restriction.scope:
        case Whose.OFFERING:
            return f"offering:{restriction.offering.slug if restriction.offering else ''}"
        case Whose.UNIT:
            return f"unit:{restriction.unit.slug if restriction.unit else ''}"
        case Whose.ASSET:
            return f"asset:{restriction.asset.asset_id if restriction.asset else ''}"
        case Whose.ALL:
            return "all"


#: Who is asked, as the offering language says it.
_WAYS: Mapping[str, str] = {
    "relation": N_("%(who)s"),
    "group": N_("group %(who)s"),
    "group_from": N_("the group that %(who)s gives"),
    "owner_of": N_("whoever owns what was chosen in %(who)s"),
    "owner_of_group": N_("whoever answers for the group %(who)s"),
    "person_in": N_("the person chosen in %(who)s"),
    "rota": N_("whoever is on duty in %(who)s"),
}
_RELATIONS: Mapping[str, str] = {
    "line-manager": N_("line manager"),
    "manager-of-manager": N_("manager of the line manager"),
    "unit-head": N_("head of the unit"),
}


def show(audit: Audit, facts: Facts) -> Shown:
    """Versions with their approval chain, then windows and freezes; who published alone what they wrote is named."""
    deviations = tuple(
        Deviation(
            _(
                "%(service)s, version %(version)s",
                service=called(audit.offerings, line.offering),
                version=line.version,
            ),
            _("%(name)s wrote and published this version.", name=named(audit, line.publisher)),
        )
        for line in facts.versions
        if line.publisher is not None and line.publisher == line.author
    )
    freezes = [line for line in facts.restrictions if line.kind == "freeze"]
    windows = [line for line in facts.restrictions if line.kind == "window"]
    published = [line for line in facts.versions if line.published_at >= audit.query.from_]
    return Shown(
        title=_("Policies in force and who published them"),
        claim=ngettext(
            "%(number)s published version was in force during the period, %(new)s new in it; change windows beside it: %(windows)s, freezes: %(freezes)s.",
            "%(number)s published versions were in force during the period, %(new)s of them new in it; change windows beside them: %(windows)s, freezes: %(freezes)s.",
            len(facts.versions),
            new=times.number(len(published)),
            windows=times.number(len(windows)),
            freezes=times.number(len(freezes)),
        )
        if facts.versions
        else _("No published version was in force during the period."),
        tone=tone_of(deviations, len(facts.versions)),
        checked=(
            _(
                "A published version is immutable, and its digest covers its whole text: form, rules, approval chain, work, calendar and controls. A request keeps the version that it was made with. A version is in force until the next one of its service is published."
            ),
        ),
        figures=(
            (_("Versions in force"), times.number(len(facts.versions))),
            (_("Published in the period"), times.number(len(published))),
            (_("Change windows"), times.number(len(windows))),
            (_("Freezes"), times.number(len(freezes))),
        ),
        charts=(),
        tables=(_version_table(audit, facts), _route_table(audit, facts), _restriction_table(audit, facts)),
        not_looked_at=(
            _("Drafts that were not published, and what past requests would have met with a draft."),
            _(
                "Whether a rule is the right one: the text of every version is in the portal under its digest."
            ),
        ),
        deviations=deviations,
    )


def _version_table(audit: Audit, facts: Facts) -> Table:
    return Table(
        _("Versions of services"),
        (
            Column(_("Service and version")),
            Column(_("Published"), 31),
            Column(_("Written by, published by"), 44),
            Column(_("Digest of its text"), 52),
        ),
        tuple(
            (
                _(
                    "%(service)s, version %(version)s",
                    service=called(audit.offerings, line.offering),
                    version=line.version,
                ),
                at_time(line.published_at),
                _(
                    "%(author)s, %(publisher)s",
                    author=named(audit, line.author),
                    publisher=named(audit, line.publisher),
                ),
                line.digest.removeprefix("sha256:"),
            )
            for line in facts.versions
        ),
        _("None."),
    )


def _route_table(audit: Audit, facts: Facts) -> Table:
    return Table(
        _("Approval rules of these versions"),
        (
            Column(_("Service and version"), 46),
            Column(_("Stage"), 34),
            Column(_("Who is asked, how many must agree")),
            Column(_("When"), 46),
        ),
        tuple(
            (
                _(
                    "%(service)s, version %(version)s",
                    service=called(audit.offerings, line.offering),
                    version=line.version,
                ),
                ask.stage,
                ngettext(
                    "%(who)s; %(number)s must agree",
                    "%(who)s; %(number)s must agree",
                    int(ask.quorum),
                    who=_who(ask),
                )
                if ask.quorum.isdecimal()
                else _("%(who)s; all must agree", who=_who(ask)),
                ask.when or _("always"),
            )
            for line in facts.versions
            for ask in line.asked
        ),
        _("No version asks anybody."),
    )


def _who(ask: AskedLine) -> str:
    who = _(_RELATIONS[ask.who]) if ask.who in _RELATIONS else ask.who
    return _(_WAYS[ask.way], who=who)


def _restriction_table(audit: Audit, facts: Facts) -> Table:
    return Table(
        _("Change windows and freezes"),
        (
            Column(_("What")),
            Column(_("For"), 34),
            Column(_("When"), 50),
            Column(_("Set by, ended by"), 46),
        ),
        tuple(
            (
                _("Freeze: %(name)s", name=line.name)
                if line.kind == "freeze"
                else _("Window: %(name)s", name=line.name),
                _for_whom(audit, line.whose),
                _("%(begins)s to %(ends)s", begins=at_time(line.begins_at), ends=at_time(line.ends_at))
                if line.kind == "freeze"
                else _("%(hours)s (%(zone)s)", hours=hours_text(line.hours), zone=line.timezone),
                _set_by(audit, line),
            )
            for line in facts.restrictions
        ),
        _("None."),
    )


def _for_whom(audit: Audit, whose: str) -> str:
    kind, _colon, which = whose.partition(":")
    names: Mapping[str, Any] = {"offering": audit.offerings, "unit": audit.units, "asset": {}}
    return called(names[kind], which) if which else _("Everything")


def _set_by(audit: Audit, line: RestrictionLine) -> str:
    words = {"name": named(audit, line.set_by), "time": at_time(line.set_at)}
    if line.ended_at is None:
        return _("%(name)s, %(time)s", **words)
    return _(
        "%(name)s, %(time)s; ended by %(other)s, %(end)s",
        other=named(audit, line.ended_by),
        end=at_time(line.ended_at),
        **words,
    )
