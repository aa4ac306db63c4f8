"""What has changed between the seal that an approver saw and the one that stands now, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.routing.model import Sealing
from catalog.requests.model import Request
from portal.core.errors import Conflict
from portal.core.language import N_, _, spoken

PARTS = {
    "answers": N_("the answers"),
    "plan": N_("what would be changed on the target"),
    "risk": N_("the risk"),
    "route": N_("the approval chain"),
    "offering": N_("the offering's version"),
    "beneficiary": N_("who would receive it"),
    "ends_at": N_("when it ends"),
}


class SealChanged(Conflict):
    """The request is not what the approver saw; nothing was decided. `changes` are sentences for the page."""

    title: ClassVar[str] = N_("This request has changed")

    def __init__(self, changes: tuple[str, ...]) -> None:
        super().__init__(_("This request has changed since you opened it. Read it again before you decide."))
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
        return (_("The page that you sent was not made from this request."),)
    if request.seal not in documents:
        return (_("It is being prepared again; the earlier plan no longer stands."),)
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
            sentences.append(
                _(
                    "The risk was %(before)s and is now %(after)s (score %(score)s).",
                    before=_(old["level"]),
                    after=_(new["level"]),
                    score=new["score"],
                )
            )
        else:
            sentences.append(_("Different now: %(part)s.", part=_(name)))
    return tuple(sentences) or (_("It was sealed again without any other change."),)


def _answers(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    fields = [*old, *(field for field in new if field not in old)]
    return [
        _(
            "The answer %(field)s was %(before)s and is now %(after)s.",
            field=field.replace("_", " "),
            before=_shown(old.get(field)),
            after=_shown(new.get(field)),
        )
        for field in fields
        if old.get(field) != new.get(field)
    ]


def _lines(old: list[Any], new: list[Any]) -> list[str]:
    before = [spoken(line["text"]) for plan in old for line in plan["lines"]]
    after = [spoken(line["text"]) for plan in new for line in plan["lines"]]
    gone = [_("No longer planned: %(text)s", text=text) for text in before if text not in after]
    added = [_("Planned now: %(text)s", text=text) for text in after if text not in before]
    said = [*gone, *added, *_for_machines(old, new)]
    return said or [_("What would be changed on the target is different now.")]


def _for_machines(old: list[Any], new: list[Any]) -> list[str]:
    """What the worker would do otherwise, part by part of its own document, where the steps are the same."""
    if [plan["action"] for plan in old] != [plan["action"] for plan in new]:
        return []
    return [
        _(
            "For the worker, %(part)s was %(before)s and is now %(after)s.",
            part=name.replace("_", " "),
            before=_shown(one.get(name)),
            after=_shown(other.get(name)),
        )
        for plan, fresh in zip(old, new, strict=True)
        for one, other in ((plan["document"], fresh["document"]), (plan["inverse"], fresh["inverse"]))
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    ]


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return _("empty")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return _("“%(text)s”", text=value) if isinstance(value, str) else str(value)
