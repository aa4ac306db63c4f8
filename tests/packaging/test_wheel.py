"""The wheel, built and installed where no checkout is, is the whole product."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

from portal.supervisor.warden import processes_of
from tests.fixtures_servers import wait_until

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
START_SECONDS = 180


def uv(*arguments, **more):
    done = subprocess.run(
        [str(UV), *map(str, arguments)], capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, cwd=ROOT)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The `countersign` of an environment that holds the locked dependencies and the wheel, nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    uv("venv", "--python", sys.executable, folder / "venv")
    python = folder / "venv" / "bin" / "python"
    uv("pip", "install", "--python", python, "--require-hashes", "-r", ROOT / "requirements.lock")
    uv("pip", "install", "--python", python, "--no-deps", wheel)
    return python.with_name("countersign")


@pytest.fixture
def elsewhere():
    """A folder outside the checkout, with a path short enough for a socket, and an environment without it."""
    folder = Path(tempfile.mkdtemp(prefix="cs-wheel-", dir="/tmp"))
    names = ("PATH", "LANG", "SSL_CERT_FILE")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    yield folder, {**environment, "COUNTERSIGN_HOME": str(folder / "home"), "COLUMNS": "120"}
    shutil.rmtree(folder)


def test_the_wheel_carries_every_template_style_offering_and_migration(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"portal/assets/{file.relative_to(ROOT)}"
        for folder in ("templates", "static")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "static/build" not in str(file)
    } | {
        str(file.relative_to(ROOT))
        for package in ("portal", "catalog", "approvals", "reports")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert len(wanted) > 100
    assert wanted - held == set()


def test_the_wheel_carries_nothing_of_the_workshop(wheel):
    held = zipfile.ZipFile(wheel).namelist()
    roots = {name.split("/")[0] for name in held}
    assert {name for name in roots if not name.endswith(".dist-info")} == {
        "portal", "catalog", "approvals", "reports"
    }  # fmt: skip
    assert [name for name in held if "node_modules" in name or name.endswith((".pyc", ".scss"))] == []


def test_installed_it_says_its_version_and_finds_all_it_needs(installed, elsewhere):
    folder, environment = elsewhere

    def run(*arguments):
        return subprocess.run(
            [installed, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    assert run("--version").stdout == "countersign, version 0.1.0\n"
    examined = run("doctor", "--json")
    assert examined.returncode == 0, examined.stdout + examined.stderr
    checks = {check["name"]: check["state"] for check in json.loads(examined.stdout)}
    assert {name: state for name, state in checks.items() if state != "ok"} == {
        "Database": "warn", "Mail": "warn", "Sign-in": "warn"
    }  # fmt: skip


def test_installed_it_starts_with_one_command_and_stops_with_one_signal(installed, elsewhere):
    folder, environment = elsewhere
    state = folder / "home" / "run" / "up.json"
    with subprocess.Popen(
        [installed, "up", "--ports", "auto"], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            wait_until(lambda: state.exists() or process.poll() is not None, "it is up", START_SECONDS)
            assert process.poll() is None, process.communicate()
            running = json.loads(state.read_text())
            with urllib.request.urlopen(running["portal"]) as answer:
                page = answer.read().decode()
            process.send_signal(signal.SIGINT)
            said, complaints = process.communicate(timeout=60)
        finally:
            process.kill()
    assert "Countersign" in page
    assert (process.returncode, complaints) == (0, "")
    assert running["portal"] in said
    assert not processes_of(running["run"])
