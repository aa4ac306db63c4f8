"""The one branch of a repository that the portal writes to: reading it, adding a commit, and moving it in one step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from portal.core.git import GitError, git, has_commit, read_entries

__all__ = ["GitError", "git", "has_commit"]

BRANCH = "refs/heads/main"
NOTHING = "0" * 40


def head(repository: Path) -> str:
    """The commit that the branch stands at. Raises GitError when there is none."""
    return git(repository, "rev-parse", "--verify", "--quiet", f"{BRANCH}^{{commit}}").decode().strip()


def read_files(repository: Path, commit: str, *folders: str) -> dict[str, bytes]:
    """Every file under these paths as it stands in the commit, by path. Only plain files count."""
    entries = read_entries(repository, commit, *folders)
    return {path: entry.content for path, entry in entries.items() if entry.mode == "100644"}


def write_commit(
    repository: Path, parent: str | None, files: Mapping[str, bytes | None], message: str, index: Path
) -> str:
    """A new commit on the parent with these files (None takes one away). Nothing points at it yet."""
    index.unlink(missing_ok=True)
    if parent is not None:
        git(repository, "read-tree", parent, index=index)
    lines = []
    for path, content in files.items():
        if content is None:
            lines.append(f"0 {NOTHING}\t{path}\0")
        else:
            name = (
                git(repository, "hash-object", "-w", "--no-filters", "--stdin", content=content)
                .decode()
                .strip()
            )
            lines.append(f"100644 {name}\t{path}\0")
    git(repository, "update-index", "-z", "--index-info", content="".join(lines).encode(), index=index)
    tree = git(repository, "write-tree", index=index).decode().strip()
    parents = [] if parent is None else ["-p", parent]
    return (
        git(repository, "commit-tree", tree, *parents, "-F", "-", content=message.encode()).decode().strip()
    )


def advance(repository: Path, new: str, old: str | None) -> bool:
    """Move the branch from `old` to `new` in one step; False when it no longer stands at `old`."""
    try:
        git(repository, "update-ref", "-m", "countersign", BRANCH, new, old or NOTHING)
    except GitError:
        if current(repository) == (old or ""):
            raise
        return False
    return True


def current(repository: Path) -> str:
    """The commit that the branch stands at, or an empty text when there is none."""
    try:
        return head(repository)
    except GitError:
        return ""


def is_ancestor(repository: Path, older: str, newer: str) -> bool:
    """Whether the newer commit has the older one in its history, or is it."""
    try:
        return git(repository, "merge-base", "--all", older, newer).decode().split() == [older]
    except GitError as error:
        if str(error).endswith("status 1"):  # nothing in common
            return False
        raise
