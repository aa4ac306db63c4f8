"""One part of the ledger, verified from what the database holds: rows, texts, hashes, personal values, stored nodes.

A part is a whole subtree, or what is left at the end, so that parts can be verified in any order and by any process;
portal.audit.walking puts them together. That a text is canonical JSON is looked at only where no checkpoint covers
it: what a checkpoint covers is what the portal wrote, byte for byte, so it is enough that the columns repeat it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.audit.merkle import leaf_hash, node_hash
from portal.audit.raw_rows import RawRows, Rows
from portal.audit.record import commitment
from portal.core.canonical import canonical_json

#: Leaves of a part: 2 to this.
LEVEL = 13
SIZE = 1 << LEVEL
Edge = list[tuple[int, bytes]]


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
    entries = rows.entries(first, last)
    personal: dict[int, list[tuple[str, bytes, str]]] = {}
    for number, name, salt, value in rows.personal(first, last):
        personal.setdefault(number, []).append((name, salt, value))
    leaves = _leaves(rows, entries, personal, signed, part)
    if part.odd is None and len(leaves) <= last - first:
        part.odd = _missing(first + len(leaves), rows.following(last))
    levels = _levels(leaves)
    # What fits before the first odd entry may still be what a checkpoint signed.
    part.edges = {size: _edge(levels, size - first + 1) for size in sizes if size - first + 1 <= len(leaves)}
    if part.odd is None:
        part.edge = _edge(levels, len(leaves))
        part.odd_nodes = _differ(rows, levels, first - 1)
    return part


def _leaves(
    rows: RawRows,
    entries: Rows,
    personal: Mapping[int, Sequence[tuple[str, bytes, str]]],
    signed: int,
    part: Part,
) -> list[bytes]:
    """The hashes up to the first entry that is odd."""
    sha256, moment = hashlib.sha256, rows.moment
    leaves: list[bytes] = []
    expected = part.first
    for number, at, tag, subject, actor, body, kept in entries:
        try:
            leaf = sha256(b"\x00" + body.encode()).digest()
            fits = (
                number == expected <= signed
                and leaf == kept
                and body.startswith(f'{{"actor":"{actor}","at":"{moment(at)}","facts":{{')
                and body.endswith(f',"subject":"{subject}","tag":"{tag}"}}')
                and f',"number":{number},"personal":{{' in body
            )
        except (AttributeError, TypeError, ValueError):
            fits = False
        if not fits or (number in personal and not _all_fit(body, personal[number])):
            row = (number, at, tag, subject, actor, body, kept)
            part.odd = _problem(row, expected, personal.get(number, ()), rows)
            if part.odd:
                return leaves
            leaf = leaf_hash(body.encode())
        leaves.append(leaf)
        expected += 1
    return leaves


def _all_fit(body: str, values: Sequence[tuple[str, bytes, str]]) -> bool:
    """Whether the text commits to every value. Names of fields are words, so they stand in it as they are."""
    committed = body[body.rfind('"personal":{') :]
    return all(
        f'"{name}":"hmac-sha256:{hmac.digest(salt, value.encode(), "sha256").hex()}"' in committed
        for name, salt, value in values
    )


def _missing(expected: int, following: int | None) -> tuple[int, str]:
    if following is None:
        return expected, f"Entry {expected} is missing."
    first = min(expected, following)
    return first, f"Entry {expected} is missing: the next one is numbered {following}."


def _problem(
    row: tuple[Any, ...], expected: int, personal: Sequence[tuple[str, bytes, str]], rows: RawRows
) -> tuple[int, str] | None:
    """What is wrong with the row, in words, everything being looked at; None when nothing is."""
    number, at, tag, subject, actor, body, kept = row
    if number != expected:
        return _missing(expected, number)
    try:
        text = json.loads(body) if leaf_hash(body.encode()) == kept else None
        canonical = text is not None and canonical_json(text) == body.encode()
        told = {"number": number, "at": rows.moment(at), "tag": tag, "subject": subject, "actor": actor}
    except (AttributeError, TypeError):
        return number, f"Entry {number} was changed: what it holds cannot be read."
    except ValueError:
        return number, f"Entry {number} is not JSON."
    if text is None or not canonical or any(text.get(name) != value for name, value in told.items()):
        what = (
            "its text does not fit its hash"
            if text is None
            else "its columns say something else than its sealed text"
        )
        return number, f"Entry {number} was changed: {what}."
    commitments = text.get("personal", {})
    odd = [name for name, salt, value in personal if commitments.get(name) != commitment(salt, value)]
    if odd:
        return (
            number,
            f"Entry {number}: the personal value {odd[0]!r} is not the one that the entry commits to.",
        )
    return None


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """The hashes of every complete subtree over the leaves, from the leaves up."""
    sha256, levels = hashlib.sha256, [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(
            [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(below[::2], below[1::2], strict=False)
            ]
        )
    return levels


def _edge(levels: list[list[bytes]], count: int) -> Edge:
    """The complete subtrees over the first `count` leaves, left to right."""
    return [
        (level, levels[level][(count >> level) - 1])
        for level in reversed(range(len(levels)))
        if count >> level & 1
    ]


def _differ(rows: RawRows, levels: list[list[bytes]], offset: int) -> bool:
    """Whether the stored tree holds anything else below the part's top than the entries make."""
    for level, hashes in enumerate(levels):
        if not hashes:
            continue
        first = offset >> level
        stored = rows.nodes(level, first, first + len(hashes) - 1)
        if [bytes(one) for _, one in stored] != hashes or [position for position, _ in stored] != list(
            range(first, first + len(hashes))
        ):
            return True
    return False


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
