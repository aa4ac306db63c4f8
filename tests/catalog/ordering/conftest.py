"""The whole portal with an offering that takes several people, and ways to fill the past."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from catalog.ordering.pace import refresh_paces
from catalog.requests.promise import mark_missed_promises
from portal.jobs import enqueue
from tests.catalog.requests.conftest import web
from tests.fixtures_requests import OFFERING, add_offering

__all__ = ["web"]


@pytest.fixture
def several() -> dict[str, Any]:
    """The offering of words, for several people at once, without a word twice for the same person."""
    content = copy.deepcopy(OFFERING)
    person = content["form"]["sections"][0]["fields"][0]
    person["several"] = True
    content["duplicates"] = ["word"]
    content["title"] = "'Word ' + answers.word + ' for ' + beneficiary.name"
    return content


@pytest.fixture
def offer(shelves: Any) -> Callable[..., int]:
    """Publishes a document as the next version of its offering."""

    def make(content: dict[str, Any]) -> int:
        with shelves.db.transaction() as session:
            version_id = add_offering(session, content)
        shelves.version_id = version_id
        return version_id

    return make


@pytest.fixture
def run(shelves: Any) -> Callable[[str], None]:
    """Runs one of the periodic tasks now."""

    def once(kind: str) -> None:
        with shelves.db.transaction() as session:
            enqueue(session, kind, {})
        shelves.work(refresh_paces=refresh_paces, mark_missed_promises=mark_missed_promises)

    return once
