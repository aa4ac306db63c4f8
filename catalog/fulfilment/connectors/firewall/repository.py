"""The git repository that the firewall policy lives in, made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from catalog.fulfilment.connectors.firewall import worktree
from catalog.fulfilment.connectors.firewall.outputs import DEFAULT, render_all
from catalog.fulfilment.connectors.firewall.policy import (
    BASELINE_PATH,
    ZONES_PATH,
    baseline_file,
    zones_file,
)
from catalog.fulfilment.connectors.firewall.rules import Rule, Zone
from portal.core import git_branch as git

_README = b"""# Firewall policy

Countersign writes here: one commit for each change, with the request's reference. `policy/` is what is meant,
`rendered/` follows from it. What others push is read before the next change; what is not committed is lost.
"""


def create_repository(
    path: Path,
    *,
    zones: Mapping[str, Zone],
    baseline: Mapping[str, Rule] | None = None,
    outputs: Sequence[str] = DEFAULT,
) -> None:
    """Make the policy's repository with its first commit, unless it is there already; safe to run again.

    A repository that has a commit keeps its zones, whatever is given here. Raises GitError, and BusyError when
    another process holds it for too long.
    """
    path.mkdir(parents=True, exist_ok=True)
    with worktree.hold(path):
        git.git(path, "init", "--quiet", "--template=")
        git.git(path, "symbolic-ref", "HEAD", git.BRANCH)
        # A push goes to the branch; the work tree only shows it and follows with the next change.
        git.git(path, "config", "receive.denyCurrentBranch", "ignore")
        git.git(path, "config", "receive.denyNonFastForwards", "true")
        git.git(path, "config", "receive.denyDeletes", "true")
    with worktree.exclusive(path) as index:
        if not git.current(path):
            rules = dict(baseline or {})
            files: dict[str, bytes | None] = {
                "README.md": _README,
                ZONES_PATH: zones_file(zones),
                BASELINE_PATH: baseline_file(rules),
                **render_all(zones, rules.values(), outputs),
            }
            commit = git.write_commit(path, None, files, "Start the firewall policy\n", index)
            git.advance(path, commit, None)
        worktree.show(path)
