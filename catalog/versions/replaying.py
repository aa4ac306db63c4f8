"""Replaying drafts in the background: asked for on a page, carried out by a worker, kept with the draft."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.offerings.model import Offering, OfferingVersion
from catalog.versions import tags
from catalog.versions.drafting import check, get_locked_draft
from catalog.versions.model import OfferingDraft, OfferingReplay, ReplayState
from catalog.versions.replay import replay
from catalog.versions.routes import MakeRoutes
from portal.audit import record
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.errors import Conflict, Forbidden, PortalError
from portal.core.language import _, say
from portal.identity.actor import PORTAL, Actor
from portal.identity.permissions import Permission
from portal.jobs import Job, enqueue

REPLAY = "replay_offering"
#: A replay that is older says too little about the organisation to publish on.
GOOD_FOR = timedelta(days=7)


def ask(session: Session, actor: Actor, draft_id: int) -> OfferingReplay:
    """Have the draft replayed as it stands. Whoever asks and did not write it counts as its publisher.

    The same text asked for twice by one person while it is worked out is one replay. Raises NotFound, Forbidden,
    Conflict for a draft that has problems or is no longer written.
    """
    if actor.person_id is None or not (
        actor.may(Permission.WRITE_OFFERINGS) or actor.may(Permission.PUBLISH_OFFERINGS)
    ):
        raise Forbidden(_("Only catalogue owners replay drafts."))
    found = get_locked_draft(session, draft_id)
    if not found.digest:
        raise Conflict(_("This draft has problems. Mend them and save it, then replay it."))
    under_way = session.scalar(
        select(OfferingReplay).where(
            OfferingReplay.draft_id == draft_id,
            OfferingReplay.digest == found.digest,
            OfferingReplay.asked_by_id == actor.person_id,
            OfferingReplay.state.in_((ReplayState.WAITING, ReplayState.RUNNING)),
        )
    )
    if under_way is not None:
        return under_way
    made = OfferingReplay(
        draft_id=draft_id,
        digest=found.digest,
        base_digest=digest_in_force(session, found.slug),
        asked_by_id=actor.person_id,
        publisher_id=None if actor.person_id == found.author_id else actor.person_id,
        state=ReplayState.WAITING,
        asked_at=now(session),
    )
    session.add(made)
    session.flush()
    enqueue(session, REPLAY, {"replay_id": made.id}, subject=f"replay:{made.id}")
    return made


def carry_out(job: Job, *, make_routes: MakeRoutes) -> None:
    """The `replay_offering` task. Safe to run again: it begins anew, and only its own rows are written."""
    with job.transaction() as session:
        asked = session.get_one(OfferingReplay, job.payload["replay_id"])
        kept = session.get_one(OfferingDraft, asked.draft_id)
        document = check(kept.slug, kept.source).document
        if asked.state in {ReplayState.DONE, ReplayState.FAILED}:
            return
        if document is None or document.digest != asked.digest:
            _fail(session, asked, say("The draft was changed before its replay began. Replay it again."))
            return
        asked.state = ReplayState.RUNNING
        publisher_id = asked.publisher_id
    try:
        report = replay(
            job.db,
            document,
            make_routes=make_routes,
            publisher_id=publisher_id,
            progress=lambda done, total: _tell(job, done, total),
        )
    except PortalError as error:
        with job.transaction() as session:
            _fail(session, session.get_one(OfferingReplay, job.payload["replay_id"]), error.sentence)
        return
    with job.transaction() as session:
        asked = session.get_one(OfferingReplay, job.payload["replay_id"])
        asked.result = report.to_json()
        asked.result_digest = digest(asked.result)
        asked.base_digest = report.base_digest
        asked.done = asked.total = report.requests
        asked.state = ReplayState.DONE
        asked.finished_at = now(session)
        record(
            session,
            tags.REPLAYED,
            subject=f"offering:{document.slug}",
            actor=PORTAL,
            facts={
                "draft": asked.draft_id,
                "digest": asked.digest,
                "asked_by": f"person:{asked.asked_by_id}",
                "requests": report.requests,
                "replay_digest": asked.result_digest,
            },
        )
        job.finish(session)


def digest_in_force(session: Session, slug: str) -> str:
    """The digest of the offering's newest version; empty for an offering that has none."""
    statement = (
        select(OfferingVersion.digest)
        .join(Offering, Offering.id == OfferingVersion.offering_id)
        .where(Offering.slug == slug)
        .order_by(OfferingVersion.number.desc())
        .limit(1)
    )
    return session.scalar(statement) or ""


def _tell(job: Job, done: int, total: int) -> None:
    with job.transaction() as session:
        asked = session.get_one(OfferingReplay, job.payload["replay_id"])
        asked.done, asked.total = done, total


def _fail(session: Session, asked: OfferingReplay, why: str) -> None:
    asked.state = ReplayState.FAILED
    asked.why = why
    asked.finished_at = now(session)
