"""What the decision card shows: frozen, in the reader's zone, without anything that asks the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog.requests.answers import AnswerLine
from catalog.requests.presenters import PlanCard, RiskCard, StageCard


@dataclass(frozen=True, slots=True)
class Holding:
    """One thing that the beneficiary has already."""

    label: str
    target: str
    until: str
    reference: str


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that an approver needs to decide. Times are in the reader's zone."""

    reference: str
    title: str
    offering: str
    version: int
    version_digest: str
    state: str
    #: Who asks for whom, in a sentence.
    asked: str
    requester: str
    beneficiary: str
    beneficiary_name: str
    reason: str
    submitted_at: datetime
    #: When it ends, as people say it; empty when it has no end.
    ends: str
    due_at: datetime | None
    late: bool
    plan: tuple[PlanCard, ...]
    risk: RiskCard | None
    #: That it cannot be undone, where it cannot.
    irreversible: str
    #: What the approver should mind: already true, look-alike names, and what the targets warn of.
    warnings: tuple[str, ...]
    holdings: tuple[Holding, ...]
    more_holdings: bool
    stages: tuple[StageCard, ...]
    #: The stage that is being decided, with what the offering says of it; empty when none is.
    stage: str
    stage_text: str
    answers: tuple[AnswerLine, ...]
    documents: str
    route: str
    seal: str
    sealed_at: datetime | None
    outcome: str
    now: datetime
    may_approve: bool
    may_deny: bool
    #: Why the reader cannot decide, where they cannot.
    why_not: str
    #: How the decision will have to be signed.
    signing: str
    #: What follows from saying no.
    no_means: str

    @property
    def open(self) -> bool:
        """Whether the reader may still say something."""
        return self.may_approve or self.may_deny

    @property
    def holdings_count(self) -> str:
        """How many things the beneficiary has, as far as was read."""
        return f"{len(self.holdings)} or more" if self.more_holdings else str(len(self.holdings))

    @property
    def agreed(self) -> str:
        """Who has agreed so far, in a few words."""
        names = [
            decision.person
            for stage in self.stages
            for decision in stage.decisions
            if decision.verdict == "approve" and not decision.voided
        ]
        return ", ".join(names) or "nobody yet"

    @property
    def stage_rows(self) -> tuple[tuple[str, str, tuple[str, ...], str], ...]:
        """The chain as its macro takes it."""
        return tuple((stage.name, stage.status, stage.people, stage.note) for stage in self.stages)
