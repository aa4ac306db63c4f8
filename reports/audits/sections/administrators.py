"""People with administrative rights: who has which role of the portal, through which group, and where that comes from."""

from __future__ import annotations

import json
from collections import defaultdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.model import Entry
from portal.core import times
from portal.core.language import N_, _, ngettext
from portal.identity.model import Group, Membership, Person
from portal.identity.tokens.model import ApiToken
from reports.audits.document import Audit
from reports.audits.scope import Scope
from reports.audits.sections.shapes import (
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    moment,
    named,
    on_day,
    person,
    tone_of,
)
from reports.charts.bars import bars
from reports.charts.chart import Amount, Chart
from reports.evidence.terms import Count, Moment, Part, PersonRef

IMPORTED = "people:imported"
ROLES = {
    "administrator": N_("Administrator"),
    "auditor": N_("Auditor"),
    "break_glass": N_("Break-glass"),
    "catalogue_owner": N_("Catalogue owner"),
    "compliance": N_("Compliance"),
    "operator": N_("Operator"),
    "security": N_("Security"),
}


class RoleLine(Part):
    """One person's role. `groups` are those that give it; `since` and `given_by` where the ledger knows them."""

    person: PersonRef
    role: str
    groups: tuple[str, ...]
    active: bool


class ImportLine(Part):
    """One reading-in of the organisation's file, which says who is in which group."""

    entry: Count
    at: Moment
    actor: str
    people: Count
    digest: str


class TokenLine(Part):
    """A token with which a program speaks for a person."""

    person: PersonRef
    scopes: tuple[str, ...]
    created_by: PersonRef
    created_at: Moment
    expires_at: Moment


class Facts(Part):
    """As it was when the report was made; `imports` are the last before the period and all in it."""

    roles: tuple[RoleLine, ...]
    imports: tuple[ImportLine, ...]
    tokens: tuple[TokenLine, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """Three statements."""
    return Facts(roles=_roles(session), imports=_imports(session, scope), tokens=_tokens(session, scope))


def _roles(session: Session) -> tuple[RoleLine, ...]:
    found: dict[tuple[str, int, bool], set[str]] = defaultdict(set)
    statement = (
        select(Group.slug, Group.roles, Person.id, Person.active)
        .join(Membership, Membership.group_id == Group.id)
        .join(Person, Person.id == Membership.person_id)
        .order_by(Group.slug, Person.id)
    )
    for slug, roles, number, active in session.execute(statement):
        for role in roles:
            found[str(role), number, active].add(slug)
    return tuple(
        RoleLine(person=f"person:{number}", role=role, groups=tuple(sorted(groups)), active=active)
        for (role, number, active), groups in sorted(found.items())
    )


def _imports(session: Session, scope: Scope) -> tuple[ImportLine, ...]:
    mine = (Entry.tag == IMPORTED, Entry.number <= scope.after_size)
    before = select(func.max(Entry.number)).where(*mine, Entry.number <= scope.before_size).scalar_subquery()
    lines = []
    for number, at, actor, body in session.execute(
        select(Entry.number, Entry.at, Entry.actor, Entry.body)
        .where(*mine, Entry.number >= func.coalesce(before, 0))
        .order_by(Entry.number)
    ):
        facts = json.loads(body)["facts"]
        lines.append(
            ImportLine(
                entry=number,
                at=moment(at) or "",
                actor=actor,
                people=facts["people"],
                digest=facts["digest"],
            )
        )
    return tuple(lines)


def _tokens(session: Session, scope: Scope) -> tuple[TokenLine, ...]:
    statement = (
        select(ApiToken)
        .where(
            ApiToken.created_at < scope.query.until,
            ApiToken.expires_at >= scope.query.begins,
            ApiToken.revoked_at.is_(None) | (ApiToken.revoked_at >= scope.query.begins),
        )
        .order_by(ApiToken.id)
    )
    return tuple(
        TokenLine(
            person=person(token.person_id) or "",
            scopes=tuple(str(name) for name in token.scopes),
            created_by=person(token.created_by_id) or "",
            created_at=moment(token.created_at) or "",
            expires_at=moment(token.expires_at) or "",
        )
        for token in session.scalars(statement)
    )


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
                "A role comes with a group of the file of the organisation, and with nothing else. Whoever reads that file in gives and takes roles by it; the ledger keeps who did, when, and the digest of the file. Since when somebody is in a group and who put them there is for the directory to say, under that digest."
            ),
        ),
        figures=(
            (_("People with a role"), times.number(len(people))),
            (_("Files read in"), times.number(len(facts.imports))),
            (_("Tokens of programs"), times.number(len(facts.tokens))),
        ),
        charts=_charts(counts),
        tables=(_role_table(audit, facts), _import_table(audit, facts), _token_table(audit, facts)),
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
            Column(_("Role"), 38),
            Column(_("Through the group"), 58),
            Column(_("Account"), 26),
        ),
        tuple(
            (
                named(audit, line.person),
                _role(line.role),
                ", ".join(line.groups),
                _("active") if line.active else _("switched off"),
            )
            for line in facts.roles
        ),
        _("None."),
    )


def _import_table(audit: Audit, facts: Facts) -> Table:
    return Table(
        _("Organisation files that were read in: the last before the period, and those in it"),
        (
            Column(_("Entry"), 18),
            Column(_("When"), 36),
            Column(_("By"), 40),
            Column(_("People"), 18, figure=True),
            Column(_("Digest of the file")),
        ),
        tuple(
            (
                str(line.entry),
                at_time(line.at),
                named(audit, None if line.actor == "portal" else line.actor),
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
            Column(_("For")),
            Column(_("What it may do"), 60),
            Column(_("Made by"), 40),
            Column(_("From, until"), 32),
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
