"""Where one firewall's policy is kept, written, pushed and loaded, and reading it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from catalog.fulfilment.connectors.firewall import remote
from catalog.fulfilment.connectors.firewall.kernel import Kernel
from catalog.fulfilment.connectors.firewall.outputs import DEFAULT
from catalog.fulfilment.connectors.firewall.policy import Policy, read_policy
from catalog.fulfilment.connectors.firewall.remote import Remote
from catalog.fulfilment.connectors.firewall.render import NFTABLES_PATH
from catalog.fulfilment.connectors.firewall.rendered import Rendering, read_nftables
from portal.core import git_branch as git


@dataclass(frozen=True, slots=True)
class Place:
    """The repository on this machine, the remote that must have each commit, the kernel that must have each rule.

    Without a remote the branch here is the policy; without a kernel somebody else loads what is rendered. `outputs`
    are the names of what is rendered.
    """

    repository: Path
    remote: Remote | None = None
    kernel: Kernel | None = None
    outputs: tuple[str, ...] = DEFAULT


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The policy as one commit has it, with the files that were rendered from it.

    `loaded` is what the kernel lets pass, where it is Countersign that loads it and the kernel was asked. `shared` is
    whether the remote, where there is one, has a policy at all.
    """

    commit: str
    policy: Policy
    files: Mapping[str, bytes]
    loaded: Rendering | None = None
    shared: bool = True

    @property
    def nftables(self) -> str:
        """The rendered nftables file."""
        return self.files.get(NFTABLES_PATH, b"").decode(errors="replace")

    @property
    def rendering(self) -> Rendering:
        """What the rendered nftables file lets pass."""
        return read_nftables(self.nftables)


def read(place: Place) -> Snapshot:
    """The policy as it stood here when it was last read or changed. Raises GitError, PolicyError."""
    return at(place.repository, git.head(place.repository))


def read_now(place: Place) -> Snapshot:
    """The policy as the remote and the kernel have it now. Raises GitError, PolicyError, KernelAway."""
    snapshot = read(place) if place.remote is None else _from_remote(place.repository, place.remote)
    return snapshot if place.kernel is None else replace(snapshot, loaded=place.kernel.read())


def _from_remote(repository: Path, there: Remote) -> Snapshot:
    commit = remote.head(repository, there)
    if not commit:
        # A new remote gets the policy with the first change; nothing of it is done until then.
        return replace(at(repository, git.head(repository)), shared=False)
    remote.follow(repository, commit)
    return at(repository, commit)


@lru_cache(maxsize=4)
def at(repository: Path, commit: str) -> Snapshot:
    """A commit never changes, so what it holds is read once."""
    files = git.read_files(repository, commit, "policy", "rendered")
    return Snapshot(
        commit, read_policy({path: files[path] for path in files if path.startswith("policy/")}), files
    )
