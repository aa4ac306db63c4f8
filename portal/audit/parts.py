"""One part of the ledger, verified from what the database holds: rows, texts, hashes, personal values, stored nodes.

A part is a whole subtree, or what is left at the end, so that parts can be verified in any order and by any process;
portal.audit.walking puts them together. That a text is canonical JSON is looked at only where no checkpoint covers
it: what a checkpoint covers is what the portal wrote, byte for byte, so it is enough that the columns repeat it.
"""

from __future__ import annotations

import hashlib
import json
from binascii import hexlify
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.audit.merkle import leaf_hash, node_hash
from portal.audit.raw_rows import RawRows
from portal.audit.record import SALT_BYTES, commitment, commitment_in_every_language
from portal.core.canonical import canonical_json
from portal.core.language import Said

#: Leaves of a part: 2 to this.
LEVEL = 13
SIZE = 1 << LEVEL
Edge = list[tuple[int, bytes]]
#: The number of the entry, field, salt, value; what somebody wrote past the portal may be of any kind.
Value = tuple[int, str, Any, Any]
_sha256 = hashlib.sha256
_KIND = "hmac-sha256:"


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
    leaves = _fitting(rows, first, covered) if covered >= first else []
    if leaves is None or covered < last:
        leaves = _leaves(rows, part, leaves or [])
    if part.odd is None and len(leaves) <= last - first:
        part.odd = _missing(first + len(leaves), rows.following(last))
    levels = _levels(leaves)
    # What fits before the first odd entry may still be what a checkpoint signed.
    part.edges = {size: _edge(levels, size - first + 1) for size in sizes if size - first + 1 <= len(leaves)}
    if part.odd is None:
        part.edge = _edge(levels, len(leaves))
        part.odd_nodes = _differ(rows, levels, first - 1)
    return part


def _fitting(rows: RawRows, first: int, last: int) -> list[bytes] | None:
    """The hashes of these entries, when all of it fits; else None, and each is looked at on its own.

    Almost every part of almost every ledger fits, so this is what verification costs. The number within a text is
    not looked at: a text at another's place makes another root than the one that was signed. Where it turns out that no
    head signed them, portal.audit.walking has each looked at.
    """
    sha256, inner_rest, outer_rest = _sha256, _INNER_REST, _OUTER_REST
    before: dict[str, bytes] = {}
    entries = rows.fitting(first, last)
    if len(entries) != last - first + 1:
        return None
    texts, hashes, numbers = zip(*entries, strict=True)
    leaves = [sha256(text).digest() for text in texts]
    if tuple(leaves) != hashes or numbers != tuple(range(first, last + 1)):
        return None
    for number, name, salt, value in rows.personal(first, last):
        if not (_is_whole(salt, value) and isinstance(name, str) and isinstance(number, int)):
            return None
        # HMAC-SHA256 in half the time of `hmac.digest`, which asks OpenSSL for the algorithm each time.
        inner = sha256(salt.translate(_INNER) + inner_rest + value.encode()).digest()
        committed = hexlify(sha256(salt.translate(_OUTER) + outer_rest + inner).digest())
        if name not in before:
            before[name] = canonical_json(name) + f':"{_KIND}'.encode()
        text = texts[number - first]
        personal = text.rfind(b'"personal":{')
        # Facts end with a brace, and a value that is kept in one language alone has nothing there.
        languages = text.rfind(b'},"languages":{', 0, personal)
        if isinstance(value, Said):
            whole = commitment_in_every_language(salt, value).removeprefix(_KIND).encode()
            fits = languages > 0 and text.find(before[name] + whole, languages, personal) > 0
        else:
            fits = languages < 0 or text.find(before[name], languages, personal) < 0
        if not fits or text.find(before[name] + committed, personal) < 1:
            return None
    return leaves


#: RFC 2104 pads the key with zeros to the 64 bytes of a block, and adds these to it bit by bit.
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_INNER_REST, _OUTER_REST = bytes([0x36]) * (64 - SALT_BYTES), bytes([0x5C]) * (64 - SALT_BYTES)


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


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """The hashes of every complete subtree over the leaves, from the leaves up."""
    sha256, levels = _sha256, [leaves]
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
    return any(
        rows.nodes(level, offset >> level, len(hashes)) != (len(hashes), b"".join(hashes))
        for level, hashes in enumerate(levels)
        if hashes
    )


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
