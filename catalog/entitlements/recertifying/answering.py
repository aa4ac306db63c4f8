"""Answers, and what follows from them and from silence.

- The holder's or an owner's "not needed" ends it at once: whoever may not need it, or answers for it, need ask nobody.
- It stays when an owner says "keep" and the holder does too, or has not spoken when the time is over: whoever answers
  for it has vouched for it, and a holder who is away loses nothing that they need.
- Without an owner's "keep" it ends when the time is over, whatever its holder said: nobody vouches for themselves.
  Where nobody but the holder could be asked, the holder's word counts alone.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.entitlements.clock import review_at
from catalog.entitlements.ending import end_entitlement, get_locked_entitlement
from catalog.entitlements.model import Entitlement
from catalog.entitlements.recertifying.asking import spoken_for, told_of, voices_of
from catalog.entitlements.recertifying.model import (
    Answer,
    Part,
    Recertification,
    RecertificationState,
    Voice,
)
from catalog.entitlements.recertifying.people import part_of
from catalog.offerings.queries import document_of
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, NotFound
from portal.core.language import N_, _, say
from portal.core.text import clean_text
from portal.identity.actor import PORTAL, Actor
from portal.identity.model import Person
from portal.notifications import notify

NOT_NEEDED = N_("Its holder said that it is not needed any more.")
NOT_WANTED = N_("Somebody who answers for it said that it is not needed any more.")
SILENCE = N_("Nobody who answers for it said in time that it is still needed.")
LONGEST = 1000


def answer(
    session: Session, actor: Actor, question_id: int, given: Answer, said: str = ""
) -> Recertification:
    """Write down what the actor says, and act on it. The same answer again changes nothing.

    Raises NotFound for whoever is not asked, Conflict once it is decided, FieldError for words that cannot be kept.
    """
    question = get_question(session, question_id)
    entitlement = get_locked_entitlement(session, question.entitlement_id)
    session.refresh(question)
    part = part_of(session, actor, question)
    if part is None or actor.person_id is None:
        raise NotFound(_(NO_SUCH_QUESTION))
    voice = session.get(Voice, (question.id, actor.person_id))
    if question.state is not RecertificationState.OPEN:
        if voice is not None and voice.answer is given:
            return question
        raise Conflict(_("This question is closed: it was answered already, or its time was over."))
    if voice is None:
        # Somebody who has come to answer for it since the question was put.
        voice = Voice(recertification_id=question.id, person_id=actor.person_id, part=part)
        session.add(voice)
    elif voice.answer is given:
        return question
    voice.part, voice.answer, voice.said, voice.answered_at = part, given, _checked(said), now(session)
    session.flush()
    request = session.get_one(Request, entitlement.request_id)
    record(
        session,
        tags.RECERTIFICATION_ANSWERED,
        subject=subject_of(request),
        actor=actor,
        facts={
            "recertification": question.id,
            "entitlement": entitlement.id,
            "part": part.value,
            "answer": given.value,
        },
        personal={"why": voice.said} if voice.said else None,
    )
    _settle(session, question, entitlement, in_time=True)
    return question


def close_by_silence(session: Session, question_id: int) -> None:
    """The time is over: decide by what was said."""
    question = get_question(session, question_id)
    entitlement = get_locked_entitlement(session, question.entitlement_id)
    session.refresh(question)
    if question.state is RecertificationState.OPEN and question.due_at <= now(session):
        _settle(session, question, entitlement, in_time=False)


def get_question(session: Session, question_id: int) -> Recertification:
    """The question of this number. Raises NotFound."""
    question = session.get(Recertification, question_id)
    if question is None:
        raise NotFound(_(NO_SUCH_QUESTION))
    return question


NO_SUCH_QUESTION = N_("There is no such question, or it is not yours to answer.")


def _settle(session: Session, question: Recertification, entitlement: Entitlement, *, in_time: bool) -> None:
    voices = voices_of(session, question)
    holder, owner = spoken_for(voices, Part.HOLDER), spoken_for(voices, Part.OWNER)
    somebody_else = any(voice.part is Part.OWNER for voice in voices)
    vouched = owner is Answer.KEEP or (holder is Answer.KEEP and not somebody_else)
    if holder is Answer.NOT_NEEDED:
        _revoke(session, question, entitlement, say(NOT_NEEDED), by="holder")
    elif owner is Answer.NOT_NEEDED:
        _revoke(session, question, entitlement, say(NOT_WANTED), by="owner")
    elif vouched and (holder is Answer.KEEP or not in_time):
        _keep(session, question, entitlement)
    elif not in_time:
        _revoke(session, question, entitlement, say(SILENCE), by="silence")
        for voice in voices:
            if voice.part is Part.OWNER:
                person = session.get_one(Person, voice.person_id)
                told = told_of(session, question, entitlement, person)
                notify(session, "recertification_lapsed", person, told)


def _keep(session: Session, question: Recertification, entitlement: Entitlement) -> None:
    request = session.get_one(Request, entitlement.request_id)
    _close(session, question, RecertificationState.KEPT)
    risk = str(request.risk.get("level", ""))
    entitlement.review_at = review_at(document_of(request.version), risk, now(session), entitlement.ends_at)
    record(
        session,
        tags.RECERTIFICATION_KEPT,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "recertification": question.id,
            "entitlement": entitlement.id,
            "next": entitlement.review_at.isoformat() if entitlement.review_at else None,
        },
    )


def _revoke(
    session: Session, question: Recertification, entitlement: Entitlement, why: str, *, by: str
) -> None:
    _close(session, question, RecertificationState.REVOKED)
    session.flush()
    record(
        session,
        tags.RECERTIFICATION_REVOKED,
        subject=subject_of(session.get_one(Request, entitlement.request_id)),
        actor=PORTAL,
        facts={"recertification": question.id, "entitlement": entitlement.id, "by": by},
    )
    end_entitlement(session, entitlement, why=why)


def _close(session: Session, question: Recertification, state: RecertificationState) -> None:
    question.state = state
    question.closed_at = now(session)
    question.remind_at = None


def _checked(said: str) -> str:
    try:
        text = clean_text(said)
    except ValueError as error:
        raise FieldError("said", f"{error}.") from error
    if len(text) > LONGEST:
        raise FieldError("said", _("Shorten this to %(most)s characters.", most=LONGEST))
    return text
