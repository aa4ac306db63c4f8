"""deploy/setup.sh on machines that lack things: what it would install, what it says, and that it is quick."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.fixtures_servers import dying_with_us

SCRIPT = Path(__file__).parents[2] / "deploy" / "setup.sh"
#: What the script itself runs.
TOOLS = ("bash", "env", "id", "mktemp", "tail", "rm", "cat", "compgen", "ldconfig")


def executable(file, commands):
    file.write_text(f"#!{shutil.which('bash')}\n{commands}\n")
    file.chmod(0o755)


@pytest.fixture
def machine(tmp_path):
    """A machine on which only some programs are found; apt-get writes down what it is asked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    tmp_path.chmod(0o777)
    log = tmp_path / "apt.log"

    def make(*programs, apt_fails=False):
        for name in (*TOOLS, *programs):
            real = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
            if real:
                (folder / name).symlink_to(real)
        executable(folder / "python3", "exit 0")
        failing = "echo E: no such package; exit 100" if apt_fails else ""
        executable(folder / "apt-get", f'echo "$@" >>{log}; {failing}')
        return log

    make.folder = folder
    return make


def run(machine, kind, user=None):
    # The script adds the folders of system programs itself; a copy without that line sees only ours.
    copy = machine.folder.parent / "setup.sh"
    text = SCRIPT.read_text()
    assert 'export PATH="$PATH:/usr/sbin:/sbin"\n' in text
    copy.write_text(
        text.replace('export PATH="$PATH:/usr/sbin:/sbin"\n', "").replace("/usr/lib/postgresql", "/nowhere")
    )
    copy.chmod(0o755)
    command = [shutil.which("bash"), str(copy), kind]
    return subprocess.run(
        dying_with_us(command, user) if user else command,
        env={"PATH": str(machine.folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_what_is_missing_is_installed(machine):
    log = machine("git", "openssl", "ssh-keygen", "pdfsig")
    done = run(machine, "run")
    assert done.returncode == 0, done.stderr
    assert log.read_text().splitlines() == ["update", "install -y --no-install-recommends nftables"]


def test_tests_need_servers_and_a_browser(machine):
    log = machine("git", "openssl", "ssh-keygen", "pdfsig", "nft", "setpriv")
    assert run(machine, "test").returncode == 0
    assert log.read_text().splitlines()[1] == (
        "install -y --no-install-recommends postgresql redis-server chromium iproute2 openssh-server ansible-core conntrack slapd pebble softhsm2"
    )


def test_nothing_is_asked_of_apt_when_all_is_there(machine):
    log = machine("git", "openssl", "ssh-keygen", "pdfsig", "nft")
    begun = time.monotonic()
    assert run(machine, "run").returncode == 0
    assert time.monotonic() - begun < 2
    assert not log.exists()


def test_without_root_it_says_the_exact_command(machine):
    log = machine("git", "openssl", "ssh-keygen", "pdfsig")
    for folder in machine.folder.parents:  # which pytest keeps from others
        if folder.name.startswith(("pytest-", "popen-", "test_")):
            folder.chmod(0o755)
    done = run(machine, "run", user="nobody") if os.geteuid() == 0 else run(machine, "run")
    assert done.returncode == 1
    assert done.stderr == (
        "Missing on this machine: nftables. As root, run: "
        "apt-get update && apt-get install -y --no-install-recommends nftables\n"
    )
    assert not log.exists()


def test_a_failing_apt_is_quoted(machine):
    machine("git", "openssl", "ssh-keygen", "pdfsig", apt_fails=True)
    done = run(machine, "run")
    assert done.returncode == 1
    assert "E: no such package" in done.stderr
    assert "apt-get install -y --no-install-recommends nftables" in done.stderr


def test_an_old_python_is_refused_with_a_sentence(machine):
    machine()
    executable(machine.folder / "python3", "exit 1")
    done = run(machine, "run")
    assert done.returncode == 1
    assert done.stderr.startswith("Countersign needs Python 3.11 or newer;")
