"""One change of the policy: one commit, made once, or nothing.

Objects are written first and nothing points at them; then the branch moves from the commit that was read to the
new one in a single step, and only if nobody moved it meanwhile. A kill at any instruction therefore leaves the
old policy or the new one, and the work tree is never read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from catalog.fulfilment.connectors.firewall import nft, remote, worktree
from catalog.fulfilment.connectors.firewall.kernel import KernelRefused
from catalog.fulfilment.connectors.firewall.place import Place, Snapshot, at, read
from catalog.fulfilment.connectors.firewall.render import NFTABLES_PATH
from portal.core import git_branch as git
from portal.core.language import say

Operation = Literal["apply", "revert", "take-back"]
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
class Prepared:
    """Files to write by path (None takes one away), and the rules that leave the rendering as their time is over."""

    files: Mapping[str, bytes | None]
    ended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What one request does: the subject for people, and what follows from the policy as read.

    `prepare` gets each snapshot that the change is tried on; None says that there is nothing to do. `undo` does the
    opposite.
    """

    reference: str
    subject: str
    operation: Operation
    effect: str
    prepare: Callable[[Snapshot], Prepared | None]
    undo: Callable[[Snapshot], Prepared | None] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The commit that carries the change, or None when there was nothing to do; and what nft said.

    `ended` is whether connections were ended that only a closed rule had let through; without a kernel nobody asked.
    """

    commit: str | None
    verdict: nft.Verdict | None = None
    ended: bool = True


def change(place: Place, wanted: Change, key: str, *, on_step: Step, tools: str, patience: float) -> Done:
    """Make the change as one commit, unless a commit with this key and operation is there already.

    With a remote the commit is pushed before the branch moves; with a kernel the rendered file is loaded after that.
    A policy that the kernel does not take is taken back by a commit of its own. `on_step` is told the name of each
    step that was just done; tests stop the process there. `tools` is where nft is looked for; `patience` is how many
    seconds to wait for another change. Raises ChangeError, ContendedError, BusyError, GitError, PolicyError, KernelAway.
    """
    if not _KEY.fullmatch(key):
        raise ChangeError(say("The change has no usable key."))
    with worktree.exclusive(place.repository, patience) as index:
        on_step("locked")
        done = _commit(place, wanted, key, index, on_step=on_step, tools=tools)
        if place.kernel is not None:
            try:
                done = replace(done, ended=load(place, read(place)))
            except ChangeError:
                _take_back(place, wanted, key, index, tools)
                raise
            on_step("loaded")
        return done


def load(place: Place, snapshot: Snapshot) -> bool:
    """Have the kernel, where there is one, hold what was rendered; whether open connections followed.

    Raises ChangeError, KernelAway.
    """
    if place.kernel is None:
        return True
    try:
        return place.kernel.load(snapshot.nftables)
    except KernelRefused as error:
        raise ChangeError(
            say("The running firewall did not take the policy: %(words)s", words=error)
        ) from error


def _commit(place: Place, wanted: Change, key: str, index: Path, *, on_step: Step, tools: str) -> Done:
    repository = place.repository
    for _ in range(_TRIES):
        base = git.head(repository) if place.remote is None else remote.settle(repository, place.remote)
        snapshot = at(repository, base)
        earlier = find_by_key(repository, snapshot.commit, key, wanted.operation)
        if earlier is not None:
            worktree.show(repository)
            return Done(earlier)
        on_step("read")
        prepared = wanted.prepare(snapshot)
        if prepared is None:
            return Done(None)
        on_step("rendered")
        verdict = _checked(place, prepared.files[NFTABLES_PATH] or b"", tools)
        on_step("checked")
        message = _message(wanted, key, prepared.ended)
        commit = git.write_commit(repository, snapshot.commit, prepared.files, message, index)
        on_step("written")
        if _settled(place, commit, snapshot.commit, on_step):
            on_step("advanced")
            worktree.show(repository)
            on_step("shown")
            return Done(commit, verdict)
    raise ContendedError


def _checked(place: Place, ruleset: bytes, tools: str) -> nft.Verdict:
    verdict = nft.check(ruleset, tools) if place.kernel is None else place.kernel.check(ruleset)
    if verdict.answer == "refused":
        raise ChangeError(say("nft refuses the rendered policy: %(words)s", words=verdict.words))
    return verdict


def _settled(place: Place, commit: str, old: str, on_step: Step) -> bool:
    """Whether the branch stands at the commit now, at the remote first; False when somebody was quicker."""
    if place.remote is None:
        return git.advance(place.repository, commit, old)
    try:
        if not remote.push(place.repository, place.remote, commit, old):
            return False
    except remote.RemoteRefused as error:
        raise ChangeError(say("The policy's remote refuses the change: %(words)s", words=error)) from error
    on_step("pushed")
    remote.follow(place.repository, commit)
    return True


def _take_back(place: Place, wanted: Change, key: str, index: Path, tools: str) -> None:
    """Undo the commit whose rules the kernel did not take, so that no later change brings them to life."""
    if wanted.undo is None:
        return
    back = replace(wanted, operation="take-back", subject=f"take back {wanted.subject}", prepare=wanted.undo)
    _commit(place, back, key, index, on_step=lambda _step: None, tools=tools)


def _message(wanted: Change, key: str, ended: tuple[str, ...]) -> str:
    return (
        f"{wanted.reference}: {wanted.subject}\n\n"
        f"Request: {wanted.reference}\n"
        f"Operation: {wanted.operation}\n"
        f"Idempotency-Key: {key}\n"
        f"Effect: {wanted.effect}\n"
    ) + "".join(f"Ended: {reference}\n" for reference in ended)


def find_by_key(repository: Path, commit: str, key: str, operation: Operation) -> str | None:
    """The commit in this history that carries the key for the operation, unless it was taken back since."""
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
        if rest == f"{key}\0take-back":
            return None
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
