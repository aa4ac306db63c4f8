"""The portal's processes under the product's own supervisor: `python -m tests.chaos.tree FOLDER`.

Redis, the scheduler and the harness's worker. Writes FOLDER/tree.json with the process ids once all are up.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from portal.core.settings import Settings
from portal.jobs.process import ready_file
from portal.supervisor.process import Part
from portal.supervisor.ready import answers_redis, exists
from portal.supervisor.redis import find_redis_server, redis_command
from portal.supervisor.stack import Stack

TREE = "tree.json"


def parts(folder: Path, run_folder: Path) -> list[Part]:
    """What `countersign up` runs, but for the pages and the demo targets."""
    binary, socket = find_redis_server(), folder / "redis.sock"
    if binary is None:
        sys.exit("There is no redis-server; install it with: deploy/setup.sh test")
    redis = Part(
        name="redis",
        title="Redis",
        command=redis_command(binary, folder, socket),
        ready=answers_redis(socket),
    )
    return [redis, *(_waited_for(name, program, run_folder) for name, program in _PROGRAMS.items())]


_PROGRAMS = {"scheduler": "portal.scheduler", "worker": "tests.chaos.worker"}


def _waited_for(name: str, program: str, run_folder: Path) -> Part:
    file = ready_file(run_folder, name)
    file.unlink(missing_ok=True)
    return Part(
        name=name, title=name, command=(sys.executable, "-P", "-m", program), ready=exists(file), wave=1
    )


def main(folder: Path) -> None:
    """Start all, and keep them running until killed."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    stack = Stack(logs, tell=lambda sentence: print(sentence, flush=True))
    stack.start(parts(folder, Settings.from_environment().run_folder), os.environ)
    stack.wait_ready()
    stack.watch()
    while True:
        state = folder / f"{TREE}.new"
        state.write_text(json.dumps(stack.pids))
        state.replace(folder / TREE)
        time.sleep(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
