"""`countersign scheduler`: ring for tasks that are due, and begin what comes round, until told to stop."""

from __future__ import annotations

import logging
import sys

from portal import wiring
from portal.core.errors import SettingsError
from portal.core.settings import Settings
from portal.jobs.doorbell import hang
from portal.jobs.loops import keep_time
from portal.jobs.process import say_ready, stop_on_signals

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Keep time until SIGINT or SIGTERM."""
    stop = stop_on_signals()
    portal = wiring.build(settings)
    say_ready(settings.run_folder, "scheduler")
    keep_time(portal.db, hang(portal.db, settings.redis_url), wiring.periodic_table(), stop=stop)
    portal.db.dispose()
    log.info("The scheduler stopped")


def main() -> None:
    """Read the settings and run. Exits with a sentence when they cannot be used."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        run(Settings.from_environment())
    except SettingsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
