"""The actor: who is doing this, as services need to know it. Never the web request itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from portal.identity.auditors.scope import AuditScope
from portal.identity.permissions import AUDITOR, Permission, granted_by


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person, or the portal itself (`person_id` is None)."""

    name: str
    person_id: int | None = None
    issuer: str = ""
    subject: str = ""
    unit_id: int | None = None
    roles: frozenset[str] = frozenset()
    group_ids: frozenset[int] = frozenset()
    session_id: int | None = None
    auth_time: datetime | None = None
    acr: str = ""
    amr: tuple[str, ...] = field(default=())
    timezone: str = "UTC"
    #: One of portal.core.language.LANGUAGES; empty for the portal itself.
    language: str = ""
    #: What an auditor's account is limited to; None for every other account.
    audit: AuditScope | None = None

    def may(self, permission: Permission) -> bool:
        """Whether any of the actor's roles grants the permission."""
        return any(permission in granted_by(role) for role in self.roles)

    @property
    def only_audits(self) -> bool:
        """Whether this account is an auditor's and nothing else: it reads, and changes nothing."""
        return self.audit is not None or self.roles - {"person"} == {AUDITOR}


#: The portal acting on its own: a timer, a worker, an import.
PORTAL = Actor(name="Countersign")
