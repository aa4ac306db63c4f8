"""Checking a draft: its answers as they are now, against the service as it is published now.

Targets may be asked for their choices, so this runs outside any transaction; submitting then makes sure that what
was checked is what is submitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from catalog.entitlements.held import held_by
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.answers import check_answers
from catalog.offerings.audience import groups_of, may_order
from catalog.offerings.form_context import FormContext
from catalog.offerings.form_context import context_for as form_context_for
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import NO_SUCH_SERVICE, document_of, get_current_version
from catalog.requests.context import day_of, get_person
from catalog.requests.model import Draft
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.errors import NotFound
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Person


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft's answers, checked. `raw` is what was typed, as the draft held it then."""

    token: str
    version_id: int
    raw: Mapping[str, Any]
    answers: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The digest of what was typed, by which the page that shows it is known again."""
        return digest(dict(self.raw))


def form_context_of(session: Session, actor: Actor, connectors: Connectors) -> tuple[Person, FormContext]:
    """The person who fills a form in, and what checking their answers needs."""
    person = get_person(session, actor.person_id or 0)
    today = day_of(now(session), person.timezone)
    return person, form_context_for(
        session,
        person,
        connectors,
        today=today,
        groups=groups_of(session, person.id),
        held=partial(held_by, session),
    )


def get_asked(
    session: Session, actor: Actor, slug: str, connectors: Connectors
) -> tuple[OfferingVersion, Person, FormContext]:
    """What is published of a service, and what its form needs, in three statements.

    Raises NotFound where there is no such service for the actor.
    """
    version = get_current_version(session, slug)
    person, context = form_context_of(session, actor, connectors)
    if not may_order(document_of(version), context.actor):
        raise NotFound(_(NO_SUCH_SERVICE))
    return version, person, context


def check_draft(
    session: Session, actor: Actor, draft: Draft, version: OfferingVersion, connectors: Connectors
) -> Checked:
    """The draft's answers against this version. Raises FieldErrors with every problem."""
    _, context = form_context_of(session, actor, connectors)
    answers = check_answers(document_of(version), draft.answers, context)
    return Checked(draft.token, version.id, dict(draft.answers), answers)
