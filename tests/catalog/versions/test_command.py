"""`countersign offerings replay`: the result on the terminal or as JSON, and errors in a sentence."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from approvals.routing.cli import replay
from portal.core.migrate import upgrade
from tests.catalog.offerings.conftest import SMALL


@pytest.fixture
def run(settings, monkeypatch, tmp_path):
    """Runs the command on a migrated, empty database."""
    upgrade(settings)
    monkeypatch.setenv("COUNTERSIGN_HOME", str(settings.home))
    monkeypatch.setenv("DATABASE_URL", settings.database_url)

    def command(text, *options):
        file = tmp_path / "draft.yaml"
        file.write_text(text, encoding="utf-8")
        return CliRunner().invoke(replay, [str(file), *options])

    return command


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command_says_what_it_found_or_prints_it_as_json(run):
    shown = run(SMALL)
    assert shown.exit_code == 0, shown.output
    assert "no version yet" in " ".join(shown.output.split())
    assert "What could not be worked out again" in shown.output
    found = json.loads(run(SMALL, "--json", "--since", "2026-01-01", "--limit", "5").stdout)
    assert (found["slug"], found["requests"], found["limit"]) == ("small-thing", 0, 5)
    assert found["since"].startswith("2026-01-01")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_broken_file_and_an_unknown_publisher_are_told(run):
    broken = run(SMALL.replace("owner:", "onwer:"))
    assert broken.exit_code == 1
    assert ":6:1: " in str(broken.exception)
    unknown = run(SMALL, "--as", "nobody.at.all")
    assert "Nobody active is called" in str(unknown.exception)
