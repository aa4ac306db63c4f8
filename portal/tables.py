"""Every table of every room, so that the metadata is whole for migrations and tests."""

from approvals.decisions import model as decisions
from approvals.links import model as links
from approvals.routing import model as routing
from catalog.entitlements import model as entitlements
from catalog.fulfilment import model as fulfilment
from catalog.offerings import model as offerings
from catalog.requests import model as requests
from portal.audit import model as audit
from portal.core.database import Base
from portal.identity import model as identity
from portal.jobs import model as jobs
from portal.notifications import model as notifications
from reports.evidence import model as evidence

#: Kept as one tuple so that no import looks unused.
ROOMS = (
    audit,
    decisions,
    entitlements,
    evidence,
    fulfilment,
    identity,
    jobs,
    links,
    notifications,
    offerings,
    requests,
    routing,
)

METADATA = Base.metadata
#: What the database refuses to change; a migration makes the same triggers.
APPEND_ONLY = tuple(sorted(name for name, table in METADATA.tables.items() if table.info.get("append_only")))
