"""Where the answer to an http-01 challenge lies. Apart, so that serving it needs no ACME library."""

from __future__ import annotations

import re
from pathlib import Path

#: RFC 8555 §8.1: base64url, at least 128 bits.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)


def challenge_file(folder: Path, token: str) -> Path | None:
    """The file for this token, whichever authority gave it; None for what is no token."""
    return folder / "challenges" / token if _TOKEN.fullmatch(token) else None
