"""What the chapter on policies shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.changes.hours import hours_text
from portal.core import times
from portal.core.language import N_, _, ngettext
from reports.audits.document import Audit
from reports.audits.sections.policies import AskedLine, Facts, RestrictionLine
from reports.audits.sections.shapes import (
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    called,
    named,
    tone_of,
)

#: Who is asked, as the offering language says it.
_WAYS: Mapping[str, str] = {
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
            _(
                "%(name)s wrote and published this version, so only one person stands behind it.",
                name=named(audit, line.publisher),
            ),
        )
        for line in facts.versions
        if line.published_at >= audit.query.from_
        and line.publisher is not None
        and line.publisher == line.author
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
                "A published version is immutable, and its digest covers its whole text: form, rules, approval chain, work, calendar and controls. A request keeps the version that it was made with. A version is in force until the next one of its service is published. On the pages of the portal whoever writes a version cannot publish it; those that were read in from files in the period are looked at for that."
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
            Column(_("Published"), 38),
            Column(_("Written by, published by"), 35),
            Column(_("Digest of its text"), 58),
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
            Column(_("Service and version"), 52),
            Column(_("Stage"), 24),
            Column(_("Who is asked, how many must agree")),
            Column(_("When"), 34),
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
    if ask.way == "relation":
        return _(_RELATIONS[ask.who]) if ask.who in _RELATIONS else ask.who
    return _(_WAYS[ask.way], who=ask.who)


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
