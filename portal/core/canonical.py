"""Canonical JSON (RFC 8785) and digests over it: one value, one sequence of bytes, on any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 form of a JSON value, UTF-8.

    Mappings and tuples are taken as objects and arrays. Raises ValueError for what JSON cannot hold exactly:
    NaN, infinities, integers beyond 2**53, keys that are not strings, lone surrogates.
    """
    try:
        return rfc8785.dumps(_plain(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from error


def digest(value: Any) -> str:
    """`sha256:` and the hex digest of the value's canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
