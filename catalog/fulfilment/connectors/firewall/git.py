"""git's plumbing, run without a shell and without anybody's configuration, hooks or editor."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

TIMEOUT = 30.0
BRANCH = "refs/heads/main"
NOTHING = "0" * 40
_NAME = "Countersign"
_MAIL = "countersign@localhost"
# The repository's own configuration could still name programs; these are the ones that the plumbing would run.
_SETTINGS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.autocrlf", "false"),
    ("core.quotePath", "false"),
    ("core.fsync", "committed,reference"),
    ("gc.auto", "0"),
)


class GitError(Exception):
    """git refused or did not answer; the message is in its words."""


def git(repository: Path, *arguments: str, content: bytes = b"", index: Path | None = None) -> bytes:
    """What the command prints. Raises GitError when it fails or takes longer than `TIMEOUT` seconds."""
    command = ["git", "-C", str(repository)]
    for name, value in _SETTINGS:
        command += ["-c", f"{name}={value}"]
    environment = _environment()
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    try:
        done = subprocess.run(
            [*command, *arguments],
            input=content,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} did not end within {TIMEOUT:.0f} s") from error
    except OSError as error:
        raise GitError(f"git could not be started: {error.strerror}") from error
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip()[:1_000]
        raise GitError(f"git {arguments[0]}: {words or f'status {done.returncode}'}")
    return done.stdout


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_AUTHOR_NAME": _NAME,
        "GIT_AUTHOR_EMAIL": _MAIL,
        "GIT_COMMITTER_NAME": _NAME,
        "GIT_COMMITTER_EMAIL": _MAIL,
    }


def head(repository: Path) -> str:
    """The commit that the policy stands at. Raises GitError when there is none."""
    return git(repository, "rev-parse", "--verify", "--quiet", f"{BRANCH}^{{commit}}").decode().strip()


def read_files(repository: Path, commit: str, *folders: str) -> dict[str, bytes]:
    """Every file under these paths as it stands in the commit, by path. Only plain files count."""
    listing = git(repository, "ls-tree", "-r", "-z", commit, "--", *folders).decode()
    entries = []
    for line in filter(None, listing.split("\0")):
        fields, _, path = line.partition("\t")
        mode, kind, name = fields.split(" ")
        if kind == "blob" and mode == "100644":
            entries.append((path, name))
    if not entries:
        return {}
    answers = git(
        repository, "cat-file", "--batch", content="".join(f"{name}\n" for _, name in entries).encode()
    )
    files: dict[str, bytes] = {}
    start = 0
    for path, _ in entries:
        end = answers.index(b"\n", start)
        length = int(answers[start:end].split(b" ")[2])
        files[path] = answers[end + 1 : end + 1 + length]
        start = end + 1 + length + 1
    return files


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
    """The commit that the policy stands at, or an empty text when there is none."""
    try:
        return head(repository)
    except GitError:
        return ""
