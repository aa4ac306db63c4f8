"""What every connector promises: plan, apply, read back, revert, and say what is live.

A connector speaks to one kind of target. It keeps no state of its own in the portal's database and is
called outside any transaction, because each call may take seconds and may fail half-way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, runtime_checkable

from portal.core.canonical import digest
from portal.core.language import kept, said

Json = Mapping[str, Any]
Change = Literal["add", "remove", "change", "keep", "note"]


class ConnectorError(Exception):
    """A target refused or could not be reached.

    `permanent` says that trying again cannot help (a refusal, a missing role); a passing error (time-out,
    503) is tried again by the task. The message is a sentence for the operator and the requester, in every
    language where `portal.core.language.say` made it.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


class ConnectorPending(ConnectorError):
    """People have it in hand: nothing failed, and asking again before they are done is of no use.

    `waits_for` says who they are. Whoever completes the work has the task run again; where that is not known, it
    is a passing error like any other.
    """

    def __init__(self, message: str, *, waits_for: str) -> None:
        super().__init__(message)
        self.waits_for = waits_for


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a form may offer, read from the target."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """The person who receives what is ordered, as targets know them."""

    user_name: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Order:
    """What one fulfilment step asks of a connector.

    `reference` is the request's (SR-000123), or empty in a preview before submitting. `parameters` are the
    step's own, already resolved from the answers. `ends_at` is aware UTC or None for no end. `lasts` is there where
    a duration was asked for, whose clock starts when it is granted: a target that keeps the time itself counts it
    from `apply` on, and `ends_at` is only the end that it would have if it were granted at once.
    """

    reference: str
    action: str
    parameters: Json
    beneficiary: Beneficiary
    ends_at: datetime | None = None
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of a plan for people; text is plain, shown literally, in every language where `say` made it.

    A technical line says the same again in the target's own words; pages fold it, mails leave it out.
    """

    change: Change
    text: str
    technical: bool = False

    def to_json(self) -> dict[str, Any]:
        """As a plan keeps it; the mark is there only where it says something."""
        mark = {"technical": True} if self.technical else {}
        return {"change": self.change, "text": kept(self.text), **mark}


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change on the target.

    `document` states the wanted effect for machines and is the same whenever the effect is the same, whether
    or not it is already in place: the seal covers it, so it holds no time of reading and no counter.
    `inverse` is what `revert` needs. `already_true` says that the target has the effect now.
    """

    connector: str
    action: str
    target: str
    lines: tuple[PlanLine, ...]
    document: Json
    inverse: Json
    already_true: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def effect(self) -> str:
        """Digest of what is to be done; two plans with one effect do the same."""
        return digest(
            {
                "connector": self.connector,
                "action": self.action,
                "target": self.target,
                "document": dict(self.document),
                "inverse": dict(self.inverse),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """A form that JSON keeps and `from_json` reads back unchanged."""
        return {
            "connector": self.connector,
            "action": self.action,
            "target": self.target,
            "lines": [line.to_json() for line in self.lines],
            "document": dict(self.document),
            "inverse": dict(self.inverse),
            "already_true": self.already_true,
            "warnings": [kept(warning) for warning in self.warnings],
        }

    @classmethod
    def from_json(cls, value: Json) -> Plan:
        """Raises KeyError when a part is missing."""
        return cls(
            connector=value["connector"],
            action=value["action"],
            target=value["target"],
            lines=tuple(
                PlanLine(line["change"], said(line["text"]), line.get("technical", False))
                for line in value["lines"]
            ),
            document=value["document"],
            inverse=value["inverse"],
            already_true=value["already_true"],
            warnings=tuple(said(warning) for warning in value["warnings"]),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `apply` or `revert` did, as the target answered. `artefacts` are files for the requester by name."""

    facts: Json
    lines: tuple[PlanLine, ...] = ()
    artefacts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the target says after the fact. `present` is whether the plan's effect is there."""

    present: bool
    facts: Json
    lines: tuple[PlanLine, ...] = ()
    artefacts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Live:
    """One thing live on the target that this connector governs.

    `key` is stable and equals `entitlement_key` of the plan that would create it, so that both sides match.
    """

    key: str
    label: str
    facts: Json
    reference: str = ""


class Explains(Protocol):
    """What a connector may answer beside the contract, so that what is live can be compared and taken away.

    Neither asks the target, so both are static: they can be asked of the class where its secrets are not.
    `expected_facts` are those of `Live.facts` that stay as they are for as long as the plan's effect is there as it
    was sealed; a difference is drift. `removal` is the order that takes one live thing away, None where it cannot.
    """

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """The facts, by name, that `live` shows of this plan's effect."""
        ...

    @staticmethod
    def removal(live: Live, reference: str) -> Order | None:
        """The order that takes this off the target, for the request of this reference."""
        ...


@runtime_checkable
class Connector(Protocol):
    """The contract. Every call has its own time-out and raises only ConnectorError.

    `apply` and `revert` may raise ConnectorPending when people must act first; called again with the same key once
    they have, they answer.

    `key` makes a call idempotent: it is derived from request, step and seal, and a second `apply` or `revert`
    with the same key has no second effect and returns the same facts.
    """

    kind: str

    def choices(self, name: str) -> Sequence[Choice]:
        """The values a form may offer under this name."""
        ...

    def plan(self, order: Order) -> Plan:
        """Read the target and say what would change. Changes nothing."""
        ...

    def entitlement_key(self, plan: Plan) -> str:
        """The identity of what the plan brings to life, as `live` reports it."""
        ...

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Carry the plan out, once."""
        ...

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Read the target and say whether the plan's effect is there."""
        ...

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Undo the plan's effect, once; already undone is success."""
        ...

    def live(self) -> Iterable[Live]:
        """Everything on the target that this connector governs."""
        ...
