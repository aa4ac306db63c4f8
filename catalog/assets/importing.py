"""Importing assets: the portal's list becomes that of the file, or stays as it is when one row is wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.assets import tags
from catalog.assets.model import Asset
from catalog.assets.reading import AssetFileError, AssetLine, read_assets
from portal.audit import record
from portal.core.canonical import digest
from portal.core.database import Database
from portal.identity.actor import PORTAL, Actor
from portal.identity.model import Group, Person, Unit


@dataclass(frozen=True, slots=True)
class Imported:
    """How many assets there are now, how many are new, were changed, and are no longer listed."""

    assets: int
    added: int
    changed: int
    deactivated: int


def import_file(db: Database, file: Path) -> Imported:
    """Make the portal's assets those of the file, all or nothing. Raises AssetFileError with every problem."""
    lines = read_assets(file.read_bytes(), file.name)
    with db.transaction() as session:
        return import_assets(session, PORTAL, lines)


def import_assets(session: Session, actor: Actor, lines: Sequence[AssetLine]) -> Imported:
    """Make the portal's assets those of the file. What is missing in it becomes inactive, never deleted.

    Importing the same file again changes nothing. Raises AssetFileError for an owner or unit that is not there.
    """
    # Rows type as tuples only when they are unpacked.
    groups = {slug: number for slug, number in session.execute(select(Group.slug, Group.id))}  # noqa: C416
    active = session.execute(select(Person.user_name, Person.id).where(Person.active))
    people = {name: number for name, number in active}  # noqa: C416
    units = {slug: number for slug, number in session.execute(select(Unit.slug, Unit.id))}  # noqa: C416
    problems = []
    for line in lines:
        if line.owner not in groups and line.owner not in people:
            problems.append(_unknown(line, "owner", line.owner, {*groups, *people}))
        if line.unit and line.unit not in units:
            problems.append(_unknown(line, "unit", line.unit, units))
    if problems:
        raise AssetFileError(problems)
    known = {asset.asset_id: asset for asset in session.scalars(select(Asset))}
    added = changed = 0
    for line in lines:
        asset = known.pop(line.id, None)
        values = {
            "name": line.name,
            "kind": line.kind,
            # A group and a person of one name: the group owns, as in the rest of the portal.
            "owner_group_id": groups.get(line.owner),
            "owner_id": None if line.owner in groups else people[line.owner],
            "criticality": line.criticality,
            "zone": line.zone,
            "addresses": list(line.addresses),
            "unit_id": units[line.unit] if line.unit else None,
            "active": True,
        }
        if asset is None:
            session.add(Asset(asset_id=line.id, **values))
            added += 1
        elif any(getattr(asset, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(asset, name, value)
            changed += 1
    gone = [asset for asset in known.values() if asset.active]
    for asset in gone:
        asset.active = False
    session.flush()
    imported = Imported(len(lines), added, changed, len(gone))
    record(
        session,
        tags.IMPORTED,
        subject="assets",
        actor=actor,
        facts={**asdict(imported), "digest": digest([_content(line) for line in lines])},
    )
    return imported


def _content(line: AssetLine) -> dict[str, object]:
    return {name: value for name, value in asdict(line).items() if name != "row"} | {
        "addresses": list(line.addresses)
    }


def _unknown(line: AssetLine, column: str, value: str, known: Collection[str]) -> str:
    near = get_close_matches(value, list(known), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    what = "group or active person" if column == "owner" else "unit"
    return f"row {line.row}, {column}: There is no {what} {value!r}.{hint}"
