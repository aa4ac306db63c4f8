"""Segregation of duties: nobody decided on what was their own, and nothing was done that nobody had allowed.

Looked at for every request of the population, decision by decision; not for the sample alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from approvals import tags as approval_tags
from approvals.decisions.model import Decision, Verdict
from approvals.standing.model import StandingUse
from catalog.fulfilment.model import ByHand, ByHandState
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from portal.audit.model import Entry
from portal.core import times
from portal.core.language import N_, _, ngettext
from reports.audits.document import Audit
from reports.audits.scope import Member, Scope, chunks
from reports.audits.sections.shapes import (
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    moment,
    named,
    person,
    tone_of,
)
from reports.evidence.terms import Count, Moment, Part, PersonRef

Rule = Literal["requester", "beneficiary", "editor", "publisher", "twice", "by-hand-alone", "nobody"]
#: What each rule found, in a sentence with the name.
SENTENCES: dict[Rule, str] = {
    "requester": N_("%(name)s asked for it and approved it on %(time)s."),
    "beneficiary": N_("%(name)s receives it and approved it on %(time)s."),
    "editor": N_("%(name)s had edited it last and approved it on %(time)s."),
    "publisher": N_("%(name)s had published the version of the service and approved it on %(time)s."),
    "twice": N_("%(name)s counts twice among those who approved it; the second time on %(time)s."),
    "by-hand-alone": N_("%(name)s both said that it was done by hand and confirmed it on %(time)s."),
    "nobody": N_(
        "It was carried out on %(time)s although nobody approved it and no published or standing approval covers it."
    ),
}
WORDS: dict[Rule, str] = {
    "requester": N_("Nobody approves what they asked for"),
    "beneficiary": N_("Nobody approves what they receive"),
    "editor": N_("Nobody approves what they edited last"),
    "publisher": N_("Nobody approves by a version that they published"),
    "twice": N_("Nobody counts twice on one request, whether for themselves or for somebody else"),
    "by-hand-alone": N_("What one operator says was done by hand, another one confirms"),
    "nobody": N_("Nothing is carried out that neither people nor a published or standing approval allow"),
}
#: Those that are about decisions.
_OF_DECISIONS: tuple[Rule, ...] = ("requester", "beneficiary", "editor", "publisher", "twice")


class Violation(Part):
    """One breach of one rule. `person` is whoever approved or was approved for; nobody where nobody acted."""

    reference: str
    rule: Rule
    person: PersonRef | None
    at: Moment | None


class Facts(Part):
    """What was looked at and what was found. `by_policy`: allowed by the published service itself."""

    requests: Count
    approvals: Count
    on_behalf: Count
    by_hand: Count
    by_policy: Count
    by_standing: Count
    violations: tuple[Violation, ...]


def gather(session: Session, scope: Scope) -> Facts:
    """Four statements for each five hundred requests."""
    approvals = on_behalf = by_hand = by_policy = by_standing = 0
    violations: list[Violation] = []
    for part in chunks(scope.members):
        members = {member.request_id: member for member in part}
        counted: dict[tuple[int, int], set[int]] = defaultdict(set)
        for row in _approvals(session, scope, members):
            approvals += 1
            on_behalf += row.on_behalf_of_id is not None
            violations += _of_decision(members[row.request_id], row, counted[row.request_id, row.revision])
        for claim in _by_hand(session, scope, members):
            by_hand += 1
            if claim.claimed_by_id == claim.closed_by_id:
                reference = members[claim.request_id].row.reference
                violations.append(_violation(reference, "by-hand-alone", claim.closed_by_id, claim.closed_at))
        policy = _allowed_by_policy(session, scope, members)
        standing = _allowed_in_advance(session, scope, members)
        by_policy, by_standing = by_policy + len(policy), by_standing + len(standing)
        violations += [
            Violation(reference=member.row.reference, rule="nobody", person=None, at=member.row.fulfilled_at)
            for number, member in members.items()
            if member.row.fulfilled_at and not member.row.approvals and number not in policy | standing
        ]
    return Facts(
        requests=len(scope.members),
        approvals=approvals,
        on_behalf=on_behalf,
        by_hand=by_hand,
        by_policy=by_policy,
        by_standing=by_standing,
        violations=tuple(sorted(violations, key=lambda found: (found.reference, found.rule, found.at or ""))),
    )


def _approvals(session: Session, scope: Scope, members: Mapping[int, Member]) -> Sequence[Any]:
    """The approvals that nobody made void, with whoever must not have given them."""
    statement = (
        select(
            Decision.request_id,
            Decision.revision,
            Decision.person_id,
            Decision.on_behalf_of_id,
            Decision.decided_at,
            Request.editor_id,
            OfferingVersion.publisher_id,
        )
        .join(Request, Request.id == Decision.request_id)
        .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
        .where(
            Decision.request_id.in_(members),
            Decision.verdict == Verdict.APPROVE,
            Decision.decided_at <= scope.as_of,
            or_(Decision.voided_at.is_(None), Decision.voided_at > scope.as_of),
        )
        .order_by(Decision.request_id, Decision.decided_at, Decision.id)
    )
    return session.execute(statement).all()


def _of_decision(member: Member, row: Any, counted: set[int]) -> Iterator[Violation]:
    """What is wrong with one approval; a substitute and the one they stand for count as one person."""
    parties: tuple[tuple[Rule, str | None], ...] = (
        ("requester", member.row.requester),
        ("beneficiary", member.row.beneficiary),
        ("editor", person(row.editor_id)),
        ("publisher", person(row.publisher_id)),
    )
    for number in dict.fromkeys((row.person_id, row.on_behalf_of_id)):
        if number is None:
            continue
        # Whoever asks for themselves is requester, beneficiary and editor at once: one breach, named once.
        rule = next((rule for rule, party in parties if party == person(number)), None)
        if rule is not None:
            yield _violation(member.row.reference, rule, number, row.decided_at)
        if number in counted:
            yield _violation(member.row.reference, "twice", number, row.decided_at)
        counted.add(number)


def _violation(reference: str, rule: Rule, number: int | None, at: datetime | None) -> Violation:
    return Violation(reference=reference, rule=rule, person=person(number), at=moment(at))


def _by_hand(session: Session, scope: Scope, members: Collection[int]) -> Sequence[Any]:
    statement = (
        select(ByHand.request_id, ByHand.claimed_by_id, ByHand.closed_by_id, ByHand.closed_at)
        .where(
            ByHand.request_id.in_(members),
            ByHand.state == ByHandState.CONFIRMED,
            ByHand.closed_at <= scope.as_of,
        )
        .order_by(ByHand.id)
    )
    return session.execute(statement).all()


def _allowed_by_policy(session: Session, scope: Scope, members: Mapping[int, Member]) -> set[int]:
    """Those that the published version of their service approves itself, as the ledger says."""
    subjects = {f"request:{member.row.reference}": number for number, member in members.items()}
    found = session.scalars(
        select(Entry.subject).where(
            Entry.subject.in_(subjects),
            Entry.tag == approval_tags.APPROVED_BY_POLICY,
            Entry.number <= scope.after_size,
        )
    )
    return {subjects[subject] for subject in found}


def _allowed_in_advance(session: Session, scope: Scope, members: Collection[int]) -> set[int]:
    statement = select(StandingUse.request_id).where(
        StandingUse.request_id.in_(members), StandingUse.spent_at <= scope.as_of
    )
    return set(session.scalars(statement))


def show(audit: Audit, facts: Facts) -> Shown:
    """One line for each rule, and every breach."""
    deviations = tuple(
        Deviation(
            violation.reference,
            _(SENTENCES[violation.rule], name=named(audit, violation.person), time=at_time(violation.at)),
        )
        for violation in facts.violations
    )
    looked_at: dict[Rule, int] = dict.fromkeys(_OF_DECISIONS, facts.approvals)
    looked_at |= {"by-hand-alone": facts.by_hand, "nobody": facts.requests}
    if not facts.requests:
        claim = _("There was no request to look at.")
    elif deviations:
        claim = ngettext(
            "Segregation of duties was broken %(number)s time among %(requests)s requests.",
            "Segregation of duties was broken %(number)s times among %(requests)s requests.",
            len(deviations),
            requests=times.number(facts.requests),
        )
    else:
        claim = _(
            "Segregation of duties holds in all %(requests)s requests: none of %(approvals)s approvals came from somebody who must not give it.",
            requests=times.number(facts.requests),
            approvals=times.number(facts.approvals),
        )
    return Shown(
        title=_("Segregation of duties"),
        claim=claim,
        tone=tone_of(deviations, facts.requests),
        checked=(
            _(
                "Every approval that was not made void was compared with the requester, the beneficiary, the last editor and the publisher of its request, and with every other approval of the same seal. People are matched by their account at the identity provider, never by name or address. The same is checked when somebody decides and again before anything is carried out; here it was looked at once more, from the records."
            ),
        ),
        figures=(
            (_("Requests looked at"), times.number(facts.requests)),
            (_("Approvals looked at"), times.number(facts.approvals)),
            (_("Of these for somebody else"), times.number(facts.on_behalf)),
            (_("Approved by the published service itself"), times.number(facts.by_policy)),
            (_("Approved in advance"), times.number(facts.by_standing)),
        ),
        charts=(),
        tables=(
            Table(
                _("Rules and what was found"),
                (
                    Column(_("Rule")),
                    Column(_("Looked at"), 26, figure=True),
                    Column(_("Broken"), 22, figure=True),
                ),
                tuple(
                    (
                        _(text),
                        times.number(looked_at[rule]),
                        times.number(sum(violation.rule == rule for violation in facts.violations)),
                    )
                    for rule, text in WORDS.items()
                ),
            ),
        ),
        not_looked_at=(
            _("Whether two accounts belong to one human being: that is what the directory says."),
            _("Agreements between people, and rights that people have on targets without this portal."),
        ),
        deviations=deviations,
    )
