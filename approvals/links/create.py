"""Links: random identifiers that point an approver to a stage. A link carries no authority at all."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy.orm import Session

from approvals.links.model import ApprovalLink
from portal.core.clock import now

#: 192 bits; security.md asks for 128 or more.
TOKEN_BYTES = 24
LONGEST_TOKEN = 100


def create_link(session: Session, *, stage_id: int, person_id: int, days: int) -> str:
    """A new link's identifier, for one person and one stage, that ends after `days` days.

    It is returned here once and kept only as its SHA-256.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    at = now(session)
    session.add(
        ApprovalLink(
            token_hash=hash_token(token),
            stage_id=stage_id,
            person_id=person_id,
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
    )
    return token


def hash_token(token: str) -> str:
    """What is kept of an identifier; of one too long to be ours, something that matches nothing."""
    return hashlib.sha256(token.encode()).hexdigest() if len(token) <= LONGEST_TOKEN else ""
