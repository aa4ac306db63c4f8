"""The repository of playbooks, read at one commit and nowhere else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from portal.core.canonical import digest
from portal.core.git import Entry, GitError, git, has_commit, read_entries

_LINK = "120000"
_ADDRESS = re.compile(r"[a-z+]+://|[^/]+@[^/]+:")
_TRANSPORTS = {"GIT_ALLOW_PROTOCOL": "file:ssh:https"}


class NoSuchPlaybook(Exception):
    """The commit, or the file in it, does not exist; the message is what is missing."""


@dataclass(frozen=True, slots=True)
class Tree:
    """All files of one commit, by path. `digest` is over every path, mode and content, whatever git's own hash is."""

    commit: str
    entries: Mapping[str, Entry]
    digest: str

    def digest_of(self, path: str) -> str:
        """SHA-256 of one file. Raises NoSuchPlaybook."""
        entry = self.entries.get(path)
        if entry is None or entry.mode == _LINK:
            raise NoSuchPlaybook(path)
        return "sha256:" + hashlib.sha256(entry.content).hexdigest()

    def unpack(self, folder: Path) -> None:
        """Write all files into the folder. A link that leads out of it is left away."""
        for path, entry in self.entries.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if entry.mode != _LINK:
                target.write_bytes(entry.content)
                target.chmod(0o755 if entry.mode == "100755" else 0o644)
        for path, entry in self.entries.items():
            link = folder / path
            if entry.mode == _LINK and (link.parent / entry.content.decode()).resolve().is_relative_to(
                folder.resolve()
            ):
                link.symlink_to(entry.content.decode())


@dataclass(frozen=True, slots=True)
class Playbooks:
    """A repository on this machine, or an address that is mirrored into `mirror` when a commit is not there yet."""

    address: str
    mirror: Path

    def at(self, commit: str) -> Tree:
        """The files of this commit. Raises NoSuchPlaybook, GitError."""
        repository = self._repository()
        if not has_commit(repository, commit) and repository == self.mirror:
            git(
                repository, "fetch", "--quiet", "--no-tags", self.address, "+refs/heads/*:refs/heads/*",
                environment=_TRANSPORTS,
            )  # fmt: skip
        if not has_commit(repository, commit):
            raise NoSuchPlaybook(commit)
        return _tree(repository, commit)

    def newest(self) -> Tree:
        """The files as the branch of the repository has them now. Raises GitError."""
        repository = self._repository()
        if repository == self.mirror:
            git(
                repository, "fetch", "--quiet", "--no-tags", self.address, "+HEAD:refs/heads/newest",
                environment=_TRANSPORTS,
            )  # fmt: skip
        name = "refs/heads/newest" if repository == self.mirror else "HEAD"
        return _tree(
            repository, git(repository, "rev-parse", "--verify", f"{name}^{{commit}}").decode().strip()
        )

    def _repository(self) -> Path:
        if not _ADDRESS.match(self.address):
            if not Path(self.address).is_dir():
                raise GitError(f"{self.address} is not there")
            return Path(self.address)
        if not (self.mirror / "HEAD").exists():
            self.mirror.mkdir(parents=True, exist_ok=True, mode=0o700)
            git(self.mirror, "init", "--quiet", "--bare", "--template=")
        return self.mirror

    def ask(self) -> None:
        """Raises GitError when there is no repository to read."""
        git(self._repository(), "rev-parse", "--git-dir")


@lru_cache(maxsize=4)
def _tree(repository: Path, commit: str) -> Tree:
    """A commit never changes, so what it holds is read once."""
    entries = read_entries(repository, commit)
    listed = [
        [path, entry.mode, hashlib.sha256(entry.content).hexdigest()]
        for path, entry in sorted(entries.items())
    ]
    return Tree(commit, entries, digest(listed))
