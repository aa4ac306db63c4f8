"""What views need of Flask: the unit of work, the parts that wiring made, and rendering.

Only views, forms and the web room import this; services never see a web request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, current_app, make_response, render_template, request
from sqlalchemy.orm import Session

from portal.core.database import Database
from portal.core.errors import PortalError
from portal.core.language import _
from portal.core.settings import Settings

T = TypeVar("T")
View = TypeVar("View", bound=Callable[..., Any])


class Services:
    """The parts that portal.wiring made, found by their type."""

    def __init__(self, *parts: object) -> None:
        self._parts = {type(part): part for part in parts}

    def get(self, kind: type[T]) -> T:
        """The part of this type. Raises LookupError when wiring made none."""
        for part in self._parts.values():
            if isinstance(part, kind):
                return part
        message = f"Nothing of type {kind.__name__} is wired"
        raise LookupError(message)


def services() -> Services:
    """The parts of the application that answers this request."""
    return cast("Services", current_app.extensions["countersign"])


def settings() -> Settings:
    """The settings of the application that answers this request."""
    return services().get(Settings)


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work for a view that changes something."""
    with services().get(Database).transaction() as session:
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """A session for a view that only shows."""
    with services().get(Database).reading() as session:
        yield session


def render(template: str, status: int = 200, **context: Any) -> Response:
    """The template as a response; `page` (who is signed in, navigation, messages) is added by portal.web."""
    response = make_response(render_template(template, **context), status)
    response.headers.setdefault("Content-Type", "text/html; charset=utf-8")
    return response


def fragment(template: str, status: int = 200, **context: Any) -> Response:
    """A part of a page as a response. It knows of nobody signed in and so asks the database for nothing more."""
    text = current_app.jinja_env.get_template(template).render(**context)
    return Response(text, status, content_type="text/html; charset=utf-8")


def takes(*names: str) -> Callable[[View], View]:
    """The view's form has these fields and no others. Raises PortalError for a form that holds more."""
    known = frozenset((*names, "csrf_token"))

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not known.issuperset(request.form):
                raise PortalError(
                    _(
                        "This form holds something that the page does not ask for. Reload the page and try again."
                    )
                )
            return view(*args, **kwargs)

        return cast("View", guarded)

    return decorate


def file_response(content: bytes, *, name: str, media_type: str) -> Response:
    """Bytes to be saved, never rendered inline. `name` is ours, not the user's."""
    response = make_response(content)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
