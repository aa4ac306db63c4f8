"""git: run without a shell and without anybody's configuration, hooks or editor."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 30.0
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


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a commit: git's mode (100644, 100755, or 120000 for a link) and its content."""

    mode: str
    content: bytes


def git(
    repository: Path,
    *arguments: str,
    content: bytes = b"",
    index: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What the command prints. Raises GitError when it fails or takes longer than `TIMEOUT` seconds."""
    command = ["git", "-C", str(repository)]
    for name, value in _SETTINGS:
        command += ["-c", f"{name}={value}"]
    variables = _environment() | dict(environment or {})
    if index is not None:
        variables["GIT_INDEX_FILE"] = str(index)
    try:
        done = subprocess.run(
            [*command, *arguments],
            input=content,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            env=variables,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} did not end within {TIMEOUT:.0f} s") from error
    except OSError as error:
        raise GitError(f"git could not be started: {error.strerror}") from error
    if done.returncode != 0:
        words = (done.stderr + done.stdout).decode(errors="replace").strip()[:1_000]
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


def has_commit(repository: Path, commit: str) -> bool:
    """Whether the repository holds this commit."""
    try:
        git(repository, "cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True


def read_entries(repository: Path, commit: str, *folders: str) -> dict[str, Entry]:
    """Every file and link under these paths, or all, as the commit has them, by path. Submodules are left out."""
    listing = git(repository, "ls-tree", "-r", "-z", commit, "--", *folders).decode()
    found = [(path, mode, name) for path, mode, kind, name in _listed(listing) if kind == "blob"]
    if not found:
        return {}
    answers = git(
        repository, "cat-file", "--batch", content="".join(f"{name}\n" for _, _, name in found).encode()
    )
    entries: dict[str, Entry] = {}
    start = 0
    for path, mode, _ in found:
        end = answers.index(b"\n", start)
        length = int(answers[start:end].split(b" ")[2])
        entries[path] = Entry(mode, answers[end + 1 : end + 1 + length])
        start = end + 1 + length + 1
    return entries


def _listed(listing: str) -> Iterator[tuple[str, str, str, str]]:
    for line in filter(None, listing.split("\0")):
        fields, _, path = line.partition("\t")
        mode, kind, name = fields.split(" ")
        yield path, mode, kind, name
