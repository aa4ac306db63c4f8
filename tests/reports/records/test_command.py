"""`countersign audit verify`: the ledger, then all that stands beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from portal.audit.checkpoint import checkpoint
from portal.cli import cli
from portal.core.migrate import upgrade
from portal.core.settings import Settings
from portal.identity.model import Person
from portal.wiring import Portal, build
from tests.fixtures_people import add_cast


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """A portal whose command line finds it by its environment."""
    monkeypatch.setenv("COUNTERSIGN_HOME", str(tmp_path / "home"))
    settings = Settings.from_environment()
    settings.home.mkdir()
    upgrade(settings)
    made = build(settings)
    with made.db.transaction() as session:
        add_cast(session)
    checkpoint(made.db, made.signer)
    return made


def test_the_command_names_the_first_row_that_does_not_fit(portal: Portal) -> None:
    runner = CliRunner()
    good = runner.invoke(cli, ["audit", "verify"])
    assert good.exit_code == 0, good.output
    assert "What is kept beside them is what they tell." in good.output
    with portal.db.reading() as session:
        person = session.scalars(select(Person.id).where(Person.subject == "s-manager")).one()
    with portal.db.engine.begin() as connection:
        connection.execute(text("UPDATE person SET manager_id = NULL WHERE subject = 's-manager'"))
    bad = runner.invoke(cli, ["audit", "verify"])
    assert bad.exit_code == 1
    said = " ".join(bad.output.split())
    assert (
        f"Person {person} was changed past the portal: it is not what entry 1 (records:kept, records) sealed."
        in said
    )
    portal.db.dispose()
