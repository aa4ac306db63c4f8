from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from portal.core.errors import SettingsError
from portal.identity.development_sso.__main__ import main
from portal.identity.development_sso.config import SsoConfig
from portal.identity.development_sso.keys import signing_key

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "secret").write_text("client secret\n")
    return [
        *("--issuer", "http://localhost:1", "--state", str(tmp_path / "state"), "--client-id", "countersign"),
        *("--client-secret-file", str(tmp_path / "secret"), "--redirect-uri", "http://localhost/callback"),
    ]


def run(*arguments, environment="development"):
    return CliRunner().invoke(main, arguments, env={"COUNTERSIGN_ENVIRONMENT": environment})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("environment", ["production", "Development", None])
def test_it_refuses_to_start_outside_development(arguments, environment, tmp_path):
    done = run("--port", "0", *arguments, environment=environment)
    assert done.exit_code == 2
    assert "COUNTERSIGN_ENVIRONMENT" in done.stderr
    assert "must be development" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "::ffff:127.0.0.1"])
def test_it_listens_on_loopback_only(arguments, host):
    done = run("--port", "0", "--host", host, *arguments)
    assert done.exit_code == 2
    assert "loopback only" in done.stderr


def test_a_port_in_use_gets_one_sentence(arguments):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("--port", str(taken.getsockname()[1]), *arguments)
    assert done.exit_code == 2
    assert "cannot listen on port" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("people: [", "not readable YAML"),
        ("people: {}", "no list of people"),
        ("people: []", "no list of people"),
        ("- x", "no list of people"),
        ("people: [{name: X}]", "Person 1 in"),
        ("people: [5]", "Person 1 in"),
        (
            "people: [{subject: a, user_name: x, name: X, email: x@y}, {subject: a, user_name: z, name: Z, email: z@y}]",
            "gives the subject 'a' to two people",
        ),
    ],
)
def test_a_people_file_that_makes_no_sense_gets_one_sentence(arguments, tmp_path, text, sentence):
    (tmp_path / "people.yaml").write_text(text)
    done = run("--port", "0", "--people", str(tmp_path / "people.yaml"), *arguments)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_files_get_one_sentence(arguments, tmp_path):
    done = run("--port", "0", "--people", str(tmp_path / "none.yaml"), *arguments)
    assert done.exit_code == 2
    assert "cannot be read" in done.stderr
    (tmp_path / "secret").unlink()
    done = run("--port", "0", *arguments)
    assert done.exit_code == 2
    assert "client secret file" in done.stderr


@pytest.mark.parametrize(
    "issuer",
    [
        "http://sso.example",
        "http://localhost:1/sso",
        "localhost:1",
        "ftp://localhost",
        "http://localhost:1?x=1",
    ],
)
def test_the_issuer_is_an_origin_that_is_safe_to_use(tmp_path, issuer):
    with pytest.raises(SettingsError, match="issuer"):
        SsoConfig(
            issuer=issuer,
            client_id="c",
            client_secret="s",
            redirect_uris=("http://x/",),
            people=(),
            state=tmp_path,
        )


def test_the_process_serves_until_told_to_stop_and_keeps_its_key(arguments, tmp_path):
    keys = []
    for _ in range(2):
        port = free_port()
        command = [sys.executable, "-m", "portal.identity.development_sso", *arguments]
        command += ["--port", str(port), "--issuer", f"http://localhost:{port}"]
        env = {**os.environ, "COUNTERSIGN_ENVIRONMENT": "development"}
        with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert f"http://localhost:{port}" in process.stdout.readline()
                keys.append(requests.get(f"http://localhost:{port}/jwks", timeout=60).json())
                started = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=60) == 0
                assert time.monotonic() - started < 5
            finally:
                process.kill()
    assert keys[0] == keys[1]
    assert "d" not in keys[0]["keys"][0]


def test_the_key_is_readable_by_its_owner_only_even_if_it_was_not(tmp_path):
    folder = tmp_path / "state"
    first = signing_key(folder)
    file = folder / "signing-key.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    file.chmod(0o644)
    assert signing_key(folder).kid == first.kid
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["signing-key.pem"]


@pytest.mark.parametrize(
    "content", ["", "nonsense", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"]
)
def test_a_spoilt_key_gets_one_sentence(tmp_path, content):
    (tmp_path / "signing-key.pem").write_text(content)
    with pytest.raises(SettingsError, match="delete it"):
        signing_key(tmp_path)


def test_a_public_key_is_no_signing_key(tmp_path):
    public = signing_key(tmp_path).as_pem(private=False)
    (tmp_path / "signing-key.pem").write_bytes(public)
    with pytest.raises(SettingsError, match="no private key"):
        signing_key(tmp_path)
