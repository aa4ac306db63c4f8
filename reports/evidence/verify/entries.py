"""The ledger's entries by their tag, and how one is compared with what the facts state."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from reports.evidence.document import EntryPart, Evidence

K = TypeVar("K", bound=Hashable)
W = TypeVar("W")
#: An entry is written at the end of the transaction in which its time was taken.
LONGEST_TRANSACTION = timedelta(seconds=120)


class Entries:
    """The entries about one request."""

    def __init__(self, evidence: Evidence) -> None:
        subject = f"request:{evidence.reference}"
        self.all = [entry for entry in evidence.ledger.entries if entry.body.get("subject") == subject]

    def tagged(self, *tags: str) -> list[EntryPart]:
        """Those of these tags, in order."""
        return [entry for entry in self.all if entry.body.get("tag") in tags]

    def one(self, tag: str) -> EntryPart | None:
        """The only one of this tag, or None."""
        found = self.tagged(tag)
        return found[0] if len(found) == 1 else None


def facts(entry: EntryPart) -> Mapping[str, Any]:
    """What the entry states."""
    found = entry.body.get("facts")
    return found if isinstance(found, dict) else {}


def differs(entry: EntryPart, what: str, wanted: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each fact of the entry that is not the wanted one."""
    for name, value in wanted.items():
        if facts(entry).get(name) != value:
            yield f"Entry {entry.number} tells another {name.replace('_', ' ')} of {what} than the facts do."


def opened(entry: EntryPart, name: str, what: str, wanted: str) -> Iterator[str]:
    """A sentence when the personal value is another than the wanted one. An erased one can no longer be compared."""
    committed = entry.body.get("personal")
    has = isinstance(committed, dict) and name in committed
    if name in entry.personal:
        if entry.personal[name].value != wanted:
            yield f"Entry {entry.number} tells another {name} of {what} than the facts do."
    elif wanted and not has:
        yield f"Entry {entry.number} holds no {name} of {what}, but the facts do."


def timely(entry: EntryPart, what: str, moment: str | None) -> Iterator[str]:
    """A sentence when the entry was not written when the facts say that it happened."""
    try:
        at = datetime.fromisoformat(str(entry.body.get("at")))
        told = datetime.fromisoformat(moment or "")
        if abs(at - told) > LONGEST_TRANSACTION:
            yield f"Entry {entry.number} was not written when the facts say that {what} happened."
    except (ValueError, TypeError):
        yield f"The facts give no time of {what}, but entry {entry.number} tells of it."


def paired(
    wanted: Mapping[K, W], told: Sequence[EntryPart], key: Callable[[EntryPart], K], what: Callable[[W], str]
) -> tuple[list[tuple[W, EntryPart]], list[str]]:
    """What the facts state and the entry that tells of it; and a sentence for each that stands alone."""
    problems, pairs = [], []
    left = dict(wanted)
    for entry in told:
        found = left.pop(key(entry), None)
        if found is None:
            problems.append(
                f"Entry {entry.number} ({entry.body.get('tag')}) tells of something that the facts leave out."
            )
        else:
            pairs.append((found, entry))
    problems += [f"No entry of the ledger tells of {what(found)}." for found in left.values()]
    return pairs, problems
