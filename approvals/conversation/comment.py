"""Commenting: whoever may see a request may say something about it, and call others who may see it too."""

from __future__ import annotations

from sqlalchemy.orm import Session

from approvals import tags
from approvals.conversation.mentions import mentioned_in
from approvals.conversation.model import Remark, RemarkKind, RemarkState
from approvals.conversation.words import checked
from catalog.requests.moves import subject_of
from catalog.requests.queries import request_for
from catalog.requests.route import Router
from catalog.requests.telling import about
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Forbidden
from portal.core.language import _
from portal.identity.actor import Actor
from portal.notifications import notify


def comment(session: Session, actor: Actor, reference: str, *, text: str, router: Router) -> Remark:
    """Write a comment that everybody reads who may see the request, and mail whoever it mentions.

    Raises NotFound where the actor may not see the request themselves, FieldError.
    """
    request = request_for(session, actor, reference, router)
    if actor.person_id is None:
        raise Forbidden(_("Only people comment."))
    text = checked(text, "comment", missing=_("Write your comment."))
    called = mentioned_in(session, text, request, router)
    remark = Remark(
        request_id=request.id,
        revision=request.revision,
        author_id=actor.person_id,
        kind=RemarkKind.COMMENT,
        state=RemarkState.STANDING,
        text=text,
        said_at=now(session),
        seal=request.seal,
    )
    session.add(remark)
    record(
        session,
        tags.COMMENTED,
        subject=subject_of(request),
        actor=actor,
        facts={"mentions": [f"person:{person.id}" for person in called]},
        personal={"comment": text},
    )
    for person in called:
        if person.id != actor.person_id:
            notify(
                session,
                "mentioned",
                person,
                {
                    **about(request),
                    "author": actor.name,
                    "comment": text,
                    "path": f"/requests/{request.reference}",
                },
            )
    return remark
