"""Access to views: every route says who may use it, and a guard rail refuses one that does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask_login import UserMixin, current_user

from portal.core.errors import Forbidden, PortalError
from portal.core.language import N_, _
from portal.identity.actor import Actor
from portal.identity.permissions import Permission

F = TypeVar("F", bound=Callable[..., Any])


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login ships no types
    """Flask-Login's user: the actor of this session."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def get_id(self) -> str:
        """What Flask-Login calls this user."""
        return str(self.actor.session_id)


class SignInNeeded(PortalError):
    """Nobody is signed in; the web room sends the browser to the identity provider and back."""

    status = 401
    title = N_("Sign in")

    def __init__(self) -> None:
        super().__init__(_("Sign in to go on."))


def find_actor() -> Actor | None:
    """Who is signed in, if anybody."""
    return cast("Actor", current_user.actor) if current_user.is_authenticated else None


def current_actor() -> Actor:
    """Who is signed in. Raises SignInNeeded when nobody is."""
    actor = find_actor()
    if actor is None:
        raise SignInNeeded
    return actor


def public(view: F) -> F:
    """Anybody may use this route, signed in or not."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: F) -> F:
    """Any signed-in person may use this route; what they may see is checked by the query or service."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        current_actor()
        return view(*args, **kwargs)

    guarded.access = "signed-in"  # type: ignore[attr-defined]
    return cast("F", guarded)


def requires(permission: Permission) -> Callable[[F], F]:
    """Only people whose roles grant the permission may use this route."""

    def decorate(view: F) -> F:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_actor().may(permission):
                message = _("Your roles do not include this page.")
                raise Forbidden(message)
            return view(*args, **kwargs)

        guarded.access = permission.value  # type: ignore[attr-defined]
        return cast("F", guarded)

    return decorate
