"""What views need of Flask: the unit of work, the parts that wiring made, and rendering.

Only views, forms and the web room import this; services never see a web request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from flask import Response, current_app, make_response, render_template
from sqlalchemy.orm import Session

from portal.core.database import Database
from portal.core.settings import Settings

T = TypeVar("T")


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


def file_response(content: bytes, *, name: str, media_type: str) -> Response:
    """Bytes to be saved, never rendered inline. `name` is ours, not the user's."""
    response = make_response(content)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
