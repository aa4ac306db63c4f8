"""One change of the policy: one commit, made once, or nothing.

Objects are written first and nothing points at them; then the branch moves from the commit that was read to the
new one in a single step, and only if nobody moved it meanwhile. A kill at any instruction therefore leaves the
old policy or the new one, and the work tree is never read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from catalog.fulfilment.connectors.firewall import git, nft, worktree
from catalog.fulfilment.connectors.firewall.policy import Policy, read_policy
from catalog.fulfilment.connectors.firewall.render import NFTABLES_PATH
from portal.core.language import say

Operation = Literal["apply", "revert"]
Step = Callable[[str], None]
_TRIES = 5
_KEY = re.compile(r"[!-~]{1,200}")


class ChangeError(Exception):
    """The change was refused; nothing was done, and trying again cannot help. `message` says why, for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ContendedError(Exception):
    """Others kept moving the branch; nothing was done, and trying again may help."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The policy as one commit has it, with the nftables file that was rendered from it."""

    commit: str
    policy: Policy
    files: Mapping[str, bytes]

    @property
    def nftables(self) -> str:
        """The rendered nftables file."""
        return self.files.get(NFTABLES_PATH, b"").decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Files to write by path (None takes one away), and the rules that leave the rendering as their time is over."""

    files: Mapping[str, bytes | None]
    ended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What one request does: the subject for people, and what follows from the policy as read.

    `prepare` gets each snapshot that the change is tried on; None says that there is nothing to do.
    """

    reference: str
    subject: str
    operation: Operation
    effect: str
    prepare: Callable[[Snapshot], Prepared | None]


@dataclass(frozen=True, slots=True)
class Done:
    """The commit that carries the change, or None when there was nothing to do; and what nft said."""

    commit: str | None
    verdict: nft.Verdict | None = None


def read(repository: Path) -> Snapshot:
    """The policy at the branch's head. Raises GitError, PolicyError."""
    return _at(repository, git.head(repository))


@lru_cache(maxsize=4)
def _at(repository: Path, commit: str) -> Snapshot:
    """A commit never changes, so what it holds is read once."""
    files = git.read_files(repository, commit, "policy", "rendered")
    return Snapshot(
        commit, read_policy({path: files[path] for path in files if path.startswith("policy/")}), files
    )


def change(repository: Path, wanted: Change, key: str, *, on_step: Step, tools: str, patience: float) -> Done:
    """Make the change as one commit, unless a commit with this key and operation is there already.

    `on_step` is told the name of each step that was just done; tests stop the process there. `tools` is where nft is
    looked for; `patience` is how many seconds to wait for another change. Raises ChangeError,
    ContendedError, BusyError, GitError, PolicyError.
    """
    if not _KEY.fullmatch(key):
        raise ChangeError(say("The change has no usable key."))
    with worktree.exclusive(repository, patience) as index:
        on_step("locked")
        for _ in range(_TRIES):
            snapshot = read(repository)
            earlier = find_by_key(repository, snapshot.commit, key, wanted.operation)
            if earlier is not None:
                worktree.show(repository)
                return Done(earlier)
            on_step("read")
            prepared = wanted.prepare(snapshot)
            if prepared is None:
                return Done(None)
            on_step("rendered")
            verdict = nft.check(prepared.files[NFTABLES_PATH] or b"", tools)
            if verdict.answer == "refused":
                raise ChangeError(say("nft refuses the rendered policy: %(words)s", words=verdict.words))
            on_step("checked")
            message = _message(wanted, key, prepared.ended)
            commit = git.write_commit(repository, snapshot.commit, prepared.files, message, index)
            on_step("written")
            if git.advance(repository, commit, snapshot.commit):
                on_step("advanced")
                worktree.show(repository)
                on_step("shown")
                return Done(commit, verdict)
    raise ContendedError


def _message(wanted: Change, key: str, ended: tuple[str, ...]) -> str:
    return (
        f"{wanted.reference}: {wanted.subject}\n\n"
        f"Request: {wanted.reference}\n"
        f"Operation: {wanted.operation}\n"
        f"Idempotency-Key: {key}\n"
        f"Effect: {wanted.effect}\n"
    ) + "".join(f"Ended: {reference}\n" for reference in ended)


def find_by_key(repository: Path, commit: str, key: str, operation: Operation) -> str | None:
    """The commit in this history that carries the key for the operation."""
    trailers = "".join(
        f"%x00%(trailers:key={name},valueonly,separator=%x01)" for name in ("Idempotency-Key", "Operation")
    )
    listing = git.git(
        repository,
        "log",
        f"--format=%H{trailers}%x02",
        "--fixed-strings",
        f"--grep=Idempotency-Key: {key}",
        commit,
        "--",
    ).decode(errors="replace")
    for entry in listing.split("\x02"):
        name, _, rest = entry.strip("\n").partition("\0")
        if rest == f"{key}\0{operation}":
            return name
    return None


def last_touching(repository: Path, commit: str, path: str) -> str | None:
    """The last commit in this history that changed the file."""
    return git.git(repository, "log", "-1", "--format=%H", commit, "--", path).decode().strip() or None


def last_text(repository: Path, commit: str, path: str) -> bytes | None:
    """The file as it last stood in this history, even when it was taken away since."""
    listing = git.git(repository, "log", "--format=%H", "--diff-filter=AM", "-1", commit, "--", path)
    name = listing.decode().strip()
    return git.read_files(repository, name, path).get(path) if name else None


def facts_of(repository: Path, commit: str) -> dict[str, Any]:
    """What a commit says of itself: its name, when it was made, which files it changed."""
    when = git.git(repository, "show", "--no-patch", "--format=%cI", commit, "--").decode().strip()
    names = git.git(repository, "diff-tree", "--no-commit-id", "--name-only", "-r", "-z", "--root", commit)
    return {
        "commit": commit,
        "committed_at": when,
        "files": [name for name in names.decode().split("\0") if name],
    }


def diff_of(repository: Path, commit: str) -> bytes:
    """The commit as a unified diff."""
    return git.git(
        repository, "diff-tree", "-p", "--root", "--no-commit-id", "--no-ext-diff", "--no-textconv", "--no-color",
        commit,
    )  # fmt: skip
