"""Programs that end soon, without their beginning: each is forked from a process that has imported what they import.

What runs is the module itself, as `python -I -m MODULE` runs it, with its own arguments, environment, folder, limits
and streams. Only its imports were done before, and its strings hash like those of the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

_MESSAGE = 1 << 20


class Nursery:
    """The process that programs are forked from; it ends with the last one who holds its socket."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", __file__, str(theirs.fileno()), *modules],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC"},
                cwd="/",
            )

    def run(
        self,
        module: str,
        arguments: list[str],
        *,
        input: bytes = b"",  # noqa: A002  (as subprocess names it)
        env: dict[str, str],
        cwd: str | Path = "/",
        timeout: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """As subprocess.run answers for `python -I -m MODULE ARGUMENTS`. Raises TimeoutExpired."""
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            stdin.write(input)
            stdin.seek(0)
            mine, theirs = socket.socketpair()
            with mine:
                told = {"module": module, "arguments": arguments, "env": env, "cwd": str(cwd)}
                with theirs:
                    streams = [stdin.fileno(), out.fileno(), err.fileno(), theirs.fileno()]
                    socket.send_fds(self._ours, [json.dumps(told).encode()], streams)
                status = self._status(mine, [module, *arguments], timeout)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess([module, *arguments], status, out.read(), err.read())

    def _status(self, theirs: socket.socket, command: list[str], timeout: float | None) -> int:
        pid = int(theirs.recv(_MESSAGE))
        theirs.settimeout(timeout)
        try:
            return int(theirs.recv(_MESSAGE))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            theirs.settimeout(None)
            theirs.recv(_MESSAGE)
            raise subprocess.TimeoutExpired(command, timeout or 0) from None

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait()


@contextmanager
def nursery(*modules: str) -> Iterator[Nursery]:
    """One while the block runs."""
    made = Nursery(modules)
    try:
        yield made
    finally:
        made.close()


def _serve(asked: socket.socket) -> None:
    while True:
        message, fds, _, _ = socket.recv_fds(asked, _MESSAGE, 4)
        if not message:
            return
        if os.fork() == 0:
            asked.close()
            _watch(json.loads(message), fds)
        for fd in fds:
            os.close(fd)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _watch(told: dict[str, Any], fds: list[int]) -> NoReturn:
    """Fork the program, and tell its number and then its status."""
    *streams, answer = fds
    with socket.socket(fileno=answer) as asker:
        pid = os.fork()
        if pid == 0:
            asker.detach()
            os.close(answer)
            _become(told, streams)
        asker.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        asker.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(told: dict[str, Any], streams: list[int]) -> NoReturn:
    for fd, stream in enumerate(streams):
        os.dup2(stream, fd)
        os.close(stream)
    os.environ.clear()
    os.environ.update(told["env"])
    time.tzset()
    os.chdir(told["cwd"])
    sys.stdin, sys.stdout, sys.stderr = (
        open(fd, mode, encoding="utf-8", errors="strict", closefd=False)  # noqa: SIM115
        for fd, mode in enumerate("rww")
    )
    sys.argv = [told["module"], *told["arguments"]]
    # It is imported already, and now runs from its first line.
    sys.modules.pop(told["module"], None)
    status: object = 0
    try:
        runpy.run_module(told["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code
    except BaseException:  # noqa: BLE001  (as the interpreter itself ends)
        traceback.print_exc()
        status = 1
    if status is not None and not isinstance(status, int):
        sys.stderr.write(f"{status}\n")
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(status or 0))  # type: ignore[call-overload]


if __name__ == "__main__":
    for _name in sys.argv[2:]:
        __import__(_name)
    _serve(socket.socket(fileno=int(sys.argv[1])))
