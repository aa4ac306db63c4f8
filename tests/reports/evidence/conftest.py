"""Rendering is proved in tests/reports/pdf; here what was laid out once is not laid out again."""

from __future__ import annotations

import subprocess
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest

from reports.pdf import render

#: So many documents are kept: those of one test and its verification.
MOST = 8
_LAID_OUT: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


def _run(command: list[str], *, input: bytes, **settings: Any) -> Any:  # noqa: A002  (as subprocess names it)
    key = (*command, input)
    if key not in _LAID_OUT:
        _LAID_OUT[key] = subprocess.run(command, input=input, **settings)  # noqa: PLW1510  (it is among the settings)
        while len(_LAID_OUT) > MOST:
            _LAID_OUT.popitem(last=False)
    return _LAID_OUT[key]


@pytest.fixture(autouse=True)
def _laid_out_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier lays a document out again, which takes as long as making it. `rendered_anew` has it done."""
    if "rendered_anew" not in request.fixturenames:
        known = SimpleNamespace(run=_run, TimeoutExpired=subprocess.TimeoutExpired)
        monkeypatch.setattr(render, "subprocess", known)


@pytest.fixture
def rendered_anew() -> None:
    """For a test in which two renderings must agree."""
