"""What the decision card shows: frozen, in the reader's zone, without anything that asks the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog.changes.card import ChangeCard
from catalog.requests.answers import AnswerLine
from catalog.requests.conversation import Conversation
from catalog.requests.presenters import PlanCard, RiskCard, StageCard, StageRow
from portal.core.language import _


@dataclass(frozen=True, slots=True)
class Holding:
    """One thing that the beneficiary has already."""

    label: str
    target: str
    until: str
    reference: str


@dataclass(frozen=True, slots=True)
class Touched:
    """Something the organisation runs that this request touches, and how much depends on it."""

    name: str
    #: low, medium, high or critical
    criticality: str
    text: str


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
    requester_name: str
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
    #: What it touches, as the seal covers it.
    touched: tuple[Touched, ...]
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
    #: In whose place the reader decides, by a delegation; empty where it is their own.
    in_place_of: str
    #: What follows from saying no.
    no_means: str
    #: When it is carried out, and which other changes touch the same then.
    change: ChangeCard
    #: What people said about it.
    conversation: Conversation
    #: What is different from what was sealed before, line by line; empty where it was sealed once.
    changed: tuple[str, ...]
    #: Who else decides the reader's open stage, by number and name: it may be left to them.
    others: tuple[tuple[int, str], ...]

    @property
    def open(self) -> bool:
        """Whether the reader may still say something."""
        return self.may_approve or self.may_deny

    @property
    def holdings_count(self) -> str:
        """How many things the beneficiary has, as far as was read."""
        if self.more_holdings:
            return _("%(number)s or more", number=len(self.holdings))
        return str(len(self.holdings))

    @property
    def agreed(self) -> str:
        """Who has agreed so far, in a few words."""
        names = [
            decision.person
            for stage in self.stages
            for decision in stage.decisions
            if decision.verdict == "approve" and not decision.voided
        ]
        return ", ".join(names) or _("nobody yet")

    @property
    def stage_rows(self) -> tuple[StageRow, ...]:
        """The chain as its macro takes it."""
        return tuple(stage.short_row for stage in self.stages)
