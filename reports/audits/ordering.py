"""Ordering an audit, and giving the auditor's word by which its sample is drawn."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.requests.submit import next_number
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, FieldErrors, Forbidden, NotFound
from portal.core.language import LANGUAGES, SOURCE, _
from portal.identity.actor import Actor
from portal.identity.permissions import Permission
from portal.jobs import enqueue
from reports.audits import tags
from reports.audits.document import AttributeRule, FixedRule, PercentRule, Rule
from reports.audits.model import Audit, AuditDraw, AuditRow, AuditState, DrawState
from reports.audits.sampling import clean_nonce, draw, seed_of
from reports.audits.scope import Query
from reports.audits.wanted import Choices, choices_of, with_those_below, zone_of
from reports.evidence.rows import moment

NUMBERS = "audit"
COUNT, MAKE = "count_audit", "make_audit"
#: A period is no longer than this many days: ten years.
LONGEST = 3660
_RULE: TypeAdapter[FixedRule | PercentRule | AttributeRule] = TypeAdapter(Rule)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is ordered; an empty tuple is everything. `disclosure` says what of the ledger the bundle shows."""

    first_day: date | None
    last_day: date | None
    rule: FixedRule | PercentRule | AttributeRule
    units: tuple[str, ...] = ()
    offerings: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    language: str = SOURCE
    disclosure: str = field(default="whole")


def order(session: Session, actor: Actor, wanted: Wanted) -> Audit:
    """Order an audit; a task counts it. The portal itself may order too, for the command line.

    Of a last day that is today, the period has what lies before this moment; the entry states it, so that nobody can
    move it later. Raises Forbidden, FieldErrors.
    """
    insist_on_ordering(actor)
    zone, at = zone_of(session), now(session)
    query = _checked(session, wanted, zone, at)
    number = next_number(session, NUMBERS)
    audit = Audit(
        reference=f"AR-{number:06d}",
        ordered_by_id=actor.person_id,
        ordered_at=at,
        first_day=query.first_day,
        last_day=query.last_day,
        until=query.until,
        zone=zone,
        units=list(query.units),
        offerings=list(query.offerings),
        controls=list(query.controls),
        rule=wanted.rule.model_dump(mode="json"),
        language=wanted.language,
        disclosure=wanted.disclosure,
        state=AuditState.COUNTING,
    )
    session.add(audit)
    session.flush()
    record(
        session,
        tags.ORDERED,
        subject=tags.subject_of(audit.reference),
        actor=actor,
        facts={
            "first_day": query.first_day.isoformat(),
            "last_day": query.last_day.isoformat(),
            "zone": zone,
            "from": moment(query.begins),
            "until": moment(query.until),
            "units": audit.units,
            "offerings": audit.offerings,
            "controls": audit.controls,
            "rule": audit.rule,
            "language": audit.language,
            "disclosure": audit.disclosure,
        },
    )
    _enqueue_count(session, audit)
    return audit


def give_nonce(session: Session, actor: Actor, audit_id: int, typed: str) -> AuditDraw:
    """Draw a sample by the auditor's word; a task makes its report. A further word is a further draw.

    Raises Forbidden, FieldError, NotFound, Conflict while it is not counted or its last draw is being made.
    """
    insist_on_ordering(actor)
    nonce = clean_nonce(typed)
    audit = get_locked_audit(session, audit_id)
    if audit.state is not AuditState.COUNTED:
        raise Conflict(_("This audit is not counted, so nothing can be drawn from it yet."))
    last = session.scalars(
        select(AuditDraw).where(AuditDraw.audit_id == audit.id).order_by(AuditDraw.number.desc()).limit(1)
    ).first()
    if last is not None and last.state is DrawState.MAKING:
        raise Conflict(_("The report of the last draw is being made. Wait until it is done."))
    if last is not None and last.state is DrawState.FAILED:
        raise Conflict(
            _("The report of the last draw was not made. Have it tried again before you draw anew.")
        )
    root = base64.b64decode(audit.root)
    references = [row["reference"] for row in rows_of(session, audit.id)]
    drawn = draw(seed_of(root, nonce), references, audit.sample_size or 0)
    made = AuditDraw(
        audit_id=audit.id,
        number=last.number + 1 if last else 1,
        nonce=nonce,
        given_by_id=actor.person_id,
        given_at=now(session),
        drawn=list(drawn),
        state=DrawState.MAKING,
    )
    session.add(made)
    session.flush()
    record(
        session,
        tags.NONCE_GIVEN,
        subject=tags.subject_of(audit.reference),
        actor=actor,
        facts={"draw": made.number, "nonce": nonce},
    )
    _enqueue_make(session, made)
    return made


def try_again(session: Session, actor: Actor, audit_id: int) -> None:
    """Have what failed tried again: the counting, or the making of the last draw's report. Twice is once.

    Raises Forbidden, NotFound, Conflict when nothing failed.
    """
    insist_on_ordering(actor)
    audit = get_locked_audit(session, audit_id)
    last = session.scalars(
        select(AuditDraw).where(AuditDraw.audit_id == audit.id).order_by(AuditDraw.number.desc()).limit(1)
    ).first()
    if audit.state is AuditState.FAILED:
        audit.state, audit.why = AuditState.COUNTING, ""
        audit.tries += 1
        _enqueue_count(session, audit)
    elif last is not None and last.state is DrawState.FAILED:
        last.state, last.why = DrawState.MAKING, ""
        last.tries += 1
        _enqueue_make(session, last)
    else:
        raise Conflict(_("Nothing failed here that could be tried again."))
    record(
        session,
        tags.RETRIED,
        subject=tags.subject_of(audit.reference),
        actor=actor,
        facts={"draw": last.number if last else None},
    )


