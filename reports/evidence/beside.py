"""What stood beside the ordinary approvers: a standing approval, a broken glass, and the review of what went past them.

The rows are read from the ledger's entries, which the checkpoint proves, so the facts keep nothing of it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from approvals import tags
from catalog.offerings.emergency import STANDING
from portal.core.language import N_, _
from reports.evidence.document import EntryPart, Evidence, StagePart
from reports.evidence.words import listed, spoken_time

_WHAT = {
    tags.STANDING_USED: N_("Approved in advance"),
    tags.GLASS_PROPOSED: N_("Wanted to break the glass"),
    tags.GLASS_BROKEN: N_("The glass was broken"),
    tags.REVIEW_OPENED: N_("Review opened"),
    tags.REVIEW_FOUND_RIGHT: N_("Found it right"),
    tags.REVIEW_FOUND_WRONG: N_("Found it wrong"),
    tags.REVIEW_PASSED: N_("The review found it right"),
    tags.REVIEW_LAPSED: N_("Nobody reviewed it in time; it is undone"),
    tags.REVIEW_VOIDED: N_("Nothing was left to review"),
    tags.REVIEW_UNDONE: N_("Undone: nothing of it is in place"),
}


@dataclass(frozen=True, slots=True)
class BesideRow:
    """One line: what happened, by whom, when, in which entry, and what was said."""

    what: str
    who: str
    when: str
    number: int
    text: str


def beside_rows(evidence: Evidence) -> tuple[BesideRow, ...]:
    """The lines, in the ledger's order; none for a request that went the ordinary way."""
    return tuple(
        BesideRow(
            what=_(_WHAT[tag]),
            who=_who(evidence, entry),
            when=spoken_time(str(entry.body.get("at"))),
            number=entry.number,
            text=_text(evidence, tag, entry),
        )
        for entry in evidence.ledger.entries
        if (tag := str(entry.body.get("tag"))) in _WHAT
        and entry.body.get("subject") == f"request:{evidence.reference}"
    )


def standing_stage(evidence: Evidence) -> StagePart | None:
    """The standing approval that took the place of the last seal's route, or None."""
    return next(
        (
            stage
            for stage in evidence.stages
            if stage.slug == STANDING and stage.revision == evidence.request.revision
        ),
        None,
    )


def signers_of(evidence: Evidence, stage: StagePart) -> str:
    """Who signed it in advance, in a sentence's words."""
    return listed([evidence.person(approver.person) for approver in stage.approvers])


def _who(evidence: Evidence, entry: EntryPart) -> str:
    facts = _facts(entry)
    people = facts.get("people") or facts.get("signers")
    if isinstance(people, list) and people:
        return listed([evidence.person(str(person)) for person in people])
    actor = str(entry.body.get("actor", ""))
    return "Countersign" if actor == "portal" else evidence.person(actor)


def _text(evidence: Evidence, tag: str, entry: EntryPart) -> str:
    said = _SAID.get(tag)
    if said is not None:
        return said(evidence, entry)
    return entry.personal["reason"].value if "reason" in entry.personal else ""


def _used(evidence: Evidence, entry: EntryPart) -> str:
    facts = _facts(entry)
    name = entry.personal["name"].value if "name" in entry.personal else ""
    return _(
        "Standing approval %(number)s “%(name)s”, use %(used)s of %(uses)s, digest %(digest)s",
        number=facts.get("standing"),
        name=name,
        used=facts.get("used"),
        uses=facts.get("uses"),
        digest=facts.get("digest"),
    )


def _opened(evidence: Evidence, entry: EntryPart) -> str:
    facts = _facts(entry)
    people = [
        evidence.person(str(one.get("person"))) for one in facts.get("reviewers", ()) if isinstance(one, dict)
    ]
    return _(
        "Passed over, told at once, and asked until %(due)s: %(people)s",
        due=spoken_time(str(facts.get("due_at"))),
        people=listed(list(dict.fromkeys(people))),
    )


_SAID: Mapping[str, Callable[[Evidence, EntryPart], str]] = {
    tags.STANDING_USED: _used,
    tags.REVIEW_OPENED: _opened,
}


def _facts(entry: EntryPart) -> Mapping[str, Any]:
    found = entry.body.get("facts")
    return found if isinstance(found, dict) else {}
