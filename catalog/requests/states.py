"""The request's state machine: one table from (state, move) to state."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from portal.core.errors import Conflict
from portal.core.language import N_, _


class State(StrEnum):
    """Where a request stands."""

    PREPARING = "preparing"
    PENDING = "pending"
    SCHEDULED = "scheduled"
    FULFILLING = "fulfilling"
    FULFILLED = "fulfilled"
    ENDED = "ended"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    FAILED = "failed"


#: In a sentence.
WORDS: Mapping[State, str] = {
    State.PREPARING: N_("preparing"),
    State.PENDING: N_("pending"),
    State.SCHEDULED: N_("scheduled"),
    State.FULFILLING: N_("fulfilling"),
    State.FULFILLED: N_("fulfilled"),
    State.ENDED: N_("ended"),
    State.REJECTED: N_("rejected"),
    State.WITHDRAWN: N_("withdrawn"),
    State.REFUSED: N_("refused"),
    State.FAILED: N_("failed"),
}


class Move(StrEnum):
    """What happens to a request."""

    PREPARE = "prepare"
    REFUSE = "refuse"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    REPLAN = "replan"
    START = "start"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"
    END = "end"


#: `refused` is the portal's own no (a rule, a target that cannot do it); `rejected` is a person's.
TRANSITIONS: dict[tuple[State, Move], State] = {
    (State.PREPARING, Move.PREPARE): State.PENDING,
    (State.PREPARING, Move.REFUSE): State.REFUSED,
    (State.PREPARING, Move.WITHDRAW): State.WITHDRAWN,
    (State.PENDING, Move.APPROVE): State.SCHEDULED,
    (State.PENDING, Move.REJECT): State.REJECTED,
    (State.PENDING, Move.WITHDRAW): State.WITHDRAWN,
    (State.PENDING, Move.REPLAN): State.PREPARING,
    (State.SCHEDULED, Move.START): State.FULFILLING,
    (State.SCHEDULED, Move.REJECT): State.REJECTED,
    (State.SCHEDULED, Move.WITHDRAW): State.WITHDRAWN,
    (State.SCHEDULED, Move.REPLAN): State.PREPARING,
    (State.SCHEDULED, Move.FAIL): State.FAILED,
    (State.FULFILLING, Move.COMPLETE): State.FULFILLED,
    (State.FULFILLING, Move.REPLAN): State.PREPARING,
    (State.FULFILLING, Move.FAIL): State.FAILED,
    (State.FAILED, Move.RETRY): State.SCHEDULED,
    (State.FAILED, Move.WITHDRAW): State.WITHDRAWN,
    (State.FULFILLED, Move.END): State.ENDED,
}

#: Nothing more happens to a request in one of these.
CLOSED = frozenset({State.ENDED, State.REJECTED, State.WITHDRAWN, State.REFUSED})


def after(state: State, move: Move) -> State:
    """The state that the move leads to. Raises Conflict where the table has no such move."""
    try:
        return TRANSITIONS[state, move]
    except KeyError:
        message = _(
            "This request is %(state)s; it cannot be changed that way any more.", state=_(WORDS[state])
        )
        raise Conflict(message) from None
