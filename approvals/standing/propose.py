"""Proposing a standing approval: the scope is type-checked against the offering before anybody is asked to sign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from approvals import tags
from approvals.standing.digest import digest_of
from approvals.standing.model import StandingApproval, StandingState
from approvals.standing.signers import needed
from approvals.standing.telling import ask_signers
from catalog.offerings.expressions import NotAnExpression, check_expression, try_expression
from catalog.offerings.language import OfferingDocument
from catalog.offerings.names import names_of
from catalog.offerings.problems import nearest
from catalog.offerings.queries import document_of, find_current_version
from catalog.requests.context import close_of_day, day_of
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import FieldError, FieldErrors, Forbidden
from portal.core.language import _, ngettext
from portal.core.text import clean_line, clean_text
from portal.identity.actor import Actor
from portal.identity.permissions import Permission

MOST_USES = 1000
LONGEST_DAYS = 366
LONGEST_NAME, LEAST_REASON, LONGEST_REASON, LONGEST_SCOPE = 120, 20, 2000, 2000


@dataclass(frozen=True, slots=True)
class Playbook:
    """What somebody proposes, as they typed it."""

    offering: str
    name: str
    reason: str
    scope: str
    uses: str
    last_day: str


def propose(session: Session, actor: Actor, playbook: Playbook) -> StandingApproval:
    """A standing approval of the offering's present version that waits for its signatures; whoever may sign is asked.

    Raises Forbidden for anybody without the permission, FieldErrors for what cannot be signed: an unknown name or a
    wrong type in the scope, no use, a day that is past or more than a year away, or too few people who could sign.
    """
    if actor.person_id is None or not actor.may(Permission.PROPOSE_STANDING):
        raise Forbidden(_("Your roles do not let you propose standing approvals."))
    errors: list[FieldError] = []
    version = find_current_version(session, playbook.offering)
    if version is None:
        raise FieldErrors((FieldError("offering", _("Choose a service that is in the catalogue.")),))
    name = _text(errors, "name", playbook.name, least=3, most=LONGEST_NAME, line=True)
    reason = _text(errors, "reason", playbook.reason, least=LEAST_REASON, most=LONGEST_REASON)
    scope = playbook.scope.strip()
    if problem := scope_problem(document_of(version), scope):
        errors.append(FieldError("scope", problem))
    uses = _uses(errors, playbook.uses)
    ends_at = _end(errors, playbook.last_day, actor, now(session))
    if errors or ends_at is None:
        raise FieldErrors(tuple(errors))
    standing = StandingApproval(
        offering_id=version.offering_id,
        version=version,
        name=name,
        reason=reason,
        scope=scope,
        uses=uses,
        used=0,
        ends_at=ends_at,
        digest="",
        state=StandingState.PROPOSED,
        proposer_id=actor.person_id,
        proposed_at=now(session),
    )
    session.add(standing)
    session.flush()
    standing.digest = digest_of(standing)
    session.flush()
    _insist_on_signers(session, standing)
    record(
        session,
        tags.STANDING_PROPOSED,
        subject=subject_of(standing),
        actor=actor,
        facts={
            "offering": version.offering.slug,
            "version": version.number,
            "offering_digest": version.digest,
            "digest": standing.digest,
            "uses": standing.uses,
            "ends_at": standing.ends_at.isoformat(),
        },
        personal={"name": name, "reason": reason, "scope": scope},
    )
    ask_signers(session, standing, actor)
    return standing


def scope_problem(document: OfferingDocument, scope: str) -> str:
    """What is wrong with the scope, in a sentence; empty when it compiles to a condition over a request's facts."""
    if not scope:
        return _("Write which requests it is for, as a condition.")
    if len(scope) > LONGEST_SCOPE:
        return _("Shorten the condition to %(number)s characters.", number=LONGEST_SCOPE)
    names = names_of(document)
    try:
        check_expression(scope, names, "bool")
        try_expression(scope, names)
    except NotAnExpression as error:
        hint = nearest(error.unknown, {name for name, _kind in names}) if error.unknown else ""
        return _(
            "Line %(line)s, column %(column)s: %(problem)s.",
            line=error.line,
            column=error.column,
            problem=f"{error.message}{hint}",
        )
    return ""


def subject_of(standing: StandingApproval) -> str:
    """How the ledger names it."""
    return f"standing:{standing.id}"


def _insist_on_signers(session: Session, standing: StandingApproval) -> None:
    for one in needed(session, standing):
        if len(one.people) < one.quorum:
            raise FieldErrors(
                (
                    FieldError(
                        "offering",
                        _(
                            "“%(stage)s” has too few people who could sign this. Whoever proposes it, or published "
                            "the service, cannot.",
                            stage=one.name,
                        ),
                    ),
                )
            )


def _text(
    errors: list[FieldError], field: str, typed: str, *, least: int, most: int, line: bool = False
) -> str:
    try:
        text = clean_line(typed) if line else clean_text(typed)
    except ValueError as error:
        errors.append(FieldError(field, f"{error}."))
        return ""
    if not least <= len(text) <= most:
        errors.append(FieldError(field, _("Write %(least)s to %(most)s characters.", least=least, most=most)))
    return text


def _uses(errors: list[FieldError], typed: str) -> int:
    typed = typed.strip()
    if typed.isascii() and typed.isdigit() and 1 <= int(typed[:9]) <= MOST_USES:
        return int(typed)
    errors.append(
        FieldError("uses", _("Write how often it may be used: 1 to %(most)s times.", most=MOST_USES))
    )
    return 0


def _end(errors: list[FieldError], typed: str, actor: Actor, at: datetime) -> datetime | None:
    """The close of its last day where the proposer lives (UTC)."""
    today = day_of(at, actor.timezone)
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        errors.append(FieldError("last_day", _("Enter its last day.")))
        return None
    if not today <= day <= today + timedelta(days=LONGEST_DAYS):
        errors.append(
            FieldError(
                "last_day",
                ngettext(
                    "Its last day is today at the earliest and %(number)s day from now at the latest.",
                    "Its last day is today at the earliest and %(number)s days from now at the latest.",
                    LONGEST_DAYS,
                ),
            )
        )
        return None
    return close_of_day(day, actor.timezone)
