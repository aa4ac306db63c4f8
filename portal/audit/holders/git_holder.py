"""A git remote: a commit for each hand-over, pushed and never forced.

git's own history is the second chain: a remote that no longer has the commit that it took from us was written anew.
Nothing is kept here but git's objects; where the remote stood is in the database.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from portal.audit.holders.contract import Handover, Held, HolderContradicts, HolderFailed
from portal.core.git import GitError, git, read_entries
from portal.core.git_branch import has_commit, is_ancestor, write_commit
from portal.core.git_remote import Remote, RemoteRefused, head, push
from portal.core.language import N_, say

LATEST_FILE = "latest.note"
#: Somebody else may push between looking and pushing, so often.
_TRIES = 3
_PASSWORD = re.compile(r"//[^/@]*@")


@dataclass(frozen=True, slots=True)
class GitHolder:
    """A repository that others keep. `folder` is where git's objects lie here; it may be lost at any time."""

    kind: ClassVar[str] = N_("Git remote")
    remote: Remote
    folder: Path
    every: timedelta = timedelta(0)

    @property
    def key(self) -> str:
        """There is one."""
        return "git"

    @property
    def name(self) -> str:
        """Its address, without a token that may stand in it."""
        return _PASSWORD.sub("//", self.remote.url)

    def hand(self, handover: Handover) -> Held:
        """Push a commit with the note, on top of whatever the remote has. A history that is not ours stays as it is."""
        try:
            self._prepare()
            for _ in range(_TRIES):
                tip = head(self.folder, self.remote)
                has = self._insist_on_our_history(handover, tip)
                if has >= handover.head.size:
                    return Held(has, position=tip)
                commit = self._commit(handover, tip)
                if push(self.folder, self.remote, commit, tip):
                    return Held(handover.head.size, position=commit)
        except RemoteRefused as error:
            raise HolderFailed(
                say("%(name)s refuses the push: %(why)s", name=self.name, why=error)
            ) from error
        except GitError as error:
            raise HolderFailed(say("%(name)s: %(why)s", name=self.name, why=error)) from error
        except OSError as error:
            raise HolderFailed(
                say("%(folder)s cannot be written: %(why)s.", folder=self.folder, why=error.strerror or error)
            ) from error
        raise HolderFailed(say("%(name)s moved whenever it was pushed to.", name=self.name))

    def reach(self) -> str:
        """Whether the remote tells where its branch stands."""
        with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
            try:
                git(Path(folder), "init", "--quiet", "--bare", "--template=")
                listing = git(
                    Path(folder), "ls-remote", "--quiet", "countersign", environment=self.remote.environment()
                )
            except GitError as error:
                why = str(error).replace(self.remote.url, "the remote")
                raise HolderFailed(say("%(name)s: %(why)s", name=self.name, why=why)) from error
        return f"{self.name}, {'with' if listing else 'without'} a history"

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.folder / "HEAD").exists():
            git(self.folder, "init", "--quiet", "--bare", "--template=")

    def _insist_on_our_history(self, handover: Handover, tip: str) -> int:
        """The size that the remote has. Raises HolderContradicts when it took something back or has another ledger's."""
        if handover.position and not (
            tip
            and has_commit(self.folder, handover.position)
            and is_ancestor(self.folder, handover.position, tip)
        ):
            raise HolderContradicts(
                say(
                    "%(name)s no longer has the commit %(commit)s that it took: its history was written anew. Nothing of "
                    "it is overwritten.",
                    name=self.name,
                    commit=handover.position[:12],
                )
            )
        note = read_entries(self.folder, tip, LATEST_FILE).get(LATEST_FILE) if tip else None
        if note is None:
            if handover.position:
                raise HolderContradicts(say("%(name)s no longer has its last checkpoint.", name=self.name))
            return 0
        return handover.insist_on_our_past(note.content.decode(errors="replace"), self.name).size

    def _commit(self, handover: Handover, tip: str) -> str:
        size, note = handover.head.size, handover.note.encode()
        with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
            return write_commit(
                self.folder,
                tip or None,
                {f"checkpoints/{size:012d}.note": note, LATEST_FILE: note},
                f"Checkpoint of {size} entries of {handover.head.origin}\n",
                Path(folder) / "index",
            )
