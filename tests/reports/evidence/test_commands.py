"""The commands `evidence` and `verify`, run as anybody would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.core.migrate import head, upgrade
from portal.core.settings import Settings
from reports.evidence.verify import Trusted, verify_file
from tests.reports.conftest import EvidenceWorld, Genuine
from tests.warm import Nursery, nursery

#: No settings, no home, no database: what an auditor's machine has.
BARE = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "COLUMNS": "200"}


def countersign(
    *arguments: str, env: dict[str, str] | None = None, cwd: Path
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "portal.cli", *arguments]
    return subprocess.run(command, env=env or BARE, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def countersigns() -> Iterator[Nursery]:
    """The first test of each command runs it from its first import; the others begin after its imports."""
    with nursery("portal.cli", "reports.evidence.verify") as made:
        yield made


@pytest.fixture
def again(countersigns: Nursery, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command once more, in the test's folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        said = countersigns.run("portal.cli", list(arguments), env=BARE, cwd=tmp_path)
        return subprocess.CompletedProcess(
            said.args, said.returncode, said.stdout.decode(), said.stderr.decode()
        )

    return run


@pytest.fixture
def file(tmp_path: Path, genuine: Genuine) -> Path:
    path = tmp_path / "SR-000001.pdf"
    path.write_bytes(genuine.content)
    return path


def test_verify_says_line_by_line_what_holds_and_ends_with_0(
    tmp_path: Path, file: Path, genuine: Genuine
) -> None:
    said = countersign("verify", str(file), "--key", genuine.verifier, cwd=tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert (
        said.stdout.count("✓")
        == len([line for line in said.stdout.splitlines() if line.startswith("✓")])
        > 15
    )
    assert "✗" not in said.stdout and "?" not in said.stdout
    assert (
        "SR-000001: What Milo Manager and Olga Owner approved on 18 November 2026 was carried out"
        in said.stdout
    )
    assert said.stdout.rstrip().endswith("Everything holds, and the ledger's key is the one that you gave.")
    assert list(tmp_path.iterdir()) == [file]


def test_verify_without_a_key_says_what_remains_unproved(again, file: Path) -> None:
    said = again("verify", str(file))
    assert said.returncode == 0
    assert "? Not proved until you compare it: whose ledger this is." in said.stdout
    assert "who signed it remains unproved" in said.stdout


def test_verify_ends_with_1_for_another_key_and_for_a_changed_file(again, file: Path) -> None:
    said = again("verify", str(file), "--key", "0" * 64)
    assert said.returncode == 1
    assert "✗ The file was not made with a key that you gave" in said.stdout
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    said = again("verify", str(file))
    assert said.returncode == 1
    assert "This file does not hold. Do not rely on it." in said.stdout
    assert "Traceback" not in said.stdout + said.stderr


def test_verify_speaks_json(again, file: Path, genuine: Genuine) -> None:
    said = again("verify", str(file), "--json", "--key", genuine.key.fingerprint)
    told = json.loads(said.stdout)
    assert said.returncode == 0
    assert told["holds"] is True
    assert told["proven"] is False
    assert {check["name"]: check["holds"] for check in told["checks"]}["given-certificate"] is True


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("verify", "missing.pdf"), "missing.pdf cannot be read: No such file or directory."),
        (("verify", "x.pdf", "--key", "nonsense"), "is no key"),
        (("verify", "x.pdf", "--key", "a+b+c"), "This is not a verifier key"),
        (("verify",), "Missing argument 'FILE'"),
    ],
)
def test_verify_says_in_one_sentence_what_it_was_not_given(
    again, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "x.pdf").write_bytes(b"")
    said = again(*arguments)
    assert said.returncode != 0
    assert sentence in said.stderr
    assert "Traceback" not in said.stderr


def test_evidence_says_that_there_is_no_such_request(tmp_path: Path) -> None:
    env = {**BARE, "COUNTERSIGN_HOME": str(tmp_path / "home")}
    upgrade(Settings.from_environment(env))
    said = countersign("evidence", "SR-000001", env=env, cwd=tmp_path)
    assert said.returncode == 1
    assert said.stderr.strip() == "There is no such request."


def test_evidence_saves_the_signed_file_and_writes_down_that_it_did(
    world: EvidenceWorld, settings: Settings, tmp_path: Path
) -> None:
    reference = world.fulfilled()
    with world.db.transaction() as session:
        session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        session.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head()})
    env = {
        **BARE,
        "COUNTERSIGN_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "OIDC_ISSUER": settings.oidc_issuer,
    }
    said = countersign("evidence", reference.lower(), "--output", "saved.pdf", env=env, cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("saved.pdf  sha256:")
    assert verify_file(tmp_path / "saved.pdf", trusted=Trusted.of([world.bench.signer.verifier])).proven
    assert world.tags(f"evidence:{reference}") == ["evidence:downloaded"]
