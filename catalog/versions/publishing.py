"""Publishing a draft: another person than its author puts it in force, with the replay before them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.offerings.model import OfferingVersion
from catalog.offerings.publish import publish
from catalog.versions.drafting import FILE, check, get_locked_draft
from catalog.versions.model import DraftState, OfferingDraft, OfferingReplay, PublishedReplay, ReplayState
from catalog.versions.replaying import GOOD_FOR, digest_in_force
from portal.core.clock import now
from portal.core.errors import Conflict, Forbidden
from portal.core.language import N_, _
from portal.identity.actor import Actor
from portal.identity.permissions import Permission

AUTHOR = N_(
    "You wrote this draft, so another catalogue owner must publish it: two people stand behind every version. "
    "Ask one of them to open this page."
)
NO_RIGHT = N_("Only catalogue owners publish offerings. Ask one of them to open this page.")


def publish_draft(
    session: Session, actor: Actor, draft_id: int, *, digest: str, replay_id: int
) -> OfferingVersion:
    """Put the draft in force as the offering's next version; its replay stays with it.

    `digest` and `replay_id` are what the publisher saw. Raises NotFound, Forbidden for the author and for whoever
    may not publish, Conflict when the text, the version in force or the replay is not what they saw.
    """
    if actor.person_id is None or not actor.may(Permission.PUBLISH_OFFERINGS):
        raise Forbidden(_(NO_RIGHT))
    draft = get_locked_draft(session, draft_id)
    if actor.person_id == draft.author_id:
        raise Forbidden(_(AUTHOR))
    if not draft.digest:
        raise Conflict(_("This draft has problems. Its author must mend them first."))
    if draft.digest != digest:
        raise Conflict(_("The author changed this draft while you read it. Read it again, and replay it."))
    in_force = digest_in_force(session, draft.slug)
    if in_force == draft.digest:
        raise Conflict(
            _("This draft means the same as the version in force, so there is nothing to publish.")
        )
    replay = _get_replay(session, draft, actor.person_id, replay_id)
    if replay.base_digest != in_force:
        raise Conflict(_("Another version was put in force since the replay. Replay the draft again."))
    if replay.asked_at + GOOD_FOR < now(session):
        raise Conflict(
            _("The replay is older than %(days)s days. Replay the draft again.", days=GOOD_FOR.days)
        )
    document = check(draft.slug, draft.source).document
    if document is None or document.digest != draft.digest:
        raise Conflict(
            _("The offering language has changed since this draft was saved. Its author must save it again.")
        )
    version = publish(
        session,
        actor,
        draft.source,
        FILE,
        author_id=draft.author_id,
        replay_digest=replay.result_digest,
    )
    session.add(PublishedReplay(version_id=version.id, digest=replay.result_digest, result=replay.result))
    draft.state = DraftState.PUBLISHED
    draft.version_id = version.id
    draft.updated_at = now(session)
    return version


def _get_replay(session: Session, draft: OfferingDraft, publisher_id: int, replay_id: int) -> OfferingReplay:
    statement = select(OfferingReplay).where(
        OfferingReplay.id == replay_id,
        OfferingReplay.draft_id == draft.id,
        OfferingReplay.digest == draft.digest,
        OfferingReplay.state == ReplayState.DONE,
    )
    found = session.scalar(statement)
    if found is None:
        raise Conflict(_("This text was not replayed, or it was changed since. Replay the draft first."))
    if found.publisher_id != publisher_id:
        raise Conflict(
            _(
                "The replay was made for another publisher, and whoever publishes approves none of its requests. "
                "Replay the draft yourself first."
            )
        )
    return found
