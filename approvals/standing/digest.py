"""The digest that the signatures of a standing approval are on, computed from its row whenever it is relied on."""

from __future__ import annotations

from datetime import UTC

from approvals.standing.model import StandingApproval
from portal.core.canonical import digest


def digest_of(standing: StandingApproval) -> str:
    """Over everything that the signers agree to: `sha256:` and hex."""
    return digest(
        {
            "standing": standing.id,
            "offering": standing.version.digest,
            "name": standing.name,
            "reason": standing.reason,
            "scope": standing.scope,
            "uses": standing.uses,
            "ends_at": standing.ends_at.astimezone(UTC).isoformat(),
            "proposer": {"issuer": standing.proposer.issuer, "subject": standing.proposer.subject},
        }
    )


def is_as_proposed(standing: StandingApproval) -> bool:
    """Whether its row still says what its digest, and so every signature on it, covers."""
    return standing.digest == digest_of(standing)
