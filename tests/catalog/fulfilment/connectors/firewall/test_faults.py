"""Killed at any step, or raced: the old policy or the new one, and the change once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.firewall import worktree
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from tests.catalog.fulfilment.connectors.firewall.orders import allow, commits, git, shown

ROOT = Path(__file__).parents[5]
STEPS = ("locked", "read", "rendered", "checked", "written", "advanced", "shown")

WORKER = """
import os, signal, sys
from pathlib import Path
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from tests.catalog.fulfilment.connectors.firewall.orders import allow

repository, stop, *references = sys.argv[1:]

def on_step(step):
    if step == stop:
        os.kill(os.getpid(), signal.SIGKILL)

firewall = FirewallConnector(Path(repository), on_step=on_step)
for reference in references:
    plan = firewall.plan(allow(reference, ends_at=None))
    print("planned", flush=True)
    firewall.apply(plan, reference + "/1")
print("done")
"""


def _worker(repository: Path, stop: str, *references: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(repository), stop, *references],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_after_any_step_leaves_a_whole_policy_and_its_successor_finishes_once(
    firewall, repository, step
):
    before = git(repository, "rev-parse", "main")
    worker = _worker(repository, step, "SR-000123")
    _, errors = worker.communicate(timeout=60)
    assert worker.returncode == -signal.SIGKILL, errors
    after = git(repository, "rev-parse", "main")
    assert (after != before) == (step in {"advanced", "shown"})
    git(repository, "fsck", "--strict", "--no-dangling")
    plan = firewall.plan(allow(ends_at=None))
    assert plan.already_true == (after != before)
    outcome = firewall.apply(plan, "SR-000123/1")
    assert firewall.read_back(plan, "SR-000123/1").present
    assert commits(repository) == ["SR-000123: allow TCP 443 from office to dmz", "Start the firewall policy"]
    assert outcome.facts["commit"] == git(repository, "rev-parse", "main").strip()
    assert (repository / "rendered/edge.nft").read_text() == shown(repository, "rendered/edge.nft")
    assert git(repository, "status", "--porcelain") == ""


def test_a_process_group_killed_at_one_moment_after_another_never_breaks_the_policy(firewall, repository):
    """git itself is killed with the worker, so its lock files may stay; they are cleared once they are old."""
    references = [f"SR-{number:06d}" for number in range(100, 108)]
    for turn, reference in enumerate(references):
        worker = _worker(repository, "never", reference)
        assert worker.stdout.readline() == "planned\n"
        time.sleep(turn * 0.03)
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate(timeout=60)
        git(repository, "fsck", "--strict", "--no-dangling")
    old = time.time() - 60
    for lock in (repository / ".git").rglob("*.lock"):
        os.utime(lock, (old, old))
    for reference in references:
        plan = firewall.plan(allow(reference, ends_at=None))
        firewall.apply(plan, f"{reference}/1")
        assert firewall.read_back(plan, f"{reference}/1").present
    subjects = commits(repository)
    assert len(subjects) == 1 + len(references)
    assert sorted(subject[:9] for subject in subjects[:-1]) == references
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["index.lock", "refs/heads/main.lock"])
def test_a_lock_that_a_killed_git_left_behind_is_cleared_once_it_is_old(firewall, repository, name):
    lock = repository / ".git" / name
    lock.touch()
    plan = firewall.plan(allow())
    if name.startswith("refs"):
        with pytest.raises(ConnectorError, match="did not answer") as refusal:
            firewall.apply(plan, "k")
        assert not refusal.value.permanent
    old = time.time() - 2 * worktree.ABANDONED_AFTER
    os.utime(lock, (old, old))
    firewall.apply(plan, "k")
    assert firewall.read_back(plan, "k").present
    assert not lock.exists()
    assert git(repository, "status", "--porcelain") == ""


def test_two_processes_that_change_the_policy_at_once_both_land(firewall, repository):
    mine = [f"SR-{number:06d}" for number in range(100, 105)]
    theirs = [f"SR-{number:06d}" for number in range(200, 205)]
    workers = [_worker(repository, "never", *references) for references in (mine, theirs)]
    for worker in workers:
        output, errors = worker.communicate(timeout=120)
        assert output.endswith("done\n"), errors
    assert sorted(subject[:9] for subject in commits(repository)[:-1]) == mine + theirs
    rendered = shown(repository, "rendered/edge.nft")
    assert all(f'comment "{reference}"' in rendered for reference in mine + theirs)
    assert git(repository, "rev-list", "--count", "--merges", "main").strip() == "0"


def test_two_processes_with_one_key_make_one_commit(repository):
    workers = [_worker(repository, "never", "SR-000123") for _ in range(3)]
    for worker in workers:
        output, errors = worker.communicate(timeout=120)
        assert output.endswith("done\n"), errors
    assert len(commits(repository)) == 2


def test_a_change_that_waits_too_long_for_another_is_a_passing_error(repository, clock):
    firewall = FirewallConnector(repository, clock=clock, patience=0.1)
    plan = firewall.plan(allow())
    with worktree.exclusive(repository), pytest.raises(ConnectorError, match="has to wait") as refusal:
        firewall.apply(plan, "k")
    assert not refusal.value.permanent


def test_the_target_that_dies_after_acting_is_found_by_reading_back(repository, clock):
    class Cut(Exception):
        pass

    def on_step(step: str) -> None:
        if step == "advanced":
            raise Cut

    cut = FirewallConnector(repository, clock=clock, on_step=on_step)
    plan = cut.plan(allow())
    with pytest.raises(Cut):
        cut.apply(plan, "k")
    read = FirewallConnector(repository, clock=clock).read_back(plan, "k")
    assert read.present
    assert read.facts["commit"] == git(repository, "rev-parse", "main").strip()
