"""What the pages of requests show: frozen, already in the reader's zone, without anything that asks the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from catalog.changes.card import ChangeCard
from catalog.requests.answers import AnswerLine
from catalog.requests.baton import Baton
from catalog.requests.conversation import Conversation
from catalog.requests.progress import Progress
from catalog.requests.route import RouteStage, StageProgress
from catalog.requests.step_tags import step_tag
from catalog.requests.timeline import Event
from portal.core.language import _, ngettext, spoken

PlanLines = tuple[tuple[str, str], ...]
#: Name, state, people, note, and whether it stands beside the one before it, as a part of the same stage.
StageRow = tuple[str, str, tuple[str, ...], str, bool]
#: Gives an English or a kept text in the language that is spoken.
Speak = Callable[[Any], str]

#: The page's words for a stage's state.
_STAGE_WORDS = {
    "waiting": "waiting",
    "open": "open",
    "approved": "agreed",
    "rejected": "refused",
    "closed": "skipped",
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
    #: Of a stage's second part and those after it, the part's own name; they stand beside the first.
    beside: str = ""

    @property
    def row(self) -> StageRow:
        """As the route macro takes it."""
        note = " · ".join(filter(None, (self.note, self.because)))
        return (self.beside or self.name, self.status, self.people, note, bool(self.beside))

    @property
    def short_row(self) -> StageRow:
        """The same without why they are asked."""
        return (self.beside or self.name, self.status, self.people, self.note, bool(self.beside))


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
    #: In a sentence, whether it is on the target; empty once that has ended.
    where: str
    #: Whether people did it, and the target does not show it or cannot tell.
    unseen: bool = False

    @property
    def tag(self) -> tuple[str, str, str]:
        """Text, tone and sign of the step's state."""
        return (_("Said to be done by hand"), "warn", "alert") if self.unseen else step_tag(self.state)


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
    #: The published policy that approved it, in a sentence; empty where people decide.
    policy: str
    baton: Baton | None
    steps: tuple[StepCard, ...]
    artefacts: tuple[str, ...]
    #: Whether a one-time password of the reader's own waits to be shown.
    has_password: bool
    #: Files that people added, by number and name.
    attached: tuple[tuple[int, str], ...]
    timeline: tuple[Event, ...]
    #: What people said about it.
    conversation: Conversation
    #: When it is carried out, and what else is then.
    change: ChangeCard
    #: Whether the page will say something else before long, and how far it has come.
    moving: bool
    progress: Progress
    #: Whether the reader may try again, undo, or say that it was done by hand.
    may_operate: bool
    may_withdraw: bool
    may_edit: bool
    may_read_evidence: bool
    #: What it put in place or prolonged, of what the reader may see: number and name.
    brought: tuple[tuple[int, str], ...]
    #: Whether it went past its ordinary approvers, who review it; and whether the reader may carry it past them.
    reviewed: bool
    may_break_glass: bool

    @property
    def stage_rows(self) -> tuple[StageRow, ...]:
        """The route as its macro takes it."""
        return tuple(stage.row for stage in self.stages)

    @property
    def timeline_rows(self) -> tuple[tuple[datetime, str, str, str, str], ...]:
        """The timeline as its macro takes it."""
        return tuple(event.as_row() for event in self.timeline)


def plan_cards(plans: Sequence[Mapping[str, Any]], *, speak: Speak = spoken) -> tuple[PlanCard, ...]:
    """Stored plans, in order. `speak` is that of the offering's document, whose texts stand in them."""
    return tuple(
        PlanCard(speak(plan["name"]), spoken(plan["target"]), lines_of(plan), lines_of(plan, technical=True))
        for plan in plans
    )


def lines_of(kept: Mapping[str, Any], *, technical: bool = False) -> PlanLines:
    """The lines of a stored plan, outcome or read-back that are for everybody, or those that are technical."""
    return tuple(
        (line["change"], spoken(line["text"]))
        for line in kept.get("lines", ())
        if line.get("technical", False) is technical
    )


def risk_card(risk: Mapping[str, Any], *, speak: Speak = spoken) -> RiskCard | None:
    """The stored risk; None before it is weighed. `speak` as for plan_cards."""
    if not risk:
        return None
    return RiskCard(
        risk["level"], risk["score"], tuple(speak(reason["because"]) for reason in risk["reasons"])
    )


def planned_stages(stages: Sequence[RouteStage], *, speak: Speak = spoken) -> tuple[StageCard, ...]:
    """A route before anybody is asked. `speak` as for plan_cards."""
    return tuple(
        StageCard(
            name=_name(stage, speak),
            beside=speak(stage.name) if stage.part else "",
            status="waiting",
            people=tuple(person.name for person in stage.called),
            note=_note(stage, stages, len(stage.called), speak),
            because=speak(stage.because),
            due_at=None,
        )
        for stage in stages
    )


def stage_cards(
    stages: Sequence[StageProgress], *, timezone: str, speak: Speak = spoken
) -> tuple[StageCard, ...]:
    """A route on its way. `speak` as for plan_cards."""
    zone = ZoneInfo(timezone)
    return tuple(
        StageCard(
            name=_name(stage, speak),
            beside=speak(stage.name) if stage.part else "",
            status=_STAGE_WORDS[stage.state],
            people=stage.approvers,
            note=_note(stage, stages, len(stage.approvers), speak),
            because=speak(stage.because),
            due_at=stage.due_at.astimezone(zone) if stage.due_at else None,
            decisions=tuple(
                DecisionCard(
                    person=decision.person,
                    verdict=decision.verdict,
                    comment=spoken(decision.comment),
                    when=decision.decided_at.astimezone(zone),
                    voided=decision.voided,
                )
                for decision in stage.decisions
            ),
        )
        for stage in stages
    )


def _name(stage: RouteStage | StageProgress, speak: Speak) -> str:
    """The stage's name; a part's name beside its stage's."""
    if not stage.part_of:
        return speak(stage.name)
    return _("%(stage)s: %(part)s", stage=speak(stage.part_of), part=speak(stage.name))


def _note(
    stage: RouteStage | StageProgress,
    stages: Sequence[RouteStage | StageProgress],
    people: int,
    speak: Speak,
) -> str:
    """How many must agree, and who is asked at the same time."""
    beside = [
        speak(other.name) for other in stages if other.position == stage.position and other is not stage
    ]
    together = (
        _("at the same time as %(others)s", others=", ".join(beside)) if beside and stage.part_of else ""
    )
    if stage.carried:
        return _("agreed before the target changed")
    return ", ".join(filter(None, (_quorum(stage.quorum, people), together)))


def _quorum(quorum: int, people: int) -> str:
    if quorum == 0:
        return _("signed in advance")
    if people == 1:
        return ""
    if quorum == people:
        return _("all must agree")
    return ngettext(
        "%(number)s of %(people)s must agree", "%(number)s of %(people)s must agree", quorum, people=people
    )
