"""A remote of git: what its branch stands at, and giving it a commit. Nothing is ever forced."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.core import git_branch as git
from portal.core.git import GitError

#: Seconds until ssh gives a silent remote up.
CONNECT_SECONDS = 10
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NAME = "countersign"


class RemoteRefused(GitError):
    """The remote answered and will not have the commit, whoever tries again."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a branch is pushed to: an address that git understands (ssh, https or a folder).

    `key` is the file of an ssh key and `known_hosts` that of the hosts' keys; empty for the account's own. The address
    reaches git by its environment, so that a token in it stands in no command line of ours.
    """

    url: str
    key: str = ""
    known_hosts: str = ""

    def environment(self) -> Mapping[str, str]:
        """What git is told of this remote."""
        ssh = [
            "ssh", "-F", os.devnull, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
            "-o", f"ConnectTimeout={CONNECT_SECONDS}", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
        ]  # fmt: skip
        if self.known_hosts:
            ssh += ["-o", f"UserKnownHostsFile={self.known_hosts}"]
        if self.key:
            ssh += ["-o", "IdentitiesOnly=yes", "-i", self.key]
        return {
            "GIT_SSH_COMMAND": shlex.join(ssh),
            "GIT_ALLOW_PROTOCOL": "file:ssh:https",
            "GIT_CONFIG_COUNT": "3",
            "GIT_CONFIG_KEY_0": f"remote.{_NAME}.url",
            "GIT_CONFIG_VALUE_0": self.url,
            "GIT_CONFIG_KEY_1": "http.lowSpeedLimit",
            "GIT_CONFIG_VALUE_1": "1",
            "GIT_CONFIG_KEY_2": "http.lowSpeedTime",
            "GIT_CONFIG_VALUE_2": str(CONNECT_SECONDS),
        }


def head(repository: Path, remote: Remote) -> str:
    """The commit that the remote's branch stands at, fetched; empty where it has no such branch. Raises GitError.

    Nothing is pointed at it, so readers do not get in each other's way.
    """
    commit = _asked(repository, remote)
    if commit and not git.has_commit(repository, commit):
        _git(
            repository, remote,
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", _NAME, git.BRANCH,
        )  # fmt: skip
        if not git.has_commit(repository, commit):
            raise GitError("the remote took its last commit back while it was read")
    return commit


def push(repository: Path, remote: Remote, commit: str, old: str) -> bool:
    """Give the remote the commit, made on top of `old`; False when it stands elsewhere by now.

    Raises RemoteRefused when it stands there still and refuses, and GitError when it does not answer.
    """
    try:
        _git(repository, remote, "push", "--quiet", "--porcelain", _NAME, f"{commit}:{git.BRANCH}")
    except GitError as error:
        now = _asked(repository, remote)
        if now == commit:
            return True
        if now != old:
            return False
        if "[remote rejected]" in str(error):
            raise RemoteRefused(str(error)) from error
        raise
    return True


def _asked(repository: Path, remote: Remote) -> str:
    listing = _git(repository, remote, "ls-remote", "--quiet", _NAME, git.BRANCH).decode()
    for line in listing.splitlines():
        commit, _, name = line.partition("\t")
        if name == git.BRANCH and _COMMIT.fullmatch(commit):
            return commit
    return ""


def _git(repository: Path, remote: Remote, *arguments: str) -> bytes:
    try:
        return git.git(repository, *arguments, environment=remote.environment())
    except GitError as error:
        # git hides passwords in most of what it says; a token in the address must stand in none of it.
        raise GitError(str(error).replace(remote.url, "the remote")) from None
