"""Rows by their keys of several columns.

`(a, b) IN ((1, 2), (3, 4))` reads SQLite's whole table however many keys it has; said with OR, each key is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_


def keyed(columns: Sequence[Any], keys: Iterable[Sequence[Any]]) -> ColumnElement[bool]:
    """Whether a row's columns are one of these keys. At most some hundreds of keys in one statement."""
    if len(columns) == 1:
        one: ColumnElement[bool] = columns[0].in_([key[0] for key in keys])
        return one
    each = (and_(*(column == part for column, part in zip(columns, key, strict=True))) for key in keys)
    return or_(false(), *each)
