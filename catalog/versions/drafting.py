"""Drafting: an author writes what may become an offering's next version."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.offerings.language import OfferingDocument
from catalog.offerings.problems import OfferingFileError, Problem
from catalog.offerings.reading import read_offering
from catalog.versions import tags
from catalog.versions.model import DraftState, OfferingDraft
from portal.audit import record
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound
from portal.core.language import N_, _
from portal.core.strict_yaml import LARGEST
from portal.identity.actor import Actor
from portal.identity.permissions import Permission

#: What the text is called in its problems.
FILE = "draft.yaml"
NO_DRAFT = N_("There is no such draft. Look for it in the list of the offering's versions.")


@dataclass(frozen=True, slots=True)
class Checked:
    """A text that was checked: the document, or every problem with its place."""

    document: OfferingDocument | None
    problems: tuple[Problem, ...]

    @property
    def digest(self) -> str:
        """The document's digest; empty where there is none."""
        return self.document.digest if self.document else ""

    @property
    def slug(self) -> str:
        """The document's slug; empty where there is none."""
        return self.document.slug if self.document else ""


def check(slug: str, source: str) -> Checked:
    """Check the text as one of this offering; never raises."""
    try:
        document = read_offering(source, FILE)
    except OfferingFileError as error:
        return Checked(None, error.problems)
    if slug and document.slug != slug:
        message = f"this is the draft of {slug!r}, so its slug stays {slug!r}"
        line = next((n for n, text in enumerate(source.split("\n"), 1) if text.startswith("slug:")), 1)
        return Checked(None, (Problem(FILE, line, 1, "slug", message),))
    return Checked(document, ())


def written(text: str) -> str:
    """The text with the line ends that files have; a browser sends those of 1980s terminals."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def draft(session: Session, actor: Actor, slug: str, source: str) -> OfferingDraft:
    """Begin a draft of the offering with this text, which is kept whatever is wrong with it.

    Without a slug it is a new offering's, whose slug is the one in its text once that can be read.
    Raises Forbidden, and FieldError when it is empty or too large to be an offering.
    """
    _insist_on_writing(actor)
    checked = _check_size(slug, source)
    at = now(session)
    made = OfferingDraft(
        slug=slug or checked.slug,
        author_id=actor.person_id,
        source=source,
        digest=checked.digest,
        state=DraftState.WRITING,
        created_at=at,
        updated_at=at,
    )
    session.add(made)
    session.flush()
    _record(session, actor, made)
    return made


def rewrite(session: Session, actor: Actor, draft_id: int, source: str) -> OfferingDraft:
    """Give the draft another text. Only its author may: whoever writes cannot publish.

    Raises NotFound, Forbidden, Conflict for a draft that is no longer written, FieldError as `draft` does.
    """
    found = get_locked_draft(session, draft_id)
    _insist_on_author(actor, found)
    checked = _check_size(found.slug, source)
    if source == found.source:
        return found
    found.source = source
    found.digest = checked.digest
    found.slug = found.slug or checked.slug
    found.updated_at = now(session)
    _record(session, actor, found)
    return found


def discard(session: Session, actor: Actor, draft_id: int) -> OfferingDraft:
    """Put the draft away for good; its text stays readable. Raises NotFound, Forbidden, Conflict."""
    found = get_locked_draft(session, draft_id)
    _insist_on_author(actor, found)
    found.state = DraftState.DISCARDED
    found.updated_at = now(session)
    record(
        session,
        tags.DISCARDED,
        subject=_subject(found),
        actor=actor,
        facts={"draft": found.id, "digest": found.digest or None},
    )
    return found


def get_locked_draft(session: Session, draft_id: int) -> OfferingDraft:
    """The draft, locked until the transaction ends. Raises NotFound, Conflict when it is no longer written."""
    found = session.scalar(select(OfferingDraft).where(OfferingDraft.id == draft_id).with_for_update())
    if found is None:
        raise NotFound(_(NO_DRAFT))
    if found.state is not DraftState.WRITING:
        raise Conflict(
            _("This draft was published meanwhile. Begin a new one to change the offering.")
            if found.state is DraftState.PUBLISHED
            else _("This draft was discarded meanwhile. Begin a new one to change the offering.")
        )
    return found


def _insist_on_writing(actor: Actor) -> None:
    if actor.person_id is None or not actor.may(Permission.WRITE_OFFERINGS):
        raise Forbidden(_("Only catalogue owners write offerings. Ask one of them to write this version."))


def _insist_on_author(actor: Actor, found: OfferingDraft) -> None:
    _insist_on_writing(actor)
    if actor.person_id != found.author_id:
        raise Forbidden(
            _(
                "Only its author changes a draft, so that somebody else can still publish it. "
                "Copy its text into a draft of your own instead."
            )
        )


def _check_size(slug: str, source: str) -> Checked:
    if not source.strip():
        raise FieldError("source", _("Write the offering, or choose its file."))
    if len(source.encode("utf-8", "surrogatepass")) > LARGEST:
        raise FieldError(
            "source",
            _("This is longer than %(size)s KiB, which no offering is. Shorten it.", size=LARGEST // 1024),
        )
    if "\x00" in source:
        raise FieldError(
            "source", _("This is no text: it holds a character that no text has. Choose another file.")
        )
    return check(slug, source)


def _subject(found: OfferingDraft) -> str:
    return f"offering:{found.slug or 'new'}"


def _record(session: Session, actor: Actor, written_draft: OfferingDraft) -> None:
    record(
        session,
        tags.DRAFTED,
        subject=_subject(written_draft),
        actor=actor,
        facts={
            "draft": written_draft.id,
            "author": f"person:{written_draft.author_id}",
            "digest": written_draft.digest or None,
            "text_digest": digest(written_draft.source),
        },
    )
