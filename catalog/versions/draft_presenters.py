"""What the pages of a draft show: its text with the problems, and all that its publisher has before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.offerings.language import OfferingDocument
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.versions.difference import Chapter, difference, unified
from catalog.versions.drafting import FILE, check
from catalog.versions.model import DraftState, OfferingDraft, OfferingReplay, ReplayState
from catalog.versions.presenters import Reader, source_of_version
from catalog.versions.publishing import AUTHOR, NO_RIGHT
from catalog.versions.replaying import GOOD_FOR
from catalog.versions.report import Report
from catalog.versions.told import Told, told
from portal.core.language import N_, _, spoken
from portal.identity.permissions import Permission

_ENDED = {
    DraftState.WRITING: "",
    DraftState.PUBLISHED: N_("Published"),
    DraftState.DISCARDED: N_("Discarded"),
}
#: Lines of the text that are shown before and after a problem's own.
AROUND = 1


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """One problem, where it is, and the lines around it with their numbers."""

    place: str
    field: str
    message: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class DraftPage:
    """One draft. `mine` lets it be changed; `ended` says what became of it otherwise."""

    id: int
    slug: str
    author: str
    mine: bool
    ended: str
    problems: tuple[ProblemLine, ...]
    source: str
    updated_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class ReplayCard:
    """How far a replay is, or what it found. `stale` says why it cannot be published on."""

    id: int
    state: str
    done: int
    total: int
    why: str
    result: Told | None
    stale: str

    @property
    def moving(self) -> bool:
        """Whether it is still worked on."""
        return self.state in {ReplayState.WAITING, ReplayState.RUNNING}


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A draft before it is published. `cannot` says why this person cannot publish it, whatever the replay says."""

    id: int
    slug: str
    name: str
    author: str
    mine: bool
    digest: str
    number_in_force: int
    chapters: tuple[Chapter, ...]
    lines: str
    replay: ReplayCard | None
    cannot: str
    updated_at: datetime
    now: datetime

    @property
    def ready(self) -> bool:
        """Whether this person can publish it now."""
        card = self.replay
        return not self.cannot and card is not None and card.state == ReplayState.DONE and not card.stale


def draft_page(draft: OfferingDraft, author: str, reader: Reader) -> DraftPage:
    """A draft with the problems of its text as it is kept."""
    return DraftPage(
        id=draft.id,
        slug=draft.slug,
        author=author,
        mine=draft.author_id == reader.actor.person_id and draft.state is DraftState.WRITING,
        ended=_(_ENDED[draft.state]),
        problems=_problems(draft),
        source=draft.source,
        updated_at=reader.local(draft.updated_at),
        now=reader.now,
    )


def review_page(
    reader: Reader,
    draft: OfferingDraft,
    author: str,
    *,
    document: OfferingDocument,
    newest: OfferingVersion | None,
    replay: OfferingReplay | None,
) -> ReviewPage:
    """A draft before it is published."""
    mine = draft.author_id == reader.actor.person_id
    cannot = _(AUTHOR) if mine else "" if reader.actor.may(Permission.PUBLISH_OFFERINGS) else _(NO_RIGHT)
    same = newest is not None and newest.digest == draft.digest
    if same:
        cannot = _("This draft means the same as the version in force, so there is nothing to publish.")
    old = source_of_version(newest) if newest else ""
    return ReviewPage(
        id=draft.id,
        slug=draft.slug,
        name=document.spoken().name,
        author=author,
        mine=mine,
        digest=draft.digest,
        number_in_force=newest.number if newest else 0,
        chapters=difference(document_of(newest), document) if newest else (),
        lines=unified(old, draft.source, names=(_("in force"), FILE)),
        replay=_card(replay, newest, reader, mine=mine) if replay else None,
        cannot=cannot,
        updated_at=reader.local(draft.updated_at),
        now=reader.now,
    )


def _card(
    replay: OfferingReplay, newest: OfferingVersion | None, reader: Reader, *, mine: bool
) -> ReplayCard:
    stale = ""
    if replay.base_digest != (newest.digest if newest else ""):
        stale = _("Another version was put in force since this replay.")
    elif replay.asked_at + GOOD_FOR < reader.at:
        stale = _("This replay is older than %(days)s days.", days=GOOD_FOR.days)
    elif not mine and replay.publisher_id != reader.actor.person_id:
        stale = _(
            "This replay counts another person as publisher, or nobody. Whoever publishes approves none of its "
            "requests, so replay it yourself before you publish."
        )
    return ReplayCard(
        id=replay.id,
        state=replay.state.value,
        done=replay.done,
        total=replay.total,
        why=spoken(replay.why),
        result=told(Report.from_json(replay.result)) if replay.state is ReplayState.DONE else None,
        stale=stale,
    )


def _problems(draft: OfferingDraft) -> tuple[ProblemLine, ...]:
    if draft.digest:
        return ()
    lines = draft.source.split("\n")
    return tuple(
        ProblemLine(
            f"{problem.file}:{problem.line}:{problem.column}",
            problem.field,
            _sentence(problem.message),
            _excerpt(lines, problem.line),
        )
        for problem in check(draft.slug, draft.source).problems
    )


def _sentence(message: str) -> str:
    text = message[:1].upper() + message[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _excerpt(lines: Sequence[str], line: int) -> str:
    first, last = max(line - AROUND, 1), min(line + AROUND, len(lines))
    width = len(str(last))
    return "\n".join(
        f"{'>' if number == line else ' '} {number:>{width}} {lines[number - 1]}"
        for number in range(first, last + 1)
    )
