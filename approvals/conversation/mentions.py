"""Mentions: `@user.name` in a comment calls a person who may see the request."""

from __future__ import annotations

import re

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.requests.model import Request
from catalog.requests.queries import may_see
from catalog.requests.route import Router
from portal.core.errors import FieldError
from portal.core.language import _
from portal.identity.model import Person, WebSession
from portal.identity.web_sessions import actor_of

#: Not inside a word, so that an e-mail address calls nobody.
_MENTION = re.compile(r"(?<![\w.@+-])@([\w](?:[\w.-]*[\w])?)")
#: A comment that calls more people than this calls nobody in particular.
MOST = 10


def mentioned_in(session: Session, text: str, request: Request, router: Router) -> list[Person]:
    """The people whom the text calls, each once, in its order.

    Raises FieldError for a name that is nobody's, and for somebody who may not see the request: they are not told,
    and the author learns why.
    """
    names = list(dict.fromkeys(name.casefold() for name in _MENTION.findall(text)))
    if len(names) > MOST:
        raise FieldError("comment", _("Mention at most %(number)s people in one comment.", number=MOST))
    if not names:
        return []
    found = session.scalars(
        select(Person).where(func.lower(Person.user_name).in_(names), Person.active.is_(True))
    )
    people = {person.user_name.casefold(): person for person in found}
    for name in names:
        if name not in people:
            raise FieldError(
                "comment",
                _(
                    "Nobody here has the account name “%(name)s”. Write it as it stands in the directory, or leave out the @.",
                    name=name,
                ),
            )
        # Nobody's session: what counts is what their groups let them read now.
        reader = actor_of(session, people[name], WebSession(acr="", amr=[]))
        if not may_see(session, reader, request, router):
            raise FieldError(
                "comment",
                _(
                    "%(name)s may not see this request, so they were not told and nothing was kept. Leave out the @, or ask somebody else.",
                    name=people[name].name,
                ),
            )
    return [people[name] for name in names]
