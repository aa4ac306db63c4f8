"""What the pages of requests show: frozen, already in the reader's zone, without anything that asks the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from catalog.requests.answers import AnswerLine
from catalog.requests.baton import Baton
from catalog.requests.route import RouteStage, StageProgress
from catalog.requests.timeline import Event

PlanLines = tuple[tuple[str, str], ...]

#: The page's words for a stage's state.
_STAGE_WORDS = {
    "waiting": "waiting",
    "open": "open",
    "approved": "agreed",
    "rejected": "refused",
    "closed": "skipped",
}

_STEP_TAGS = {
    "waiting": ("Not yet", "quiet", "circle"),
    "applying": ("Under way", "note", "arrow"),
    "waiting-for-people": ("Waiting for people", "note", "clock"),
    "applied": ("Done, being read back", "note", "dots"),
    "done": ("Done and read back", "good", "tick"),
    "reverted": ("Undone", "quiet", "stop"),
    "failed": ("Not possible", "bad", "alert"),
}


@dataclass(frozen=True, slots=True)
class PlanCard:
    """What one step changes."""

    name: str
    target: str
    lines: PlanLines
    #: The same in the target's own words, for those who read them.
    technical: PlanLines = ()


@dataclass(frozen=True, slots=True)
class RiskCard:
    """How much could go wrong, and why."""

    level: str
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionCard:
    """One decision in a stage."""

    person: str
    verdict: str
    comment: str
    when: datetime
    voided: bool


@dataclass(frozen=True, slots=True)
class StageCard:
    """One stage of the route."""

    name: str
    status: str
    people: tuple[str, ...]
    note: str
    because: str
    due_at: datetime | None
    decisions: tuple[DecisionCard, ...] = ()

    @property
    def row(self) -> tuple[str, str, tuple[str, ...], str]:
        """As the route macro takes it."""
        return (self.name, self.status, self.people, " · ".join(filter(None, (self.note, self.because))))


@dataclass(frozen=True, slots=True)
class StepCard:
    """How far one step of the fulfilment has come, and what was read back."""

    name: str
    connector: str
    state: str
    finished_at: datetime | None
    did: PlanLines
    read: PlanLines
    error: str

    @property
    def tag(self) -> tuple[str, str, str]:
        """Text, tone and sign of the step's state."""
        return _STEP_TAGS[self.state]


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Everything that a request's page shows. Times are in the reader's zone."""

    reference: str
    title: str
    offering: str
    slug: str
    version: int
    state: str
    requester: str
    beneficiary: str
    for_self: bool
    reason: str
    submitted_at: datetime
    ends: str
    promised_by: datetime | None
    #: The promise in words, whether it passed, since when its clock stands still, and what past requests took.
    promised_text: str
    missed: bool
    paused_since: datetime | None
    order_group_id: int | None
    may_order_again: bool
    outcome: str
    seal: str
    sealed_at: datetime | None
    now: datetime
    answers: tuple[AnswerLine, ...]
    plan: tuple[PlanCard, ...]
    risk: RiskCard | None
    stages: tuple[StageCard, ...]
    baton: Baton | None
    steps: tuple[StepCard, ...]
    artefacts: tuple[str, ...]
    #: Files that people added, by number and name.
    attached: tuple[tuple[int, str], ...]
    timeline: tuple[Event, ...]
    #: Whether the page will say something else before long.
    moving: bool
    may_withdraw: bool
    may_edit: bool
    may_read_evidence: bool

    @property
    def stage_rows(self) -> tuple[tuple[str, str, tuple[str, ...], str], ...]:
        """The route as its macro takes it."""
        return tuple(stage.row for stage in self.stages)

    @property
    def timeline_rows(self) -> tuple[tuple[datetime, str, str, str, str], ...]:
        """The timeline as its macro takes it."""
        return tuple(event.as_row() for event in self.timeline)


def plan_cards(plans: Sequence[Mapping[str, Any]]) -> tuple[PlanCard, ...]:
    """Stored plans, in order."""
    return tuple(
        PlanCard(plan["name"], plan["target"], lines_of(plan), lines_of(plan, technical=True))
        for plan in plans
    )


def lines_of(kept: Mapping[str, Any], *, technical: bool = False) -> PlanLines:
    """The lines of a stored plan, outcome or read-back that are for everybody, or those that are technical."""
    return tuple(
        (line["change"], line["text"])
        for line in kept.get("lines", ())
        if line.get("technical", False) is technical
    )


def risk_card(risk: Mapping[str, Any]) -> RiskCard | None:
    """The stored risk; None before it is weighed."""
    if not risk:
        return None
    return RiskCard(risk["level"], risk["score"], tuple(reason["because"] for reason in risk["reasons"]))


def planned_stages(stages: Sequence[RouteStage]) -> tuple[StageCard, ...]:
    """A route before anybody is asked."""
    return tuple(
        StageCard(
            name=stage.name,
            status="waiting",
            people=tuple(person.name for person in stage.approvers),
            note=_quorum(stage.quorum, len(stage.approvers)),
            because=stage.because,
            due_at=None,
        )
        for stage in stages
    )


def stage_cards(stages: Sequence[StageProgress], *, timezone: str) -> tuple[StageCard, ...]:
    """A route on its way."""
    zone = ZoneInfo(timezone)
    return tuple(
        StageCard(
            name=stage.name,
            status=_STAGE_WORDS[stage.state],
            people=stage.approvers,
            note=_quorum(stage.quorum, len(stage.approvers)),
            because=stage.because,
            due_at=stage.due_at.astimezone(zone) if stage.due_at else None,
            decisions=tuple(
                DecisionCard(
                    person=decision.person,
                    verdict=decision.verdict,
                    comment=decision.comment,
                    when=decision.decided_at.astimezone(zone),
                    voided=decision.voided,
                )
                for decision in stage.decisions
            ),
        )
        for stage in stages
    )


def _quorum(quorum: int, people: int) -> str:
    if people == 1:
        return ""
    return "all must agree" if quorum == people else f"{quorum} of {people} must agree"
