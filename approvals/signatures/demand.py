"""Whether a decision must be signed with a passkey: what the sealed offering says for the sealed risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from catalog.offerings.queries import document_of
from catalog.offerings.route import RiskLevel
from catalog.requests.model import Request

LEVELS: tuple[str, ...] = get_args(RiskLevel)


def needs_passkey(request: Request) -> bool:
    """Whether every decision on this request, either way, has to be signed."""
    signature = document_of(request.version).signature
    return signature is not None and reaches(request.risk, signature.passkey_from)


def reaches(risk: Mapping[str, Any], level: str) -> bool:
    """Whether the risk is at least of this level. One that is unknown counts as the highest."""
    found = str(risk.get("level", ""))
    return found not in LEVELS or LEVELS.index(found) >= LEVELS.index(level)
