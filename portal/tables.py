"""Every table of every room, so that the metadata is whole for migrations and tests."""

from approvals.conversation import model as conversation
from approvals.decisions import model as decisions
from approvals.delegation import model as delegation
from approvals.emergency import model as emergency
from approvals.links import model as links
from approvals.routing import model as routing
from approvals.signatures import model as signatures
from approvals.standing import model as standing
from approvals.timing import model as timing
from catalog.access_reviews import model as access_reviews
from catalog.assets import model as assets
from catalog.attachments import model as attachments
from catalog.changes import model as changes
from catalog.entitlements import model as entitlements
from catalog.entitlements.extending import model as extending
from catalog.entitlements.recertifying import model as recertifying
from catalog.explaining import model as explaining
from catalog.fulfilment import model as fulfilment
from catalog.fulfilment.connectors.http import model as automation
from catalog.fulfilment.connectors.manual import model as manual
from catalog.offerings import model as offerings
from catalog.ordering import model as ordering
from catalog.reconciliation import model as reconciliation
from catalog.requests import model as requests
from catalog.versions import model as versions
from portal.audit import model as audit
from portal.audit.holders import model as checkpoint_holders
from portal.audit.rounds import model as verification_rounds
from portal.audit.signer import model as signing
from portal.core.database import Base
from portal.identity import model as identity
from portal.identity.auditors import model as auditors
from portal.identity.passkeys import model as passkeys
from portal.identity.rotas import model as rotas
from portal.identity.tokens import model as tokens
from portal.jobs import model as jobs
from portal.notifications import model as notifications
from reports.audits import model as audits
from reports.erasing import model as erasing
from reports.evidence import model as evidence

#: Kept as one tuple so that no import looks unused.
ROOMS = (
    access_reviews,
    assets,
    attachments,
    audit,
    auditors,
    audits,
    automation,
    changes,
    checkpoint_holders,
    verification_rounds,
    conversation,
    decisions,
    delegation,
    emergency,
    entitlements,
    erasing,
    evidence,
    explaining,
    extending,
    fulfilment,
    identity,
    jobs,
    links,
    manual,
    notifications,
    offerings,
    ordering,
    passkeys,
    recertifying,
    reconciliation,
    requests,
    signing,
    rotas,
    routing,
    signatures,
    standing,
    timing,
    tokens,
    versions,
)

METADATA = Base.metadata
#: What the database refuses to change; a migration makes the same triggers.
APPEND_ONLY = tuple(sorted(name for name, table in METADATA.tables.items() if table.info.get("append_only")))
