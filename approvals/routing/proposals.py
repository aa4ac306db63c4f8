"""A request as routing reads it: its people, its answers and the risk that preparing found."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from catalog.offerings.facts import Facts
from catalog.requests.context import context_of
from catalog.requests.model import Request
from catalog.requests.route import Proposal


def proposal_of(session: Session, request: Request) -> Proposal:
    """The stored request as a proposal. The risk is the one on the request, never computed anew: it is sealed."""
    proposal = context_of(session, request).proposal(request.editor_id)
    return replace(proposal, facts=Facts(proposal.facts.document, {**proposal.facts, "risk": request.risk}))
