"""Settings of who keeps copies of the ledger's checkpoints besides the folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from portal.core.environment import read_secret, read_whole, read_words
from portal.core.errors import SettingsError

DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderSettings:
    """As CHECKPOINT_… variables say it; nothing is set up where they are empty."""

    #: A git remote, which may hold a token, and how ssh gets there; empty for the account's own.
    git_remote: str = field(default="", repr=False)
    git_key: str = ""
    git_known_hosts: str = ""
    #: Addresses that get checkpoints by mail, and after how many hours the next.
    mail: tuple[str, ...] = ()
    mail_hours: int = DAY
    #: Submission prefix and verifier key of each witness.
    witnesses: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Self:
        """Raises SettingsError with a sentence that names the variable."""
        words = read_words(env, "CHECKPOINT_WITNESSES")
        if len(words) % 2:
            message = (
                "CHECKPOINT_WITNESSES names pairs of an address and a verifier key (name+hash+key), "
                f"with a space between them; there are {len(words)} words."
            )
            raise SettingsError(message)
        return cls(
            git_remote=read_secret(env, "CHECKPOINT_GIT_REMOTE"),
            git_key=env.get("CHECKPOINT_GIT_KEY", ""),
            git_known_hosts=env.get("CHECKPOINT_GIT_KNOWN_HOSTS", ""),
            mail=read_words(env, "CHECKPOINT_MAIL"),
            mail_hours=read_whole(env, "CHECKPOINT_MAIL_HOURS", DAY),
            witnesses=tuple(zip(words[::2], words[1::2], strict=True)),
        )
