"""What is gone, new or changed among keys and among items of a document, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from catalog.versions.words import changed
from portal.core.language import _

Json = Mapping[str, Any]


def tell_keys(old: Json, new: Json, subject: str = "") -> Iterator[str]:
    """A sentence for each key whose value is another now."""
    for key in new:
        if old.get(key) != new[key]:
            yield changed(subject, key, old.get(key), new[key])


def tell_items(
    before: Mapping[str, Json],
    after: Mapping[str, Json],
    name: Callable[[Json], str],
    detail: Callable[[Json], str],
) -> Iterator[str]:
    """What is gone, what is new, what differs in what stayed, and whether its order changed."""
    for key, item in before.items():
        if key not in after:
            yield _("%(item)s is removed.", item=name(item))
    for key, item in after.items():
        if key not in before:
            added = _("%(item)s is added.", item=name(item))
            yield f"{added} {detail(item)}".strip()
        else:
            yield from tell_keys(before[key], item, subject=name(before[key]))
    stayed = [key for key in before if key in after]
    if stayed != [key for key in after if key in before]:
        order = _(", then ").join(name(item) for item in after.values())
        yield _("The order is now: %(order)s.", order=order)


def items_by(items: Sequence[Json], *keys: str) -> dict[str, Json]:
    """Items by the first of these keys that is theirs alone, else by their place."""
    found: dict[str, Json] = {}
    for place, item in enumerate(items):
        words = " ".join(str(item.get(key)) for key in keys)
        found[words if words not in found else f"{words} ({place})"] = item
    return found
