"""What the chapter on people with administrative rights shows."""

from __future__ import annotations

from collections import defaultdict

from portal.core import times
from portal.core.language import N_, _, ngettext
from reports.audits.document import Audit
from reports.audits.sections.administrators import Facts
from reports.audits.sections.shapes import (
    NONE,
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    named,
    on_day,
    tone_of,
)
from reports.charts.bars import bars
from reports.charts.chart import Amount, Chart

ROLES = {
    "administrator": N_("Administrator"),
    "auditor": N_("Auditor"),
    "break_glass": N_("Break-glass"),
    "catalogue_owner": N_("Catalogue owner"),
    "compliance": N_("Compliance"),
    "operator": N_("Operator"),
    "security": N_("Security"),
}


def show(audit: Audit, facts: Facts) -> Shown:
    """By role; an account that is switched off and still in such a group is a deviation."""
    deviations = tuple(
        Deviation(
            named(audit, line.person),
            _(
                "The account is switched off and still in a group that gives the role “%(role)s”.",
                role=_role(line.role),
            ),
        )
        for line in facts.roles
        if not line.active
    )
    people = {line.person for line in facts.roles if line.active}
    counts: dict[str, int] = defaultdict(int)
    for line in facts.roles:
        counts[line.role] += line.active
    return Shown(
        title=_("People with administrative rights"),
        claim=ngettext(
            "%(number)s person has administrative rights; roles given: %(roles)s.",
            "%(number)s people have administrative rights; roles given: %(roles)s.",
            len(people),
            roles=times.number(sum(counts.values())),
        )
        if people
        else _("Nobody has an administrative role."),
        tone=tone_of(deviations, len(facts.roles)),
        checked=(
            _(
                "A role comes with a group of the file of the organisation. Whoever reads that file in gives and takes roles by it: the ledger keeps each of them, with who read it in and when, and the digest of the file. Why somebody is in a group is for the directory to say, under that digest."
            ),
        ),
        figures=(
            (_("People with a role"), times.number(len(people))),
            (_("Files read in"), times.number(len(facts.imports))),
            (_("Tokens of programs"), times.number(len(facts.tokens))),
        ),
        charts=_charts(counts),
        tables=(
            _role_table(audit, facts),
            _change_table(audit, facts),
            _import_table(audit, facts),
            _token_table(audit, facts),
        ),
        not_looked_at=(
            _(
                "Who administers the machines, the database and the identity provider that the portal runs on."
            ),
            _(
                "Rights that follow from a relation: heads of units, line managers, owners of what was asked for."
            ),
            _("Roles are as they were when this report was made, not at each day of the period."),
        ),
        deviations=deviations,
    )


def _role(role: str) -> str:
    return _(ROLES[role]) if role in ROLES else role


def _role_table(audit: Audit, facts: Facts) -> Table:
    return Table(
        _("Roles"),
        (
            Column(_("Person")),
            Column(_("Role"), 26),
            Column(_("Through the group"), 31),
            Column(_("Since, by"), 56),
            Column(_("Account"), 22),
        ),
        tuple(
            (
                named(audit, line.person),
                _role(line.role),
                line.group,
                _("%(time)s, %(name)s", time=at_time(line.since), name=_by(audit, line.given_by))
                if line.since
                else NONE,
                _("active") if line.active else _("switched off"),
            )
            for line in facts.roles
        ),
        _("None."),
    )


def _by(audit: Audit, actor: str | None) -> str:
    """Who an entry says did it."""
    return named(audit, None if actor == "portal" else actor)


def _change_table(audit: Audit, facts: Facts) -> Table:
    return Table(
        _("Roles given and taken between the two heads"),
        (
            Column(_("Entry"), 16),
            Column(_("When"), 38),
            Column(_("What")),
            Column(_("Person"), 32),
            Column(_("By whom"), 28),
        ),
        tuple(
            (
                times.number(change.entry),
                at_time(change.at),
                _("Given: %(role)s, through %(group)s", role=_role(change.role), group=change.group)
                if change.given
                else _("Taken: %(role)s, through %(group)s", role=_role(change.role), group=change.group),
                named(audit, change.person),
                _by(audit, change.actor),
            )
            for change in facts.changes
        ),
        _("None."),
    )


def _import_table(audit: Audit, facts: Facts) -> Table:
    return Table(
        _("Organisation files that were read in: the last before the period, and those in it"),
        (
            Column(_("Entry"), 18),
            Column(_("When"), 38),
            Column(_("By whom"), 38),
            Column(_("People"), 18, figure=True),
            Column(_("Digest of the file")),
        ),
        tuple(
            (
                times.number(line.entry),
                at_time(line.at),
                _by(audit, line.actor),
                times.number(line.people),
                line.digest.removeprefix("sha256:"),
            )
            for line in facts.imports
        ),
        _("None."),
    )


def _token_table(audit: Audit, facts: Facts) -> Table:
    return Table(
        _("Tokens with which programs spoke for people"),
        (
            Column(_("For whom")),
            Column(_("What it may do"), 54),
            Column(_("Made by"), 36),
            Column(_("From, until"), 44),
        ),
        tuple(
            (
                named(audit, line.person),
                ", ".join(line.scopes),
                named(audit, line.created_by),
                _("%(begins)s to %(ends)s", begins=on_day(line.created_at), ends=on_day(line.expires_at)),
            )
            for line in facts.tokens
        ),
        _("None."),
    )


def _charts(counts: dict[str, int]) -> tuple[Chart, ...]:
    items = [Amount(_role(role), count) for role, count in sorted(counts.items()) if count]
    if not items:
        return ()
    most = max(items, key=lambda item: item.value)
    return (
        bars(
            "administrators-roles",
            _("How many people have which role"),
            _(
                "Most people have the role “%(role)s”: %(number)s.",
                role=most.label,
                number=times.number(most.value),
            ),
            items,
            measured=_("People"),
            label=_("Role"),
        ),
    )
