from __future__ import annotations

import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from portal.notifications.development_mailbox.__main__ import main

ROOT = Path(__file__).resolve().parents[4]


def run(*arguments, environment="development"):
    return CliRunner().invoke(main, arguments, env={"COUNTERSIGN_ENVIRONMENT": environment})


@pytest.mark.parametrize("environment", ["production", "", None])
def test_it_refuses_to_start_outside_development(tmp_path, environment):
    done = run(
        "--smtp-port", "0", "--http-port", "0", "--store", str(tmp_path / "m"), environment=environment
    )
    assert done.exit_code == 2
    assert "must be development" in done.stderr
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_it_listens_on_loopback_only(tmp_path, host):
    done = run("--host", host, "--smtp-port", "0", "--http-port", "0", "--store", str(tmp_path / "m"))
    assert done.exit_code == 2
    assert "loopback only" in done.stderr


def test_a_port_in_use_or_a_folder_that_cannot_be_gets_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("--smtp-port", str(taken.getsockname()[1]), "--http-port", "0", "--store", str(tmp_path))
    assert done.exit_code == 2
    assert "cannot listen on port" in done.stderr
    (tmp_path / "file").write_text("")
    done = run("--smtp-port", "0", "--http-port", "0", "--store", str(tmp_path / "file"))
    assert done.exit_code == 2
    assert "cannot be used" in done.stderr


def test_the_process_takes_mail_and_shows_it_until_told_to_stop(tmp_path):
    command = [sys.executable, "-m", "portal.notifications.development_mailbox"]
    command += ["--smtp-port", "0", "--http-port", "0", "--store", str(tmp_path / "mail")]
    env = {**os.environ, "COUNTERSIGN_ENVIRONMENT": "development"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"(http://\S+) .*smtp://127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found is not None
            with smtplib.SMTP("127.0.0.1", int(found[2]), timeout=60) as smtp:
                smtp.sendmail("a@example.org", ["b@example.org"], "Subject: By process\n\nGood day")
            assert "By process" in requests.get(found[1], timeout=60).text
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
