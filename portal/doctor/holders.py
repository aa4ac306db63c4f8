"""The checkpoint holders: whether each is set up, can be reached, and has what it should have."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from portal.audit.holders.configured import Holders, holders_of
from portal.audit.holders.contract import Holder, HolderFailed
from portal.audit.holders.queries import HolderLine, holder_lines
from portal.core.database import Database
from portal.core.errors import SettingsError
from portal.core.settings import Settings
from portal.doctor.check import Check, fail, ok, warn

SEE = "See: countersign audit holders"


def check_holders(settings: Settings) -> Iterator[Check]:
    """A line for each holder. Hands nothing over and changes nothing."""
    try:
        holders = holders_of(settings)
    except SettingsError as error:
        yield fail("Checkpoint holders", str(error), "Set the variable anew.")
        return
    known = _lines(settings, holders)
    for holder in holders:
        yield _check(holder, known.get(holder.key))


def _check(holder: Holder, line: HolderLine | None) -> Check:
    name = f"Holder {holder.key}"
    if line and line.contradicts_since:
        mend = "The ledger or the holder was written anew. Run: countersign audit verify"
        return fail(name, f"says that the ledger is another one: {line.error}", mend)
    if line and line.late:
        return fail(
            name, f"lacks {line.lag} entries since {line.behind_since:%Y-%m-%d %H:%M} UTC. {line.error}", SEE
        )
    if line is None or not line.size:
        try:
            return ok(name, f"{holder.reach()}; it has nothing yet")
        except HolderFailed as failed:
            return warn(name, str(failed), "The first hand-over tries it again.")
    held = f"{holder.name}: {line.size} entries, {line.held_at:%Y-%m-%d %H:%M} UTC"
    try:
        holder.reach()
    except HolderFailed as failed:
        return warn(name, f"{held}. {failed}", SEE)
    return warn(name, f"{held}. {line.error}", SEE) if line.error else ok(name, held)


def _lines(settings: Settings, holders: Holders) -> dict[str, HolderLine]:
    """What the database knows; nothing where it cannot be read, which its own line says."""
    db = Database(settings.database_url)
    try:
        with db.reading() as session:
            return {line.key: line for line in holder_lines(session, holders)}
    except SQLAlchemyError:
        return {}
    finally:
        db.dispose()
