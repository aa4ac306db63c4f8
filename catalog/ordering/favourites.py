"""Favourites: offerings that a person starred, and answers that they keep under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.ordering.model import Favourite
from catalog.requests.drafts import get_draft
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, NotFound
from portal.core.language import _
from portal.core.text import clean_line
from portal.identity.actor import Actor

LONGEST_NAME = 80
#: More than anybody finds their way in.
MOST = 50
#: What was uploaded belongs to the draft that it was uploaded for.
_NOT_KEPT = frozenset({"file", "csr"})


@dataclass(frozen=True, slots=True)
class FavouriteLine:
    """One favourite: an offering, or answers to it under a name (`saved`)."""

    id: int
    slug: str
    name: str
    saved: bool


def favourites_of(
    session: Session, actor: Actor, versions: Mapping[int, OfferingVersion]
) -> tuple[FavouriteLine, ...]:
    """The actor's favourites among these offerings, by name; one statement. `versions` are by offering."""
    rows = session.execute(
        select(Favourite.id, Favourite.offering_id, Favourite.name).where(
            Favourite.person_id == actor.person_id
        )
    )
    lines = []
    for number, offering_id, name in rows:
        if offering_id in versions:
            document = document_of(versions[offering_id]).spoken()
            title = f"{document.name}: {name}" if name else document.name
            lines.append(FavouriteLine(number, document.slug, title, bool(name)))
    return tuple(sorted(lines, key=lambda line: line.name.casefold()))


def is_starred(session: Session, actor: Actor, offering_id: int) -> bool:
    """Whether the actor starred the offering; one statement."""
    return bool(session.scalar(select(exists().where(*_star(actor, offering_id)))))


def star(session: Session, actor: Actor, offering_id: int) -> None:
    """Put the offering among the actor's favourites. Starred twice is starred once."""
    if not is_starred(session, actor, offering_id):
        _add(session, actor, offering_id, "", {})


def unstar(session: Session, actor: Actor, offering_id: int) -> None:
    """Take the offering out of the actor's favourites."""
    session.execute(delete(Favourite).where(*_star(actor, offering_id)))


def save_answers(session: Session, actor: Actor, token: str, name: str) -> Favourite:
    """Keep the answers of the actor's draft under a name; the same name again puts them in the place of the old ones.

    What was uploaded is not kept. Raises NotFound for a draft that is not theirs, FieldError for the name.
    """
    draft = get_draft(session, actor, token)
    version = session.get_one(OfferingVersion, draft.offering_version_id)
    said = _clean(name)
    kept = {
        field.name: draft.answers[field.name]
        for field in document_of(version).fields
        if field.name in draft.answers and field.kind not in _NOT_KEPT
    }
    found = session.scalars(
        select(Favourite).where(
            Favourite.person_id == actor.person_id,
            Favourite.offering_id == version.offering_id,
            Favourite.name == said,
        )
    ).one_or_none()
    if found is None:
        return _add(session, actor, version.offering_id, said, kept)
    found.answers = kept
    return found


def get_favourite(session: Session, actor: Actor, number: int) -> Favourite:
    """The actor's favourite. Raises NotFound."""
    found = session.get(Favourite, number)
    if found is None or found.person_id != actor.person_id:
        raise NotFound(_("There is no such favourite, or it is not yours."))
    return found


def remove(session: Session, actor: Actor, number: int) -> None:
    """Throw a favourite away. Raises NotFound."""
    session.delete(get_favourite(session, actor, number))


def _star(actor: Actor, offering_id: int) -> tuple[Any, ...]:
    return (
        Favourite.person_id == actor.person_id,
        Favourite.offering_id == offering_id,
        Favourite.name == "",
    )


def _add(session: Session, actor: Actor, offering_id: int, name: str, answers: dict[str, Any]) -> Favourite:
    count = session.scalar(
        select(func.count()).select_from(Favourite).where(Favourite.person_id == actor.person_id)
    )
    if (count or 0) >= MOST:
        raise Conflict(_("You have %(most)s favourites already. Remove one of them first.", most=MOST))
    made = Favourite(
        person_id=actor.person_id,
        offering_id=offering_id,
        name=name,
        answers=answers,
        created_at=now(session),
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        raise Conflict(_("This favourite was just saved from another page. Reload the page.")) from None
    return made


def _clean(name: str) -> str:
    try:
        said = clean_line(name)
    except ValueError as error:
        raise FieldError("name", f"{error}.") from error
    if not said:
        raise FieldError("name", _("Give the favourite a name, so that you find it again."))
    if len(said) > LONGEST_NAME:
        raise FieldError(
            "name",
            _("The name is longer than %(longest_name)s characters; shorten it.", longest_name=LONGEST_NAME),
        )
    return said
