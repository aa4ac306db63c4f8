"""What has changed between the seal that an approver saw and the one that stands now, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.routing.model import Sealing
from catalog.requests.model import Request
from portal.core.errors import Conflict
from portal.core.language import spoken

PARTS = {
    "answers": "the answers",
    "plan": "what would be changed on the target",
    "risk": "the risk",
    "route": "the approval chain",
    "offering": "the offering's version",
    "beneficiary": "who would receive it",
    "ends_at": "when it ends",
}


class SealChanged(Conflict):
    """The request is not what the approver saw; nothing was decided. `changes` are sentences for the page."""

    title: ClassVar[str] = "This request has changed"

    def __init__(self, changes: tuple[str, ...]) -> None:
        super().__init__("This request has changed since you opened it. Read it again before you decide.")
        self.changes = changes


def changes_since(session: Session, request: Request, seen: str) -> tuple[str, ...]:
    """Sentences that say what differs between the seal that was seen and the request's seal now."""
    rows = session.execute(
        select(Sealing.seal, Sealing.document).where(
            Sealing.request_id == request.id, Sealing.seal.in_((seen, request.seal))
        )
    ).all()
    documents: dict[str, Mapping[str, Any]] = {row.seal: row.document for row in rows}
    if seen not in documents:
        return ("The page that you sent was not made from this request.",)
    if request.seal not in documents:
        return ("It is being prepared again; the earlier plan no longer stands.",)
    return compare(documents[seen], documents[request.seal])


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences for each part of the sealed document that differs."""
    sentences: list[str] = []
    old: Any
    new: Any
    for part, name in PARTS.items():
        old, new = before.get(part), after.get(part)
        if old == new:
            continue
        if part == "answers":
            sentences += _answers(old or {}, new or {})
        elif part == "plan":
            sentences += _lines(old or [], new or [])
        elif part == "risk":
            sentences.append(f"The risk was {old['level']} and is now {new['level']} (score {new['score']}).")
        else:
            sentences.append(f"Different now: {name}.")
    return tuple(sentences) or ("It was sealed again without any other change.",)


def _answers(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    fields = [*old, *(field for field in new if field not in old)]
    return [
        f"The answer {field.replace('_', ' ')} was {_shown(old.get(field))} and is now {_shown(new.get(field))}."
        for field in fields
        if old.get(field) != new.get(field)
    ]


def _lines(old: list[Any], new: list[Any]) -> list[str]:
    before = [spoken(line["text"]) for plan in old for line in plan["lines"]]
    after = [spoken(line["text"]) for plan in new for line in plan["lines"]]
    gone = [f"No longer planned: {text}" for text in before if text not in after]
    added = [f"Planned now: {text}" for text in after if text not in before]
    return gone + added or ["What would be changed on the target is different now."]


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return "empty"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return f"“{value}”" if isinstance(value, str) else str(value)
