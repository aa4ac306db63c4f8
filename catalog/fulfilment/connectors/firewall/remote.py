"""The policy's remote: the copy that others pull from. A change is done once the remote has it, and never before.

The commit is pushed before the branch here moves, so the branch never holds what the remote does not know, and a push
that comes too late is refused by git itself: the change is then planned again on what the remote has. Nothing is
ever forced; a remote whose history was rewritten is an error for the operators.
"""

from __future__ import annotations

from pathlib import Path

from portal.core import git_branch as git
from portal.core.git import GitError
from portal.core.git_remote import Remote, RemoteRefused, head, push

__all__ = ["DivergedError", "Remote", "RemoteRefused", "follow", "head", "push", "settle"]


class DivergedError(GitError):
    """Here and at the remote the histories went different ways; people have to join them."""


def follow(repository: Path, commit: str) -> None:
    """Move the branch here to where the remote's stands. Raises DivergedError when that would lose commits."""
    for _ in range(3):
        here = git.current(repository)
        if here == commit or (here and git.is_ancestor(repository, commit, here)):
            return
        if here and not git.is_ancestor(repository, here, commit):
            raise DivergedError(
                f"the policy here ({here[:12]}) and at its remote ({commit[:12]}) went different ways; "
                "join them by hand, nothing is overwritten"
            )
        if git.advance(repository, commit, here or None):
            return


def settle(repository: Path, remote: Remote) -> str:
    """The commit that a change starts from: the remote's, after both have what either had. Raises GitError.

    What only stands here (the remote is new, or somebody committed here) is pushed, as it is.
    """
    there, here = head(repository, remote), git.current(repository)
    if here and here != there and (not there or git.is_ancestor(repository, there, here)):
        if not push(repository, remote, here, there):
            raise GitError("the remote moved while it was brought up to date")
        return here
    if there:
        follow(repository, there)
    return there
