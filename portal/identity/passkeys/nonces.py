"""One-time nonces: made for one purpose, one person and one session, short-lived, and recognised without being kept.

A nonce is 16 random bytes, the time in seconds (8 bytes) and a MAC over both and over whom it is for. What is made
with it is kept with it under a unique constraint, so it serves once; showing a page writes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

from portal.core.canonical import canonical_json
from portal.identity.actor import Actor

RANDOM_BYTES = 16
TIME_BYTES = 8
#: Characters of one in base64url.
LENGTH = 75
#: Clocks of two web processes may differ by this many seconds.
_SKEW = 60


def make_nonce(key: str, purpose: str, actor: Actor, *, at: datetime) -> str:
    """A new nonce; `key` is the portal's secret, `at` the time now."""
    fresh = secrets.token_bytes(RANDOM_BYTES) + int(at.timestamp()).to_bytes(TIME_BYTES, "big")
    return urlsafe_b64encode(fresh + _mac(key, purpose, actor, fresh)).rstrip(b"=").decode()


def is_ours(nonce: str, key: str, purpose: str, actor: Actor, *, at: datetime, seconds: int) -> bool:
    """Whether the portal made this nonce for this purpose and this session at most so many seconds ago."""
    if len(nonce) != LENGTH or not nonce.isascii():
        return False
    try:
        content = urlsafe_b64decode(nonce + "=" * (-len(nonce) % 4))
    except ValueError:
        return False
    # The decoder passes over foreign letters and unused bits; only the one true spelling counts.
    if urlsafe_b64encode(content).rstrip(b"=").decode() != nonce:
        return False
    fresh, mac = content[: RANDOM_BYTES + TIME_BYTES], content[RANDOM_BYTES + TIME_BYTES :]
    if not hmac.compare_digest(mac, _mac(key, purpose, actor, fresh)):
        return False
    age = int(at.timestamp()) - int.from_bytes(fresh[RANDOM_BYTES:], "big")
    return -_SKEW <= age <= seconds


def _mac(key: str, purpose: str, actor: Actor, fresh: bytes) -> bytes:
    text = canonical_json(
        {"purpose": purpose, "person": actor.person_id, "session": actor.session_id, "fresh": fresh.hex()}
    )
    return hmac.new(key.encode(), b"countersign nonce\0" + text, hashlib.sha256).digest()
