"""`countersign worker`: run tasks until told to stop. A task under way is finished first."""

from __future__ import annotations

import logging
import sys

from portal import wiring
from portal.core.errors import SettingsError
from portal.core.settings import Settings
from portal.jobs import DEFAULT_QUEUE
from portal.jobs.loops import work
from portal.jobs.process import say_ready, stop_on_signals
from portal.web import logs

log = logging.getLogger(__name__)


def run(settings: Settings, queue: str = DEFAULT_QUEUE) -> None:
    """Run the queue's tasks until SIGINT or SIGTERM."""
    logs.install()
    stop = stop_on_signals()
    portal = wiring.build(settings)
    say_ready(settings.run_folder, "worker")
    work(wiring.workshop(portal), settings.redis_url, stop=stop, queue=queue)
    portal.db.dispose()
    log.info("The worker stopped")


def main() -> None:
    """Read the settings and run. Exits with a sentence when they cannot be used."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("rq").setLevel(logging.WARNING)  # the tasks' own lines say more
    try:
        run(Settings.from_environment())
    except SettingsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
