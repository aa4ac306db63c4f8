"""Sets of whole numbers as sorted, disjoint, inclusive ranges: exact set arithmetic for addresses and ports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same numbers in the fewest ranges, in order; ranges that touch become one."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def intersect(left: Sequence[Span], right: Sequence[Span]) -> tuple[Span, ...]:
    """What is in both. Both are merged ranges, as `merge` gives them."""
    found: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        first, last = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if first <= last:
            found.append((first, last))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def subtract(left: Sequence[Span], right: Sequence[Span]) -> tuple[Span, ...]:
    """What is in the first and not in the second. Both are merged ranges."""
    found: list[Span] = []
    for start, last in left:
        first = start
        for gap_first, gap_last in right:
            if gap_last < first:
                continue
            if gap_first > last:
                break
            if gap_first > first:
                found.append((first, gap_first - 1))
            first = gap_last + 1
        if first <= last:
            found.append((first, last))
    return tuple(found)


def size(spans: Iterable[Span]) -> int:
    """How many numbers there are. The ranges are disjoint."""
    return sum(last - first + 1 for first, last in spans)
