"""The portal's worker with failpoints: `python -m tests.chaos.worker`. Everything else is the product's own."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

from catalog.fulfilment.connectors.registry import Connectors
from portal import wiring
from portal.core.settings import Settings
from portal.jobs.loops import work
from portal.jobs.process import say_ready, stop_on_signals
from tests.chaos.counting import CountingConnector
from tests.chaos.failpoints import Failpoints, WatchedConnector, watched_handlers

FOLDER, LEASE, EFFECTS = "CHAOS_FOLDER", "CHAOS_LEASE_SECONDS", "effects"


def main() -> None:
    """Run tasks until told to stop, as portal.worker does."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    folder = Path(os.environ[FOLDER])
    settings = Settings.from_environment()
    stop = stop_on_signals()
    portal = wiring.build(settings)
    point = Failpoints(folder)
    every = [*portal.connectors, CountingConnector(folder / EFFECTS)]
    portal = replace(portal, connectors=Connectors(WatchedConnector(each, point) for each in every))
    workshop = wiring.workshop(portal)
    workshop = replace(
        workshop,
        handlers=watched_handlers(workshop.handlers, point),
        lease_seconds=float(os.environ.get(LEASE) or workshop.lease_seconds),
    )
    say_ready(settings.run_folder, "worker")
    work(workshop, settings.redis_url, stop=stop)


if __name__ == "__main__":
    main()
