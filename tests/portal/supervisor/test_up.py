"""`countersign up`, whole: from an empty folder to pages, and back to nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest

from portal.core.migrate import upgrade
from portal.core.settings import Settings
from portal.supervisor.warden import processes_of
from tests.fixtures_servers import wait_until

COUNTERSIGN = Path(sys.executable).with_name("countersign")
START_SECONDS = 180


class Up:
    """`countersign up` on one data folder; started and ended as often as a test likes."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cs-up-", dir="/tmp"))
        self.home = self.folder / "home"
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments, **environ):
        self.process = subprocess.Popen(
            [COUNTERSIGN, "up", *(arguments or ("--ports", "auto"))],
            cwd=self.folder,
            env={**os.environ, "COUNTERSIGN_HOME": str(self.home), "COLUMNS": "140", **environ},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        return self.process

    def start_ready(self, *arguments, **environ):
        process = self.start(*arguments, **environ)
        wait_until(lambda: self.state() is not None or process.poll() is not None, "it is up", START_SECONDS)
        assert process.poll() is None, process.communicate()
        return self.state()

    def state(self):
        """What the run says of itself once it is up; one before it, killed, may have left its own."""
        file = self.home / "run" / "up.json"
        said = json.loads(file.read_text()) if file.exists() else {}
        return said if said.get("pid") == self.process.pid else None

    def refused(self, *arguments, **environ):
        """The sentence that it ends with."""
        process = self.start(*arguments, **environ)
        said, complaint = process.communicate(timeout=START_SECONDS)
        assert process.returncode == 1
        assert "Traceback" not in said + complaint
        return complaint

    def another_refused(self):
        """The sentence that a second one on this folder ends with, while the first goes on."""
        first, self.process = self.process, None
        try:
            return self.refused()
        finally:
            self.process = first

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        said, complaints = self.process.communicate(timeout=60)
        return self.process.returncode, said, complaints


@pytest.fixture
def up():
    made = Up()
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.communicate()
    shutil.rmtree(made.folder, ignore_errors=True)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return answer.status


def test_one_command_starts_everything_a_second_start_finds_the_data_again_and_a_third_comes_after_a_kill(up):
    first = up.start_ready()
    for url in (first["portal"], first["mailbox"], f"{first['sso']}/.well-known/openid-configuration"):
        assert fetch(url) == 200
    assert set(first["parts"]) == {"redis", "signer", "sso", "mailbox", "scim", "scheduler", "worker", "web"}
    assert up.another_refused() == (
        f"Countersign is already running on {up.home} (process {first['pid']}). Stop it, or choose another data "
        "folder with COUNTERSIGN_HOME.\n"
    )
    code, said, complaints = up.stop()
    assert (code, complaints) == (0, "")
    for text in (first["portal"], first["mailbox"], first["sso"], str(up.home), "password: countersign"):
        assert text in said
    assert not processes_of(first["run"])
    assert not (up.home / "run" / "up.json").exists()

    with sqlite3.connect(up.home / "countersign.db") as db:
        before = db.execute("SELECT count(*) FROM person").fetchone()
    db.close()
    second = up.start_ready()
    assert fetch(second["portal"]) == 200
    assert len(processes_of(second["run"])) >= 7
    with sqlite3.connect(up.home / "countersign.db") as db:
        assert db.execute("SELECT count(*) FROM person").fetchone() == before
    db.close()
    assert before[0] >= 20

    # Killed, it leaves no orphan.
    up.process.kill()
    up.process.communicate()
    wait_until(lambda: not processes_of(second["run"]), "no process of the run is left", 15)
    wait_until(lambda: not any(alive(pid) for pid in second["parts"].values()), "every part has ended", 15)
    third = up.start_ready()
    assert fetch(third["portal"]) == 200
    code, _, complaints = up.stop(signal.SIGTERM)
    assert (code, complaints) == (0, "")


def test_a_port_in_use_is_one_sentence(up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        complaint = up.refused("--ports", "auto", COUNTERSIGN_PORT_PORTAL=str(port))
    assert complaint.startswith(f"The portal cannot listen on port {port}: Address already in use.")
    assert complaint.count("\n") == 1


def test_a_newer_database_is_one_sentence(up):
    upgrade(Settings.from_environment({"COUNTERSIGN_HOME": str(up.home)}))
    with sqlite3.connect(up.home / "countersign.db") as db:
        db.execute("UPDATE alembic_version SET version_num = 'of-next-year'")
    db.close()
    assert up.refused() == (
        "The database is at of-next-year, which a newer version of Countersign wrote; install that version.\n"
    )


def test_a_database_that_holds_something_else_is_one_sentence(up):
    up.home.mkdir()
    with sqlite3.connect(up.home / "countersign.db") as db:
        db.execute("CREATE TABLE cookery (recipe TEXT)")
    db.close()
    assert "The database holds tables that are not ours" in up.refused()


def test_a_missing_library_is_one_sentence(up):
    broken = up.folder / "broken"
    broken.mkdir()
    (broken / "aerleon.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'aerleon'\", name='aerleon')\n"
    )
    complaint = up.refused(PYTHONPATH=str(broken))
    assert complaint.startswith("The library aerleon is missing;")
    assert complaint.count("\n") == 1


def test_ctrl_c_while_it_starts_stops_it_at_once(up):
    process = up.start()
    wait_until((up.home / "logs" / "redis.log").exists, "it has begun", 20)
    process.send_signal(signal.SIGINT)
    said, complaints = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in said + complaints
