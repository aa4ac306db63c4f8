"""Where the rooms meet: one table of reactions, one of background work, one of pages. Read it to see what follows what.

A lower room never imports a higher one. It publishes an event, and the handlers of the table run in the same transaction.
"""

from __future__ import annotations

from approvals.routing.router import Router
from catalog.attachments.s3 import store_for
from catalog.fulfilment.connectors.ca.setting_up import ready_authority
from catalog.fulfilment.queues import assign
from portal import tables
from portal.audit.checkpoint import Signer
from portal.audit.holders.configured import holders_of
from portal.core.clock import Clock, system_clock
from portal.core.database import Database
from portal.core.settings import Settings
from portal.jobs.doorbell import hang
from portal.wiring.connectors import connectors_of
from portal.wiring.elsewhere import ask_elsewhere
from portal.wiring.pages import blueprints
from portal.wiring.parts import Portal
from portal.wiring.reactions import reactions_table
from portal.wiring.work import job_handlers, periodic_table, workshop

__all__ = [
    "METADATA",
    "Portal",
    "blueprints",
    "build",
    "job_handlers",
    "periodic_table",
    "reactions_table",
    "workshop",
]

METADATA = tables.METADATA


def build(settings: Settings, *, clock: Clock = system_clock) -> Portal:
    """Make the parts. Connects to nothing yet but the data folder. Raises SettingsError."""
    db = Database(settings.database_url, clock=clock, handlers=reactions_table(settings))
    hang(db, settings.redis_url)
    authority = ready_authority(settings)
    assign(db, dict(settings.queues))
    connectors = connectors_of(settings, db, authority)
    ask_elsewhere(connectors, settings, db)
    return Portal(
        settings=settings,
        db=db,
        connectors=connectors,
        router=Router(),
        authority=authority,
        signer=Signer.from_settings(settings),
        store=store_for(settings),
        holders=holders_of(settings),
    )
