"""Who is still to decide an open stage just now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from approvals.delegation.substitutes import counted_in, principals_of
from approvals.routing.eligible import Eligible, eligible_now
from approvals.routing.matching import Demand, first_unmet
from approvals.routing.model import Stage, StageState
from approvals.routing.stages import decisions_of, stages_of, still_demanded
from catalog.requests.model import Request
from catalog.requests.route import RouteApprover


@dataclass(frozen=True, slots=True)
class Standing:
    """The stages of a request that are open or wait, and who may decide in them now."""

    stages: Sequence[Stage]
    eligible: Eligible
    demands: dict[int, Demand]
    used: frozenset[int]

    @property
    def open_stages(self) -> list[Stage]:
        """Those that are decided now."""
        return [stage for stage in self.stages if stage.state is StageState.OPEN]

    @property
    def lacking(self) -> Stage | None:
        """The first stage whose quorum the people who are left cannot fill."""
        position = first_unmet(list(self.demands.values()))
        if position is None:
            return None
        number = list(self.demands)[position]
        return next(stage for stage in self.stages if stage.id == number)

    def left_in(self, stage: Stage) -> list[RouteApprover]:
        """Who may decide here, has not, and is on duty; nor have those in whose place they would."""
        return [
            person
            for person in self.eligible[stage.id].values()
            if person.called and not {person.person_id, person.on_behalf_of_id} & self.used
        ]

    def principals_left_in(self, stage: Stage) -> list[RouteApprover]:
        """As `left_in`, without those who decide in another's place."""
        own = principals_of(self.eligible[stage.id])
        return [person for person in self.left_in(stage) if person.person_id in own]


def standing_of(session: Session, request: Request) -> Standing:
    """Everything read anew."""
    stages = [
        stage for stage in stages_of(session, request) if stage.state in {StageState.OPEN, StageState.WAITING}
    ]
    decisions = decisions_of(session, request)
    eligible = eligible_now(session, request, stages)
    return Standing(
        stages=stages,
        eligible=eligible,
        demands=dict(still_demanded(stages, eligible, decisions)),
        used=counted_in(decisions),
    )
