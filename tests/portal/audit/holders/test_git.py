"""Checkpoints in a real bare repository: each push is on top of what is there, and nothing is overwritten."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from portal.audit.holders import tags
from portal.audit.holders.git_holder import GitHolder
from portal.audit.holders.hand_over import hand_to
from portal.audit.holders.model import HolderState
from portal.core.git_remote import Remote
from tests.portal.audit.holders.ledger import Ledger

pytestmark = pytest.mark.on_sqlite


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@meridian.example"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    path = tmp_path / "held.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(path))
    return path


@pytest.fixture
def holder(bare: Path, tmp_path: Path) -> GitHolder:
    return GitHolder(Remote(str(bare)), tmp_path / "objects")


def subjects(bare: Path) -> list[str]:
    return git(bare, "log", "--format=%s", "main").splitlines()


def push_readme(bare: Path, tmp_path: Path, *arguments: str) -> None:
    """Somebody else commits to the repository."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(bare), str(clone))
    (clone / "README.md").write_text("Kept for the auditors.\n")
    git(clone, "add", "README.md")
    git(clone, "commit", "-q", *arguments, "-m", "Say what this is")
    git(clone, "push", "-q", "--force", "origin", "HEAD:main")


def test_each_hand_over_is_a_commit_with_the_note(ledger: Ledger, holder: GitHolder, bare: Path) -> None:
    first = ledger.grow(2)
    assert hand_to(ledger.db, holder)
    last = ledger.grow(3)
    assert hand_to(ledger.db, holder)
    assert hand_to(ledger.db, holder), "a second time changes nothing"
    assert subjects(bare) == [
        "Checkpoint of 5 entries of portal.test/ledger",
        "Checkpoint of 2 entries of portal.test/ledger",
    ]
    assert git(bare, "show", "main:latest.note") + "\n" == last.note
    assert git(bare, "show", "main:checkpoints/000000000002.note") + "\n" == first.note
    state = ledger.state(holder)
    assert (state.size, state.position, state.error) == (5, git(bare, "rev-parse", "main"), None)


def test_what_others_add_stays_and_a_lost_folder_is_fetched_again(
    ledger: Ledger, bare: Path, tmp_path: Path
) -> None:
    ledger.grow(1)
    assert hand_to(ledger.db, GitHolder(Remote(str(bare)), tmp_path / "objects"))
    push_readme(bare, tmp_path)
    ledger.grow(1)
    assert hand_to(ledger.db, GitHolder(Remote(str(bare)), tmp_path / "elsewhere"))
    assert [subject.split(" of ")[0] for subject in subjects(bare)] == [
        "Checkpoint",
        "Say what this is",
        "Checkpoint",
    ]
    assert git(bare, "show", "main:README.md") == "Kept for the auditors."


@pytest.mark.parametrize("entries", [2, 4, 6], ids=["a restored backup", "the same size", "grown on"])
def test_a_repository_that_holds_another_past_is_an_alarm_and_stays_as_it_is(
    ledger: Ledger, another_past: Ledger, holder: GitHolder, bare: Path, entries: int
) -> None:
    ledger.grow(4)
    assert hand_to(ledger.db, holder)
    tip = git(bare, "rev-parse", "main")
    another_past.grow(entries)
    assert not hand_to(another_past.db, holder)
    state = another_past.state(holder)
    assert state.contradicts_since is not None
    assert "holds a checkpoint of 4 entries" in (state.error or "")
    assert another_past.told(tags.CONTRADICTED) == 1
    assert git(bare, "rev-parse", "main") == tip


def test_a_history_that_was_written_anew_at_the_remote_is_an_alarm(
    ledger: Ledger, holder: GitHolder, bare: Path, tmp_path: Path
) -> None:
    ledger.grow(1)
    assert hand_to(ledger.db, holder)
    push_readme(bare, tmp_path, "--amend")
    tip = git(bare, "rev-parse", "main")
    ledger.grow(1)
    assert not hand_to(ledger.db, holder)
    assert "its history was written anew" in (ledger.state(holder).error or "")
    git(bare, "update-ref", "-d", "refs/heads/main")
    assert not hand_to(ledger.db, holder)
    assert "its history was written anew" in (ledger.state(holder).error or "")
    git(bare, "update-ref", "refs/heads/main", tip)
    assert ledger.told(tags.CONTRADICTED) == 1


def test_a_repository_that_is_away_or_refuses_is_no_alarm_and_tells_no_token(
    ledger: Ledger, holder: GitHolder, bare: Path, tmp_path: Path
) -> None:
    ledger.grow(1)
    secret = GitHolder(Remote(f"file://user:t0ken@localhost{tmp_path}/nowhere.git"), tmp_path / "objects")
    assert not hand_to(ledger.db, secret)
    state: HolderState = ledger.state(secret)
    assert state.error and "t0ken" not in state.error and "t0ken" not in secret.name
    assert state.contradicts_since is None
    hook = bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert not hand_to(ledger.db, holder)
    assert "refuses the push" in (ledger.state(holder).error or "")
    hook.unlink()
    assert hand_to(ledger.db, holder)
    assert ledger.state(holder).size == 1
