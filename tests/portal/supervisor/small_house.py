"""A supervisor over real parts, small: Redis, granian with two workers, and a part with a runaway family.

Run as: python small_house.py FOLDER PORT. Writes FOLDER/up when all is ready; ends in order on SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import threading
from pathlib import Path

from portal.supervisor.process import Part
from portal.supervisor.ready import answers_http, answers_redis, exists
from portal.supervisor.redis import find_redis_server, redis_command
from portal.supervisor.stack import Stack

#: Its child, a child's child in a session of its own, and one that ignores SIGTERM.
FAMILY = textwrap.dedent("""
    import signal, subprocess, sys, time, pathlib
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    deaf = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"]
    nested = [sys.executable, "-c", f"import subprocess, time; subprocess.Popen({sleep!r}, start_new_session=True); time.sleep(600)"]
    subprocess.Popen(deaf), subprocess.Popen(nested), subprocess.Popen(sleep, start_new_session=True)
    def bye(*_):
        with open(sys.argv[1] + "/order", "a") as file:
            file.write("family\\n")
        sys.exit(0)
    signal.signal(signal.SIGTERM, bye)
    time.sleep(0.5)
    print("family is up")
    pathlib.Path(sys.argv[1], "family").touch()
    time.sleep(600)
""")
#: A worker that is asked to stop while it is still starting may never hear it (one in forty, measured on granian 2),
#: so granian ends it itself after some seconds, as it does for the portal.
PAGES = textwrap.dedent("""
    import atexit, sys
    from granian import Granian
    from granian.constants import Interfaces
    if __name__ == "__main__":
        Granian("tests.portal.supervisor.small_house:page", port=int(sys.argv[1]), interface=Interfaces.WSGI,
                workers=2, blocking_threads=1, workers_kill_timeout=3).serve()
        with open(sys.argv[2] + "/order", "a") as file:
            file.write("pages\\n")
""")


def page(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"here"]


def parts(folder: Path, port: int) -> list[Part]:
    binary = find_redis_server()
    assert binary is not None
    redis = redis_command(binary, folder, folder / "redis.sock")
    return [
        Part(name="redis", title="Redis server", command=redis, ready=answers_redis(folder / "redis.sock")),
        Part(
            name="family", title="family", command=(sys.executable, "-c", FAMILY, str(folder)),
            ready=exists(folder / "family"), wave=1,
        ),
        Part(
            name="pages", title="pages", command=(sys.executable, str(_script(folder)), str(port), str(folder)),
            ready=answers_http(port, "/"), stop_seconds=60, wave=2,
        ),
    ]  # fmt: skip


def _script(folder: Path) -> Path:
    # A file, because granian's workers are spawned and import it.
    script = folder / "pages.py"
    script.write_text(PAGES)
    return script


def main(folder: Path, port: int) -> None:
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    (folder / "logs").mkdir(exist_ok=True)
    stack = Stack(folder / "logs", tell=lambda sentence: print(sentence, flush=True))
    (folder / "run").write_text(stack.run)
    try:
        stack.start(parts(folder, port), os.environ)
        stack.wait_ready()
        stack.watch()
        (folder / "up").touch()
        while not stopped.wait(0.1):
            pass
    finally:
        stack.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
