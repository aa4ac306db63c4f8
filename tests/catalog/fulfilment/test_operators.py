"""What operators read of a task."""

from __future__ import annotations

import pytest

from catalog.fulfilment.operators import what_of
from portal.wiring import job_handlers
from tests.catalog.requests.conftest import web

__all__ = ["web"]


@pytest.mark.on_sqlite
def test_every_kind_of_task_has_words(web) -> None:
    kinds = set(job_handlers(web.portal))
    assert len(kinds) > 30
    assert [kind for kind in kinds if what_of(kind) == kind] == []
