"""What a request's record holds, table by table, and what is left of each row when the record goes.

What stays says who did what kind of thing when, by number: who asked, which stages there were, who decided and how, under
which seal, what steps ran with what outcome. What goes is what was asked for, why, and everything that was written about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from approvals.conversation.model import Remark
from approvals.decisions.model import CardOpening, Decision, Reassignment
from approvals.emergency.model import Glass, Review, Reviewer, ReviewWord
from approvals.links.model import ApprovalLink
from approvals.routing.model import Sealing, Stage, StageApprover
from catalog.attachments.model import Attachment
from catalog.changes.model import PlannedChange, ToldPerson
from catalog.entitlements.model import Entitlement
from catalog.entitlements.recertifying.model import Recertification, Voice
from catalog.explaining.model import Trace
from catalog.fulfilment.connectors.http.model import HttpCall
from catalog.fulfilment.connectors.manual.model import ManualItem, ManualTask
from catalog.fulfilment.model import Artefact, ByHand, Step
from catalog.requests.model import Draft, Request
from portal.core.database import Base
from portal.notifications.model import Message
from reports.evidence.model import EvidenceFile

#: What stands in the place of a title or a label.
ERASED = "Erased"


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Rows of one table that belong to a request: removed, or with these columns overwritten."""

    model: type[Base]
    rows: Callable[[Request], ColumnElement[bool]]
    #: Empty: the rows are removed.
    columns: Mapping[str, Any] = field(default_factory=dict)


def _texts(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, "")


def _stages(request: Request) -> Any:
    return select(Stage.id).where(Stage.request_id == request.id)


def _entitlements(request: Request) -> Any:
    return select(Entitlement.id).where(Entitlement.request_id == request.id)


def _reviews(request: Request) -> Any:
    return select(Review.id).where(Review.request_id == request.id)


def _recertifications(request: Request) -> Any:
    return select(Recertification.id).where(Recertification.entitlement_id.in_(_entitlements(request)))


#: In the order in which they go. Traces before what they point at.
RECORD: tuple[RecordPlace, ...] = (
    RecordPlace(
        Trace,
        lambda r: or_(
            Trace.entitlement_id.in_(_entitlements(r)),
            Trace.step_id.in_(select(Step.id).where(Step.request_id == r.id)),
        ),
    ),
    RecordPlace(Artefact, lambda r: Artefact.request_id == r.id),
    RecordPlace(Attachment, lambda r: Attachment.request_id == r.id),
    RecordPlace(Draft, lambda r: Draft.request_id == r.id),
    RecordPlace(Message, lambda r: Message.reference == r.reference),
    RecordPlace(CardOpening, lambda r: CardOpening.request_id == r.id),
    RecordPlace(ApprovalLink, lambda r: ApprovalLink.stage_id.in_(_stages(r))),
    RecordPlace(
        ToldPerson,
        lambda r: ToldPerson.change_id.in_(select(PlannedChange.id).where(PlannedChange.request_id == r.id)),
    ),
    RecordPlace(EvidenceFile, lambda r: EvidenceFile.request_id == r.id),
    RecordPlace(
        Request,
        lambda r: Request.id == r.id,
        {
            "title": ERASED,
            **_texts("reason", "likeness", "outcome", "baton"),
            "answers": {},
            "risk": {},
            "plans": [],
            "route": [],
        },
    ),
    # The seal stays: it is what approvers agreed to, and what the ledger's entries name.
    RecordPlace(Sealing, lambda r: Sealing.request_id == r.id, {"document": {}, "warnings": []}),
    RecordPlace(Stage, lambda r: Stage.request_id == r.id, _texts("because")),
    RecordPlace(StageApprover, lambda r: StageApprover.stage_id.in_(_stages(r)), _texts("relation")),
    RecordPlace(Decision, lambda r: Decision.request_id == r.id, _texts("comment", "voided_because")),
    RecordPlace(Reassignment, lambda r: Reassignment.stage_id.in_(_stages(r)), _texts("reason")),
    RecordPlace(Remark, lambda r: Remark.request_id == r.id, {**_texts("text", "reply"), "changes": {}}),
    RecordPlace(Glass, lambda r: Glass.request_id == r.id, _texts("reason")),
    RecordPlace(Reviewer, lambda r: Reviewer.review_id.in_(_reviews(r)), _texts("relation")),
    RecordPlace(ReviewWord, lambda r: ReviewWord.review_id.in_(_reviews(r)), _texts("reason")),
    RecordPlace(
        Step,
        lambda r: Step.request_id == r.id,
        {"name": ERASED, "plan": {}, "outcome": {}, "read_back": {}, "error": ""},
    ),
    RecordPlace(ByHand, lambda r: ByHand.request_id == r.id, {**_texts("proof", "words"), "target": {}}),
    RecordPlace(
        ManualItem,
        lambda r: ManualItem.task_id.in_(select(ManualTask.id).where(ManualTask.request_id == r.id)),
        _texts("text"),
    ),
    RecordPlace(
        ManualTask,
        lambda r: ManualTask.request_id == r.id,
        {"title": ERASED, **_texts("entitlement_key", "instructions", "note", "reason"), "plan": {}},
    ),
    RecordPlace(
        HttpCall,
        lambda r: HttpCall.reference == r.reference,
        {
            **_texts("entitlement_key", "status_url", "message"),
            "document": {},
            "claim": {},
            "facts": {},
        },
    ),
    RecordPlace(Voice, lambda r: Voice.recertification_id.in_(_recertifications(r)), _texts("said")),
    RecordPlace(
        Entitlement,
        lambda r: Entitlement.request_id == r.id,
        {"label": ERASED, **_texts("target", "key", "end_reason"), "facts": {}},
    ),
)
