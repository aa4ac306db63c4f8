"""The campaigns of tests/catalog/access_reviews, and the bench on which results are made; nothing is laid out twice."""

from __future__ import annotations

from typing import Any

import pytest

from portal.audit.checkpoint import Signer
from reports.evidence.make import Workbench
from tests.catalog.access_reviews.conftest import campaigns
from tests.reports.evidence.conftest import _laid_out_once, renderers

__all__ = ["_laid_out_once", "campaigns", "renderers"]


@pytest.fixture
def bench(campaigns: Any) -> Workbench:
    """What making a result needs."""
    settings = campaigns.shelves.settings
    return Workbench(campaigns.shelves.db, settings, Signer.from_settings(settings))
