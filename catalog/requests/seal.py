"""The seal: one digest over everything that an approver agrees to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.requests.model import Request
from portal.core.canonical import digest


def sealed_document(
    request: Request, *, plans: Sequence[Mapping[str, Any]], route: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The document whose digest is the seal: reference, offering digest, beneficiary, answers, plan, risk, route.

    Plans are Plan.to_json() values; what may differ between two readings of one effect (whether it is already
    true, warnings) stays outside the seal.
    """
    return {
        "reference": request.reference,
        "revision": request.revision,
        "offering": request.version.digest,
        "requester": {"issuer": request.requester.issuer, "subject": request.requester.subject},
        "beneficiary": {"issuer": request.beneficiary.issuer, "subject": request.beneficiary.subject},
        "answers": request.answers,
        "ends_at": request.ends_at.isoformat() if request.ends_at else None,
        "plan": [
            {name: plan[name] for name in ("connector", "action", "target", "lines", "document", "inverse")}
            for plan in plans
        ],
        "risk": request.risk,
        "route": list(route),
    }


def seal(request: Request) -> str:
    """The seal of the request as it stands in the database: `sha256:` and hex."""
    return digest(sealed_document(request, plans=request.plans, route=request.route))
