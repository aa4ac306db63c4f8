"""The holders that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from portal.audit.holders.contract import Holder
from portal.audit.holders.cosignatures import WitnessKey, read_witness_key
from portal.audit.holders.folder import FolderHolder
from portal.audit.holders.git_holder import GitHolder
from portal.audit.holders.mail import MailHolder
from portal.audit.holders.witness import WitnessHolder
from portal.audit.notes import NoteError
from portal.core.destinations import Destinations, OutgoingRefused, origin_of
from portal.core.errors import SettingsError
from portal.core.git_remote import Remote
from portal.core.outgoing import Outgoing
from portal.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Holders:
    """Every holder of this portal's checkpoints, in the order in which they are shown."""

    all: tuple[Holder, ...] = ()

    def __iter__(self) -> Iterator[Holder]:
        return iter(self.all)

    def find(self, key: str) -> Holder | None:
        """The one with this key; None when the settings no longer name it."""
        return next((holder for holder in self.all if holder.key == key), None)

    @property
    def witnesses(self) -> tuple[WitnessKey, ...]:
        """The keys of those that sign."""
        return tuple(holder.witness for holder in self.all if isinstance(holder, WitnessHolder))


def holders_of(settings: Settings) -> Holders:
    """Every holder that the settings name; the folder is always there. Raises SettingsError. Reaches nobody."""
    return Holders((FolderHolder(settings.checkpoint_folder), *_others(settings)))


def _others(settings: Settings) -> Iterator[Holder]:
    told = settings.holders
    if told.git_remote:
        yield GitHolder(
            Remote(told.git_remote, told.git_key, told.git_known_hosts),
            settings.home / "checkpoint-holders" / "git",
        )
    for url, text in told.witnesses:
        url = url.rstrip("/")  # noqa: PLW2901  (the spelling that paths are added to)
        try:
            witness = read_witness_key(text)
            origin = origin_of(url)
        except (NoteError, OutgoingRefused) as error:
            message = f"CHECKPOINT_WITNESSES, {url}: {error}"
            raise SettingsError(message) from error
        listed = Destinations.listed([str(origin)], settings.outgoing_networks)
        yield WitnessHolder(url, witness, Outgoing(listed))
    for address in told.mail:
        if "@" not in address:
            message = f"CHECKPOINT_MAIL: {address!r} is no mail address."
            raise SettingsError(message)
        yield MailHolder(address, timedelta(hours=told.mail_hours))
