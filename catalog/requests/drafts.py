"""Drafts: what a person has typed, kept as they type, so that nothing is ever lost.

A draft's token is made when the form is shown and says, under the portal's key, whose it is. So the first save
may come from a page whose session has ended meanwhile: it is kept for its owner, and for nobody else. The token
lets its holder write the answers, never read them.

Saves may overtake each other on their way, and one may still be under way when the form itself is sent. So every
page numbers its saves, and one that comes after a later one of its page changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Draft
from portal.core.clock import now
from portal.core.errors import Conflict, NotFound, TooLarge
from portal.core.language import _
from portal.identity.actor import Actor

#: Bytes of randomness in a token, and of the proof of whose it is.
_NONCE_BYTES = 16
_PROOF_BYTES = 16
#: A draft holds at most so many characters; a form that is sent is checked field by field.
LONGEST_DRAFT = 200_000
MOST_VALUES = 500
#: Of so many pages a draft remembers the last save; nobody has more of them open on one draft.
MOST_PAGES = 20
_SAVE = re.compile(r"([0-9a-f]{16})\.([1-9][0-9]{0,8})", re.ASCII)


class Save(NamedTuple):
    """One of a page's saves: the number grows with each, whether it was sent or kept as somebody typed."""

    page: str
    number: int


class Overtaken(Conflict):
    """A later save of the same page is kept already."""


def read_save(text: str) -> Save | None:
    """The save as a page's script writes it; None for a form that was sent without one, or for anything else."""
    found = _SAVE.fullmatch(text)
    return Save(found[1], int(found[2])) if found else None


def new_token(person_id: int, key: str) -> str:
    """A token for a new draft of this person: 128 random bits, and whose it is under the portal's key."""
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    return f"{nonce}.{person_id}.{_proof(nonce, person_id, key)}"


def owner_of(token: str, key: str) -> int:
    """Whose draft the token is for. Raises NotFound for a token that the portal did not make."""
    nonce, _dot, rest = token.partition(".")
    person, _dot, proof = rest.partition(".")
    if person.isascii() and person.isdecimal() and len(person) <= 18:  # noqa: PLR2004  (what a 64-bit key can hold)
        expected = _proof(nonce, int(person), key)
        if hmac.compare_digest(proof.encode(), expected.encode()):
            return int(person)
    raise NotFound(_("There is no such draft."))


def insist_on_owner(actor: Actor, token: str, key: str) -> None:
    """Raises NotFound unless the token is for a draft of the actor."""
    if owner_of(token, key) != actor.person_id:
        raise NotFound(_("There is no such draft, or it is not yours."))


def keep(
    session: Session,
    token: str,
    version: OfferingVersion,
    answers: Mapping[str, Any],
    *,
    key: str,
    save: Save | None = None,
    by_itself: bool = False,
) -> Draft:
    """Keep what was typed, raw, under the token. The same again changes nothing.

    A form that somebody sent is kept whatever came before; a save that its page makes `by_itself` is not kept after
    a later one. Raises NotFound for a forged token, TooLarge, Overtaken, and Conflict once the draft was submitted.
    """
    person_id = owner_of(token, key)
    _check_size(answers)
    draft = _find_locked(session, token)
    if draft is None:
        draft = Draft(token=token, person_id=person_id, offering_version_id=version.id)
        draft.answers = dict(answers)
        draft.saves = _noted({}, save)
        draft.updated_at = now(session)
        try:
            # Two saves of a new draft at once: the second one finds the first.
            with session.begin_nested():
                session.add(draft)
        except IntegrityError:
            return keep(session, token, version, answers, key=key, save=save, by_itself=by_itself)
        return draft
    if by_itself and save is not None and save.number <= draft.saves.get(save.page, 0):
        # In no other language, for nobody reads it: the page is told nothing.
        raise Overtaken("A later save of this page is kept already.")
    if draft.request_id is not None or draft.order_group_id is not None:
        raise Conflict(_("This form was sent already. Open the service again to ask once more."))
    draft.saves = _noted(draft.saves, save)
    if draft.offering_version_id != version.id or draft.answers != answers:
        draft.offering_version_id = version.id
        draft.answers = dict(answers)
        draft.updated_at = now(session)
    return draft


def find_draft(session: Session, actor: Actor, token: str) -> Draft | None:
    """The actor's draft under this token, or None while nothing was saved yet or when it is another's."""
    return session.scalars(
        select(Draft).where(Draft.token == token, Draft.person_id == actor.person_id)
    ).one_or_none()


def get_draft(session: Session, actor: Actor, token: str) -> Draft:
    """The actor's draft under this token. Raises NotFound."""
    draft = find_draft(session, actor, token)
    if draft is None:
        raise NotFound(_("There is no such draft, or it is not yours."))
    return draft


def get_locked_draft(session: Session, actor: Actor, token: str) -> Draft:
    """The actor's draft, locked until this transaction ends. Raises NotFound."""
    draft = _find_locked(session, token)
    if draft is None or draft.person_id != actor.person_id:
        raise NotFound(_("There is no such draft, or it is not yours."))
    return draft


def open_drafts(
    session: Session, actor: Actor, offering_id: int | None = None
) -> Sequence[tuple[Draft, OfferingVersion]]:
    """The actor's drafts that were not submitted, the latest first."""
    statement = (
        select(Draft, OfferingVersion)
        .join(OfferingVersion, OfferingVersion.id == Draft.offering_version_id)
        .where(Draft.person_id == actor.person_id, Draft.request_id.is_(None), Draft.order_group_id.is_(None))
        .options(joinedload(OfferingVersion.offering))
        .order_by(Draft.updated_at.desc(), Draft.id.desc())
        .limit(20)
    )
    if offering_id is not None:
        statement = statement.where(OfferingVersion.offering_id == offering_id)
    return [(draft, version) for draft, version in session.execute(statement)]


def discard(session: Session, actor: Actor, token: str) -> None:
    """Throw the draft away. Raises NotFound, and Conflict once it was submitted."""
    draft = get_locked_draft(session, actor, token)
    if draft.request_id is not None or draft.order_group_id is not None:
        raise Conflict(_("This form was sent already; withdraw the request instead."))
    session.delete(draft)


def _find_locked(session: Session, token: str) -> Draft | None:
    statement = select(Draft).where(Draft.token == token).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def _noted(saves: Mapping[str, int], save: Save | None) -> dict[str, int]:
    """The last save of each page, the page that saved last at the end; those that saved longest ago are forgotten."""
    if save is None:
        return dict(saves)
    number = max(save.number, saves.get(save.page, 0))
    others = [(page, last) for page, last in saves.items() if page != save.page]
    return dict([*others, (save.page, number)][-MOST_PAGES:])


def _proof(nonce: str, person_id: int, key: str) -> str:
    made = hmac.new(key.encode(), f"draft:{nonce}:{person_id}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(made[:_PROOF_BYTES]).decode().rstrip("=")


def _check_size(answers: Mapping[str, Any]) -> None:
    values = [
        value for answer in answers.values() for value in (answer if isinstance(answer, list) else [answer])
    ]
    if len(values) > MOST_VALUES or sum(len(str(value)) for value in values) > LONGEST_DRAFT:
        raise TooLarge(_("This is more than a form takes. Shorten your answers."))
