"""Writing a rota into the portal: what is over stays, what runs is cut where the file says otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.events import publish
from portal.identity.actor import Actor
from portal.identity.events import RotaImported
from portal.identity.model import Person
from portal.identity.rotas.model import Rota, RotaShift
from portal.identity.rotas.reading import RotaError, RotaFile, Shift


def import_rota(session: Session, actor: Actor, read: RotaFile) -> RotaImported:
    """Make the rota's present and future those of the file. Importing the same file again changes nothing.

    Duty that is over is never rewritten, because decisions were made on it: a shift that runs and is no longer in the
    file ends now. Raises RotaError for people who are not known here, or not by that name alone.
    """
    people = _people_of(session, read.shifts)
    at = now(session)
    rota = session.scalars(select(Rota).where(Rota.slug == read.slug).with_for_update()).one_or_none()
    if rota is None:
        rota = Rota(slug=read.slug, name=read.name, digest=read.digest, imported_at=at)
        session.add(rota)
        session.flush()
    rota.name, rota.digest, rota.imported_at = read.name, read.digest, at
    wanted = {
        (people[shift.names], shift.starts_at, shift.ends_at) for shift in read.shifts if shift.ends_at > at
    }
    present = session.scalars(
        select(RotaShift).where(RotaShift.rota_id == rota.id, RotaShift.ends_at > at).order_by(RotaShift.id)
    ).all()
    for shift in present:
        key = (shift.person_id, shift.starts_at, shift.ends_at)
        if key in wanted:
            wanted.remove(key)
        elif shift.starts_at < at:
            shift.ends_at = at
        else:
            session.delete(shift)
    session.add_all(
        RotaShift(rota_id=rota.id, person_id=person, starts_at=starts_at, ends_at=ends_at)
        for person, starts_at, ends_at in sorted(wanted, key=lambda key: key[1:])
    )
    session.flush()
    event = RotaImported(
        actor=actor,
        rota=read.slug,
        name=read.name,
        people=len(set(people.values())),
        shifts=len(read.shifts),
        digest=read.digest,
    )
    publish(session, event)
    return event


def _people_of(session: Session, shifts: Sequence[Shift]) -> Mapping[tuple[str, ...], int]:
    """The person of each way in which the file names one: by user name, else by mail address or name if one has it.

    Here a mail address only finds a person whom an operator's file means; whoever they are is their number from then
    on, and deciding compares identities.
    """
    known: dict[str, set[int]] = defaultdict(set)
    user_names: dict[str, int] = {}
    for number, user_name, mail, name in session.execute(
        select(Person.id, Person.user_name, Person.email, Person.name).where(Person.active)
    ):
        user_names[user_name.casefold()] = number
        known[mail.casefold()].add(number)
        known[name.casefold()].add(number)
    found: dict[tuple[str, ...], int] = {}
    problems: dict[tuple[str, ...], str] = {}
    for shift in shifts:
        if shift.names in found or shift.names in problems:
            continue
        numbers: set[int] = set()
        for name in shift.names:
            folded = name.strip().casefold()
            numbers |= {user_names[folded]} if folded in user_names else known.get(folded, set())
        if len(numbers) == 1:
            (found[shift.names],) = numbers
        else:
            shown = ", ".join(shift.names)[:80] or "nothing"
            why = "several active people are called so" if numbers else "nobody active is called so"
            problems[shift.names] = f"{shift.place}: {shown!r}: {why}; write a user name"
    if problems:
        raise RotaError(tuple(problems.values()))
    return found
