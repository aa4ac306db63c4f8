"""What happens to requests, told to whoever stands above (see portal.wiring)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestSubmitted:
    """A request has its reference and waits to be prepared."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestPlanned:
    """Plans and risk are on the request; its route must be resolved and the seal made."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The portal itself said no: a rule, or a target that cannot do it. `outcome` says why."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestWithdrawn:
    """The requester took the request back."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestReplanned:
    """The plan is no longer the sealed one, or an answer was edited: every approval so far is void."""

    request_id: int
    why: str


@dataclass(frozen=True, slots=True)
class RequestApproved:
    """The last stage agreed; fulfilment is due."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestRejected:
    """An approver said no."""

    request_id: int


@dataclass(frozen=True, slots=True)
class FulfilmentStarting:
    """The worker is about to apply; handlers raise Conflict when an approval no longer holds."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestFulfilled:
    """Everything sealed is done and was read back."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """Fulfilment stopped for good; operators must look."""

    request_id: int


@dataclass(frozen=True, slots=True)
class EntitlementGranted:
    """Something is live because a request allows it."""

    entitlement_id: int


@dataclass(frozen=True, slots=True)
class EntitlementEnded:
    """Something that a request allowed is gone from its target."""

    entitlement_id: int
