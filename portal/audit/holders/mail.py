"""An auditor's mailbox: the checkpoint as a file, every so often and after each audit report."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from portal.audit.holders.contract import Handover, Held
from portal.audit.holders.events import CheckpointMailDue
from portal.core.language import N_

KIND = "mail"


@dataclass(frozen=True, slots=True)
class MailHolder:
    """One address. What was mailed cannot be called back, so it is the plainest holder of all."""

    kind: ClassVar[str] = N_("Mail")
    address: str
    every: timedelta = timedelta(days=1)

    @property
    def key(self) -> str:
        """By its digest: the address itself stands in the settings only."""
        return f"{KIND}-{hashlib.sha256(self.address.lower().encode()).hexdigest()[:8]}"

    @property
    def name(self) -> str:
        """The address."""
        return self.address

    def hand(self, handover: Handover) -> Held:
        """Have the mail written; it counts as held once the mail server took it."""
        event = CheckpointMailDue(
            holder=self.key,
            address=self.address,
            size=handover.head.size,
            root=handover.head.root.hex(),
            note=handover.note,
        )
        return Held(handover.head.size, on_its_way=True, event=event)

    def reach(self) -> str:
        """The mail server is looked at by itself."""
        hours = self.every.total_seconds() / 3600
        return f"{self.address}, every {hours:g} hours and after each audit report"
