"""Every test's ground: real servers on loopback, no other network, warnings as errors."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from portal.core.language import SOURCE, speak

# Programs that tests start are compiled once and not by each process, also where the environment wants no files of it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_HERE = Path(__file__).parent

# Each part of the product brings its fixtures in a file of this name; all of them serve every test.
pytest_plugins = [f"tests.{path.stem}" for path in sorted(_HERE.glob("fixtures_*.py"))]
# One of them may import another before pytest gets to it.
pytest.register_assert_rewrite(*pytest_plugins)

# What decides whether a change may land gives the same answer each time; HYPOTHESIS_PROFILE=explore looks further.
settings.register_profile(
    "ci", deadline=None, max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "explore",
    deadline=None,
    max_examples=1_000,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings never reach a test."""
    for name in ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "COUNTERSIGN_HOME", "COUNTERSIGN_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    speak(SOURCE)  # what the last test's reader read


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `on_sqlite` is not run a second time on PostgreSQL, and what needs a whole portal comes first.

    Several processes each begin with a part of the tests, and take over from the end of another's when theirs are done:
    so the portal and the browser, which take longest to start, are started by as few as can be.
    """
    items.sort(key=lambda item: [name not in item.fixturenames for name in ("house", "chromium")])  # type: ignore[attr-defined]
    left_out = [item for item in items if item.get_closest_marker("on_sqlite") and _is_on_postgresql(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_on_postgresql(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("database_url") == "postgresql"
