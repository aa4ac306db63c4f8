"""Which entries of the ledger belong to a request, and which of them an auditor's account may see."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, literal, select, union_all
from sqlalchemy.orm import Session

from catalog.reconciliation.model import Finding
from catalog.requests.audited import in_scope
from catalog.requests.model import Request
from portal.identity.actor import Actor


class RequestSubjects:
    """What portal.audit.seeing asks for."""

    def in_scope(self, actor: Actor) -> Select[Any]:
        """The requests in scope themselves, and the evidence that was taken of them."""
        parts = [
            select((literal(prefix) + Request.reference).label("subject")).where(in_scope(actor))
            for prefix in ("request:", "evidence:")
        ]
        both = union_all(*parts).subquery()
        return select(both.c.subject)

    def belonging_to(self, session: Session, actor: Actor, reference: str) -> tuple[str, ...]:
        """The request, its evidence, the order that it was part of, and findings that it takes away or adopts.

        One statement for the request's own ties; none for a limited account, which sees the first two alone.
        """
        own = (f"request:{reference}", f"evidence:{reference}")
        if actor.audit is not None and actor.audit.limited:
            return own
        rows = session.execute(
            select(Request.order_group_id, Finding.id)
            .outerjoin(Finding, Finding.request_id == Request.id)
            .where(Request.reference == reference)
            .order_by(Finding.id)
        ).all()
        orders = {f"order:{row.order_group_id}" for row in rows if row.order_group_id}
        return (*own, *sorted(orders), *(f"finding:{row.id}" for row in rows if row.id))
