"""One part of the ledger, verified with care: where not all of it fits, which entry is the first that does not, and why.

Whether all of it fits is asked of portal.audit.fitting first, where a checkpoint covers it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.audit.fitting import SALT_BYTES, SIZE, Edge, edge_of, edges_at, levels_over
from portal.audit.merkle import leaf_hash, node_hash
from portal.audit.raw_rows import RawRows
from portal.audit.record import commitment, commitment_in_every_language
from portal.core.canonical import canonical_json
from portal.core.language import Said

#: The number of the entry, field, salt, value; what somebody wrote past the portal may be of any kind.
Value = tuple[int, str, Any, Any]


@dataclass(slots=True)
class Part:
    """What one part came to. `edge` are its complete subtrees, level and hash, left to right.

    `edges` holds the same as it was at the size of each checkpoint within the part; `odd_nodes` says whether the
    stored tree differs within it.
    """

    first: int
    last: int
    edge: Edge = field(default_factory=list)
    edges: dict[int, Edge] = field(default_factory=dict)
    odd: tuple[int, str] | None = None
    odd_nodes: bool = False


def verify_part(rows: RawRows, first: int, last: int, sizes: Collection[int], signed: int) -> Part:
    """Verify the entries numbered first to last; first - 1 is a multiple of SIZE, and there are at most SIZE.

    `sizes` are those of the checkpoints within the part, `signed` the largest of all.
    """
    part = Part(first, last)
    covered = min(last, signed)
    leaves = rows.fitting(first, covered) if covered >= first else []
    if leaves is None or covered < last:
        leaves = _leaves(rows, part, leaves or [])
    if part.odd is None and len(leaves) <= last - first:
        part.odd = _missing(first + len(leaves), rows.following(last))
    levels = levels_over(leaves)
    # What fits before the first odd entry may still be what a checkpoint signed.
    part.edges = edges_at(levels, first, sizes)
    if part.odd is None:
        part.edge = edge_of(levels, len(leaves))
        part.odd_nodes = rows.nodes_differ(levels, first)
    return part


def _leaves(rows: RawRows, part: Part, fitting: list[bytes]) -> list[bytes]:
    """The hashes up to the first entry that is odd; those of `fitting` were verified already."""
    leaves, expected = fitting, part.first + len(fitting)
    values: dict[int, list[Value]] = {}
    for value in rows.personal(expected, part.last):
        values.setdefault(value[0], []).append(value)
    for row in rows.entries(expected, part.last):
        part.odd = _problem(row, expected, values.get(row[0], ()))
        if part.odd:
            return leaves
        leaves.append(leaf_hash(row[5].encode()))
        expected += 1
    return leaves


def first_odd(rows: RawRows, first: int, last: int) -> tuple[int, str] | None:
    """The first of these entries that does not fit on its own: for where their tree is not the one that was signed."""
    for start in range(first, last + 1, SIZE):
        part = Part(start, min(start + SIZE - 1, last))
        _leaves(rows, part, [])
        if part.odd:
            return part.odd
    return None


def _missing(expected: int, following: int | None) -> tuple[int, str]:
    if following is None:
        return expected, f"Entry {expected} is missing."
    first = min(expected, following)
    return first, f"Entry {expected} is missing: the next one is numbered {following}."


def _problem(row: tuple[Any, ...], expected: int, personal: Sequence[Value]) -> tuple[int, str] | None:
    """What is wrong with the row, in words, everything being looked at; None when nothing is."""
    number, at, tag, subject, actor, body, kept = row
    if number != expected:
        return _missing(expected, number)
    told = {"number": number, "at": at, "tag": tag, "subject": subject, "actor": actor}
    try:
        fits = leaf_hash(body.encode()) == kept
        text: Any = json.loads(body) if fits else None
        repeated = fits and canonical_json(text) == body.encode() and _repeat(text, told)
    except (AttributeError, TypeError):
        return number, f"Entry {number} was changed: what it holds cannot be read."
    except (ValueError, RecursionError):
        return number, f"Entry {number} is not JSON."
    if not repeated:
        what = (
            "its columns say something else than its sealed text"
            if fits
            else "its text does not fit its hash"
        )
        return number, f"Entry {number} was changed: {what}."
    odd = [name for _, name, salt, value in personal if not _commits(text, name, salt, value)]
    if odd:
        return (
            number,
            f"Entry {number}: the personal value {odd[0]!r} is not the one that the entry commits to.",
        )
    return None


def _commits(text: Any, name: str, salt: Any, value: Any) -> bool:
    """Whether the entry commits to this value, in every language in which it is kept."""
    commitments, languages = text.get("personal"), text.get("languages", {})
    return (
        isinstance(commitments, dict)
        and isinstance(languages, dict)
        and _is_whole(salt, value)
        and commitments.get(name) == commitment(salt, value)
        and languages.get(name)
        == (commitment_in_every_language(salt, value) if isinstance(value, Said) else None)
    )


def _repeat(text: Any, told: dict[str, Any]) -> bool:
    """Whether the text says what the columns do; True is no 1 here."""
    return isinstance(text, dict) and all(
        type(text.get(name)) is type(value) and text[name] == value for name, value in told.items()
    )


def _is_whole(salt: object, value: object) -> bool:
    """Whether it can be a salt and a value of ours: HMAC takes a salt with zeros after it for the same."""
    return isinstance(salt, bytes) and len(salt) == SALT_BYTES and isinstance(value, str)


def grown(edge: Edge, more: Edge) -> Edge:
    """The edge of a tree that goes on with these subtrees."""
    made = list(edge)
    for step in more:
        level, current = step
        while made and made[-1][0] == level:
            current = node_hash(made.pop()[1], current)
            level += 1
        made.append((level, current))
    return made
