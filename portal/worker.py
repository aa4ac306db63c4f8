"""`countersign worker`: run tasks until told to stop. A task under way is finished first."""

from __future__ import annotations

import logging
import sys

from portal import wiring
from portal.core.errors import SettingsError
from portal.core.queues import DEFAULT_QUEUE
from portal.core.settings import Settings
from portal.jobs.loops import work
from portal.jobs.process import say_ready, stop_on_signals
from portal.web import logs

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Run the tasks of the settings' queue until SIGINT or SIGTERM."""
    logs.install()
    stop = stop_on_signals()
    portal = wiring.build(settings)
    say_ready(settings.run_folder, ready_name(settings.queue))
    work(wiring.workshop(portal), settings.redis_url, stop=stop, queue=settings.queue)
    portal.db.dispose()
    log.info("The worker stopped")


def ready_name(queue: str) -> str:
    """What the worker of this queue is called."""
    return "worker" if queue == DEFAULT_QUEUE else f"worker-{queue}"


def main() -> None:
    """Read the settings and run; the queue may be named. Exits with a sentence when they cannot be used."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("rq").setLevel(logging.WARNING)  # the tasks' own lines say more
    try:
        run(Settings.from_environment(queue=sys.argv[1] if len(sys.argv) > 1 else DEFAULT_QUEUE))
    except SettingsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
