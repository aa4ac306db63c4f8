"""What a process of the portal is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from approvals.conversation.present import Conversations
from approvals.routing.router import Router
from catalog.attachments.store import Store
from catalog.auditors.subjects import RequestSubjects
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.registry import Connectors
from portal.audit.checkpoint import Signer
from portal.audit.holders.configured import Holders
from portal.core.database import Database
from portal.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Portal:
    """Everything that was made from the settings, once per process."""

    settings: Settings
    db: Database
    connectors: Connectors
    router: Router
    authority: CertificateAuthority
    signer: Signer
    store: Store
    holders: Holders = field(default_factory=Holders)

    def parts(self) -> tuple[object, ...]:
        """What views find by type."""
        return (
            self.settings,
            self.db,
            self.connectors,
            self.router,
            Conversations(),
            RequestSubjects(),
            self.authority,
            self.signer,
            self.store,
            self.holders,
        )