def insist_on_ordering(actor: Actor) -> None:
    """Raises Forbidden unless the actor may order audits; the portal itself may."""
    if actor.person_id is not None and not actor.may(Permission.ORDER_AUDITS):
        raise Forbidden(_("Only compliance officers order audits."))


def get_locked_audit(session: Session, audit_id: int) -> Audit:
    """The audit, locked until the transaction ends. Raises NotFound."""
    found = session.scalars(
        select(Audit).where(Audit.id == audit_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound(_("There is no such audit."))
    return found


def query_of(audit: Audit) -> Query:
    """What the audit looks at."""
    return Query(
        audit.first_day,
        audit.last_day,
        audit.zone,
        tuple(audit.units),
        tuple(audit.offerings),
        tuple(audit.controls),
        ends=audit.until,
    )


def rule_of(audit: Audit) -> FixedRule | PercentRule | AttributeRule:
    """How large its sample is."""
    return read_rule(audit.rule)


def read_rule(rule: dict[str, Any]) -> FixedRule | PercentRule | AttributeRule:
    """The rule in this JSON. Raises FieldError with what is wrong in words."""
    try:
        read = _RULE.validate_json(json.dumps(rule))
    except ValidationError as error:
        raise FieldError("rule", _("Give the numbers of the rule for the sample's size.")) from error
    match read:
        case PercentRule() if not 0 < Fraction(read.percent) <= 100:  # noqa: PLR2004  (per cent)
            raise FieldError("percent", _("The share is more than 0 and at most 100 per cent."))
        case PercentRule() if read.least > read.most:
            raise FieldError("most", _("The most is not less than the least."))
        case AttributeRule() if not Fraction(1, 2) <= Fraction(read.confidence) < 1:
            raise FieldError("confidence", _("A statement is between 50 and 100 per cent sure."))
        case AttributeRule() if not 0 < Fraction(read.tolerable) < 1:
            raise FieldError("tolerable", _("More than 0 and less than 100 per cent are tolerable."))
    return read


def rows_of(session: Session, audit_id: int) -> list[dict[str, Any]]:
    """The population as it was counted, in order."""
    statement = select(AuditRow.body).where(AuditRow.audit_id == audit_id).order_by(AuditRow.position)
    return [json.loads(body) for body in session.scalars(statement)]


def _checked(session: Session, wanted: Wanted, zone: str, at: datetime) -> Query:
    first, last = wanted.first_day, wanted.last_day
    errors: list[FieldError] = []
    if first is None:
        errors.append(FieldError("first_day", _("Give the first day of the period.")))
    if last is None:
        errors.append(FieldError("last_day", _("Give the last day of the period.")))
    choices = choices_of(session)
    errors += _unknown(wanted, choices)
    if wanted.language not in LANGUAGES:
        errors.append(FieldError("language", _("Choose one of the languages.")))
    if wanted.disclosure not in {"whole", "scope"}:
        errors.append(FieldError("disclosure", _("Choose what the bundle shows of the ledger.")))
    if first is None or last is None:
        raise FieldErrors(tuple(errors))
    units = with_those_below(choices, wanted.units)
    query = Query(first, last, zone, units, tuple(sorted(wanted.offerings)), tuple(sorted(wanted.controls)))
    if first > last:
        errors.append(FieldError("last_day", _("The last day is on or after the first.")))
    elif (last - first).days > LONGEST:
        errors.append(FieldError("first_day", _("An audit looks at no more than ten years.")))
    elif last > at.astimezone(ZoneInfo(zone)).date() or query.begins >= at:
        errors.append(FieldError("last_day", _("The last day is in the future. Choose today at the latest.")))
    if errors:
        raise FieldErrors(tuple(errors))
    return replace(query, ends=min(at, query.until))


def _unknown(wanted: Wanted, choices: Choices) -> list[FieldError]:
    known = {
        "units": (wanted.units, choices.units),
        "offerings": (wanted.offerings, choices.offerings),
        "controls": (wanted.controls, choices.controls),
    }
    return [
        FieldError(name, _("There is no “%(name)s” any more. Choose again.", name=one))
        for name, (chosen, offered) in known.items()
        for one in chosen
        if one not in offered
    ]


def _enqueue_count(session: Session, audit: Audit) -> None:
    enqueue(
        session,
        COUNT,
        {"audit_id": audit.id},
        subject=f"audit:{audit.id}",
        dedupe_key=f"{COUNT}:{audit.id}:{audit.tries}",
    )


def _enqueue_make(session: Session, made: AuditDraw) -> None:
    enqueue_part(session, made, 0)


def enqueue_part(session: Session, made: AuditDraw, part: int) -> None:
    """The next share of a report's making; each is one task, so that none runs too long."""
    enqueue(
        session,
        MAKE,
        {"draw_id": made.id, "part": part},
        subject=f"audit:{made.audit_id}",
        dedupe_key=f"{MAKE}:{made.id}:{made.tries}:{part}",
    )
