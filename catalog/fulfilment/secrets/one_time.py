"""One-time secrets: new passwords that are shown once to whom they are for, and kept nowhere.

The same key gives the same secret, so that a reset that is carried out again after a crash sets the same password,
and the portal can show it without ever having stored it.
"""

from __future__ import annotations

import hmac

#: No letter or digit that is mistaken for another.
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 20


def one_time_secret(secret_key: str, key: str) -> str:
    """Twenty letters, about 116 bits, in groups of five. `key` names the step that sets it."""
    digest = hmac.digest(secret_key.encode(), f"one-time secret\0{key}".encode(), "sha512")
    number = int.from_bytes(digest)
    letters = []
    for _ in range(_LENGTH):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "-".join("".join(letters[start : start + 5]) for start in range(0, _LENGTH, 5))
