from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from portal.core.errors import SettingsError
from portal.supervisor.process import LOG_BYTES, Part
from portal.supervisor.ready import answers_http, exists
from portal.supervisor.stack import Stack
from portal.supervisor.warden import processes_of
from tests.fixtures_servers import wait_until

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("small_house.py")


class House:
    """The small house as a process of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cs-house-", dir="/tmp"))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(self.folder), str(self.port)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        wait_until((self.folder / "up").exists, "the small house is up", 40)
        self.run = (self.folder / "run").read_text()

    @property
    def pids(self) -> dict[int, int]:
        return processes_of(self.run)

    def parts(self) -> dict[str, int]:
        """The direct children's process ids by what they run. Redis writes over its environment, mark and all."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, StopIteration, ValueError):
                if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == self.process.pid:
                    command = (entry / "cmdline").read_bytes().decode()
                    name = next(name for name in ("redis", "pages.py", "family") if name in command)
                    found[name] = int(entry.name)
        return found

    def clear(self) -> None:
        self.process.kill()
        self.process.communicate()
        wait_until(lambda: not self.pids, "nothing of the house is left", 15)
        shutil.rmtree(self.folder)


@pytest.fixture
def house():
    small = House()
    yield small
    small.clear()


def test_killing_the_parent_leaves_no_orphan_however_deep(house):
    parts, before = house.parts(), house.pids
    assert set(parts) == {"redis", "family", "pages.py"}
    # family and its four, granian with two workers and multiprocessing's tracker
    assert len(before) >= 8
    assert len(set(before.values())) >= 4, "some have made sessions of their own"
    house.process.kill()
    house.process.wait()
    wait_until(lambda: not house.pids, "no process of the run is left", 10)
    for pid in {*before, *parts.values()}:
        assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()
    with socket.create_server(("127.0.0.1", house.port)):
        pass  # and the port is free again


def test_sigterm_ends_the_parts_in_order_and_all_of_them(house):
    with urllib.request.urlopen(f"http://127.0.0.1:{house.port}/") as answer:
        assert answer.read() == b"here"
    house.process.send_signal(signal.SIGTERM)
    said, _ = house.process.communicate(timeout=120)
    assert house.process.returncode == 0
    assert (house.folder / "order").read_text().splitlines() == ["pages", "family"]
    assert not house.pids
    assert "started again" not in said


def test_a_part_that_dies_is_started_again_and_its_own_children_are_ended(house):
    old = house.parts()
    os.kill(old["pages.py"], signal.SIGKILL)

    def again() -> bool:
        return house.parts().get("pages.py") not in {None, old["pages.py"]}

    wait_until(again, "the pages were started again", 15)
    wait_until(answers_http(house.port, "/"), "they answer", 15)
    granian = [pid for pid, group in house.pids.items() if group == old["pages.py"]]
    assert granian == []
    assert house.parts()["redis"] == old["redis"]


def test_the_warden_is_replaced_when_it_is_killed(house):
    def wardens() -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    if f"warden.py\0{house.run}".encode() in (entry / "cmdline").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    (first,) = wardens()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: wardens() not in ([], [first]), "there is a new warden", 5)
    house.process.kill()
    wait_until(lambda: not house.pids, "the new warden does its work", 10)


@pytest.fixture
def stack(tmp_path):
    made = Stack(tmp_path)
    yield made
    made.stop()


def part(code, ready=lambda: False, **more):
    return Part(name="odd", title="odd part", command=(sys.executable, "-c", code), ready=ready, **more)


def test_a_part_that_does_not_come_up_is_named_with_its_log(stack, tmp_path):
    stack.start([part("import time; time.sleep(60)", start_seconds=0.5)], os.environ)
    with pytest.raises(SettingsError) as caught:
        stack.wait_ready()
    assert str(caught.value) == (
        f"The odd part did not come up within 0 seconds; its log is {tmp_path / 'odd.log'}."
    )


def test_a_part_that_ends_at_once_is_quoted(stack, tmp_path):
    stack.start([part("import sys; sys.exit('Port 80 is not ours.')")], os.environ)
    with pytest.raises(SettingsError) as caught:
        stack.wait_ready()
    assert str(caught.value) == (
        f"The odd part ended with status 1: Port 80 is not ours. Its log is {tmp_path / 'odd.log'}."
    )
    assert "Port 80 is not ours." in (tmp_path / "odd.log").read_text()


def test_each_restart_waits_longer(tmp_path):
    told = []
    stack = Stack(tmp_path, tell=told.append)
    try:
        stack.start([part(f"open({str(tmp_path / 'mark')!r}, 'a').write('x')")], os.environ)
        stack.watch()
        wait_until(lambda: len(told) >= 3, "it was started three times", 15)
    finally:
        stack.stop()
    assert [sentence.rsplit("in ", 1)[1] for sentence in told[:3]] == [
        "0.5 seconds.", "1.0 seconds.", "2.0 seconds."
    ]  # fmt: skip


def test_a_part_deaf_to_sigterm_is_killed_when_its_time_is_over(tmp_path):
    code = (
        "import signal, time, pathlib; signal.signal(15, signal.SIG_IGN);"
        f"pathlib.Path({str(tmp_path / 'deaf')!r}).touch(); time.sleep(60)"
    )
    stack = Stack(tmp_path)
    stack.start([part(code, ready=exists(tmp_path / "deaf"), stop_seconds=0.5)], os.environ)
    stack.wait_ready()
    begun = time.monotonic()
    stack.stop()
    assert time.monotonic() - begun < 5
    assert not processes_of(stack.run)


def test_logs_are_rotated(tmp_path):
    code = f"[print('x' * 99) for _ in range({3 * LOG_BYTES // 100})]; import time; time.sleep(60)"
    stack = Stack(tmp_path)
    try:
        stack.start([part(code)], os.environ)
        wait_until((tmp_path / "odd.log.2").exists, "the log was rotated", 20)
        assert (tmp_path / "odd.log").stat().st_size <= LOG_BYTES
    finally:
        stack.stop()
