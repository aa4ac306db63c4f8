"""How far the ledger was verified, kept outside the database, so that the next time only what is new is read."""

from __future__ import annotations

import json
import os
from pathlib import Path

from portal.audit.fitting import LEVEL, SIZE
from portal.audit.walking import Walked, edge_of_tops


def read_verified(path: Path) -> Walked:
    """What was verified so far; nothing when nobody kept it, or the file cannot be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        tops = [bytes.fromhex(one) for one in kept["parts"]]
        if kept["level"] != LEVEL or any(len(top) != 32 for top in tops):  # noqa: PLR2004  (SHA-256)
            return Walked()
    except (OSError, ValueError, KeyError, TypeError):
        return Walked()
    return Walked(size=len(tops) * SIZE, edge=edge_of_tops(tops), tops=tops, heads=str(kept.get("heads", "")))


def keep_verified(path: Path, walked: Walked, heads: str) -> None:
    """Keep the roots of the whole parts; what is left over is read again the next time.

    `heads` is the digest of the checkpoints over these parts and of the keys that they were verified by.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    content = {"level": LEVEL, "parts": [top.hex() for top in walked.tops], "heads": heads}
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(path)
