"""Rendering is proved in tests/reports/pdf; here what was laid out once is not laid out again."""

from __future__ import annotations

import subprocess
from collections import OrderedDict
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from reports.pdf import render
from tests.warm import Nursery, nursery

#: So many documents are kept: those of one test and its verification.
MOST = 8
_LAID_OUT: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


@pytest.fixture(scope="session")
def renderers() -> Iterator[Nursery]:
    """Most of a renderer's first second goes into imports, the same for each."""
    with nursery("reports.pdf.engine") as made:
        yield made


@pytest.fixture(autouse=True)
def _laid_out_once(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, renderers: Nursery
) -> None:
    """A verifier lays a document out again, which takes as long as making it. `rendered_anew` has it done."""
    if "rendered_anew" in request.fixturenames:
        return

    def run(
        command: list[str],
        *,
        input: bytes,  # noqa: A002  (as subprocess names it)
        env: dict[str, str],
        cwd: str,
        timeout: float,
        **_captured: bool,
    ) -> Any:
        key = (*command, input)
        if key not in _LAID_OUT:
            _python, _isolated, _by_name, module, *arguments = command
            _LAID_OUT[key] = renderers.run(module, arguments, input=input, env=env, cwd=cwd, timeout=timeout)
            while len(_LAID_OUT) > MOST:
                _LAID_OUT.popitem(last=False)
        return _LAID_OUT[key]

    monkeypatch.setattr(
        render, "subprocess", SimpleNamespace(run=run, TimeoutExpired=subprocess.TimeoutExpired)
    )


@pytest.fixture
def rendered_anew() -> None:
    """For a test in which two renderings must agree."""
