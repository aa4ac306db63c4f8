"""A portal's record beside one connector: what was granted there, as fulfilment writes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.grant import grant
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.connectors.contract import Connector, Plan
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.model import Step, StepState
from catalog.reconciliation.model import Finding, FindingState, Reading
from catalog.reconciliation.reading import read_target
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.database import Database


@dataclass
class Record:
    """The portal's database, and the one connector that it compares with."""

    db: Database
    connector: Connector
    version_id: int
    person_id: int

    @property
    def connectors(self) -> Connectors:
        return Connectors([self.connector])

    def granted(
        self, plan: Plan, *, number: int = 7, state: State = State.FULFILLED, step: str = "done"
    ) -> int:
        """A fulfilled request with its entitlement; with another step it is only under way. Gives the request's id."""
        kept = json.loads(json.dumps(plan.to_json()))
        with self.db.transaction() as session:
            request = self._request(session, number, kept, state)
            row = Step(
                request_id=request.id,
                revision=0,
                attempt=1,
                position=1,
                name="Do it",
                connector=plan.connector,
                plan={"step": "do", "name": "Do it", **kept},
                key=f"{request.reference}/1",
                state=StepState(step),
            )
            session.add(row)
            session.flush()
            if row.state is StepState.DONE:
                sealed = Plan.from_json(kept)
                grant(session, request, row, sealed, key=self.connector.entitlement_key(sealed))
            return request.id

    def _request(self, session: Session, number: int, plan: dict[str, Any], state: State) -> Request:
        request = Request(
            number=number,
            reference=f"SR-{number:06d}",
            offering_version_id=self.version_id,
            requester_id=self.person_id,
            beneficiary_id=self.person_id,
            editor_id=self.person_id,
            unit_id=1,
            title="Something live",
            answers={},
            plans=[plan],
            state=state,
            submitted_at=now(session),
        )
        session.add(request)
        session.flush()
        return request

    def read(self) -> Reading:
        """One reading of the target."""
        return read_target(self.db, self.connectors, self.connector.kind)

    def found(self, *states: FindingState) -> list[tuple[str, str]]:
        """Kind and key of the findings that are open, or in these states, as they were found."""
        with self.db.reading() as session:
            rows = session.execute(
                select(Finding.kind, Finding.key)
                .where(Finding.state.in_(states or (FindingState.OPEN,)))
                .order_by(Finding.id)
            )
            return [(kind.value, key) for kind, key in rows]

    def entitlement(self) -> Entitlement:
        with self.db.reading() as session:
            return session.scalars(select(Entitlement).order_by(Entitlement.id)).one()
