"""What the pages of standing approvals show: frozen, in the reader's zone and language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from approvals.standing.model import StandingApproval, StandingState, StandingUse
from approvals.standing.propose import LONGEST_DAYS
from approvals.standing.signers import complete, needed, signatures_of, signer
from catalog.offerings.model import OfferingVersion
from catalog.offerings.names import names_of
from catalog.offerings.queries import document_of, published_versions
from catalog.requests.context import day_of
from catalog.requests.model import Request
from portal.core.clock import now
from portal.core.errors import NotFound
from portal.core.language import _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.permissions import Permission

MOST_LISTED = 200
MOST_USES_LISTED = 100


@dataclass(frozen=True, slots=True)
class StandingRow:
    """One line of the list. `state` is proposed, in-force, spent, ended, changed or revoked."""

    id: int
    name: str
    offering: str
    state: str
    used: int
    uses: int
    last_day: date


@dataclass(frozen=True, slots=True)
class SignerCard:
    """One stage whose people sign, how many of them must, and who has."""

    name: str
    quorum: int
    people: tuple[str, ...]
    signed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StandingPage:
    """One standing approval in full."""

    id: int
    name: str
    offering: str
    version: int
    reason: str
    scope: str
    uses: int
    used: int
    last_day: date
    digest: str
    state: str
    proposer: str
    proposed_at: datetime
    signers: tuple[SignerCard, ...]
    #: Who signed and when.
    signatures: tuple[tuple[str, datetime], ...]
    #: The requests that it was spent on: reference and when.
    spent_on: tuple[tuple[str, datetime], ...]
    revoked_by: str
    revoked_because: str
    revoked_at: datetime | None
    #: Too few of those who signed may still sign: it allows nothing until that is mended.
    wanting: bool
    may_sign: bool
    may_revoke: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class ProposalPage:
    """The form: the services to choose from, and the names that a scope may use for the one that is chosen."""

    offerings: tuple[tuple[str, str], ...]
    names: tuple[tuple[str, str], ...]
    chosen: str
    today: date
    latest: date


def standing_rows(session: Session, actor: Actor) -> tuple[StandingRow, ...]:
    """Every standing approval, the latest first; two statements."""
    newest = (
        select(OfferingVersion.offering_id, func.max(OfferingVersion.number).label("number"))
        .group_by(OfferingVersion.offering_id)
        .subquery()
    )
    rows = session.execute(
        select(StandingApproval, newest.c.number)
        .join(newest, newest.c.offering_id == StandingApproval.offering_id)
        .options(joinedload(StandingApproval.version))
        .order_by(StandingApproval.id.desc())
        .limit(MOST_LISTED)
    )
    at = now(session)
    return tuple(
        StandingRow(
            id=standing.id,
            name=standing.name,
            offering=document_of(standing.version).spoken().name,
            state=_state(standing, newest_number, at),
            used=standing.used,
            uses=standing.uses,
            last_day=_last_day(standing, actor),
        )
        for standing, newest_number in rows
    )


def standing_page(session: Session, actor: Actor, number: int) -> StandingPage:
    """One standing approval. Raises NotFound."""
    standing = session.scalars(
        select(StandingApproval)
        .where(StandingApproval.id == number)
        .options(joinedload(StandingApproval.version), joinedload(StandingApproval.proposer))
    ).one_or_none()
    if standing is None:
        raise NotFound(_("There is no such standing approval."))
    zone = ZoneInfo(actor.timezone)
    at = now(session)
    wanted = needed(session, standing)
    signed = signatures_of(session, standing)
    names = _names(session, [*signed, *([standing.revoked_by_id] if standing.revoked_by_id else [])])
    newest = session.scalar(
        select(func.max(OfferingVersion.number)).where(OfferingVersion.offering_id == standing.offering_id)
    )
    right = signer(wanted, actor.person_id)
    state = _state(standing, newest or 0, at)
    document = document_of(standing.version)
    return StandingPage(
        id=standing.id,
        name=standing.name,
        offering=document.spoken().name,
        version=standing.version.number,
        reason=standing.reason,
        scope=standing.scope,
        uses=standing.uses,
        used=standing.used,
        last_day=_last_day(standing, actor),
        digest=standing.digest,
        state=state,
        proposer=standing.proposer.name,
        proposed_at=standing.proposed_at.astimezone(zone),
        signers=tuple(
            SignerCard(
                name=spoken(one.name),
                quorum=one.quorum,
                people=tuple(person.name for person in one.people),
                signed=tuple(person.name for person in one.people if person.person_id in signed),
            )
            for one in wanted
        ),
        signatures=tuple(
            (names.get(person, ""), row.signed_at.astimezone(zone)) for person, row in signed.items()
        ),
        spent_on=_uses(session, standing, zone),
        revoked_by=names.get(standing.revoked_by_id or 0, ""),
        revoked_because=standing.revoked_because,
        revoked_at=standing.revoked_at.astimezone(zone) if standing.revoked_at else None,
        wanting=state == "in-force" and not complete(wanted, signed),
        may_sign=state == "proposed" and right is not None and right.person_id not in signed,
        may_revoke=standing.state is not StandingState.REVOKED
        and (
            right is not None
            or actor.person_id == standing.proposer_id
            or actor.may(Permission.PROPOSE_STANDING)
        ),
        now=at.astimezone(zone),
    )


def proposal_page(session: Session, actor: Actor, chosen: str) -> ProposalPage:
    """The form's choices; one statement."""
    versions = published_versions(session)
    today = day_of(now(session), actor.timezone)
    offerings = sorted(
        ((version.offering.slug, document_of(version).spoken().name) for version in versions),
        key=lambda pair: pair[1].casefold(),
    )
    version = next((one for one in versions if one.offering.slug == chosen), None)
    return ProposalPage(
        offerings=tuple(offerings),
        names=names_of(document_of(version)) if version else (),
        chosen=chosen if version else "",
        today=today,
        latest=today + timedelta(days=LONGEST_DAYS),
    )


def _state(standing: StandingApproval, newest: int, at: datetime) -> str:
    if standing.state is StandingState.REVOKED:
        return "revoked"
    if at >= standing.ends_at:
        return "ended"
    if standing.version.number != newest:
        return "changed"
    if standing.state is StandingState.IN_FORCE and standing.used >= standing.uses:
        return "spent"
    return standing.state.value


def _last_day(standing: StandingApproval, actor: Actor) -> date:
    """The day that is over when it ends, where the reader lives."""
    return (standing.ends_at - timedelta(microseconds=1)).astimezone(ZoneInfo(actor.timezone)).date()


def _names(session: Session, numbers: Sequence[int]) -> dict[int, str]:
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(numbers)))
    return {row.id: row.name for row in rows}


def _uses(session: Session, standing: StandingApproval, zone: ZoneInfo) -> tuple[tuple[str, datetime], ...]:
    rows = session.execute(
        select(Request.reference, StandingUse.spent_at)
        .join(Request, Request.id == StandingUse.request_id)
        .where(StandingUse.standing_id == standing.id)
        .order_by(StandingUse.id.desc())
        .limit(MOST_USES_LISTED)
    )
    return tuple((reference, spent_at.astimezone(zone)) for reference, spent_at in rows)
