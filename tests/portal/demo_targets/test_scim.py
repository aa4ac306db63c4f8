"""The demo directory as a process: seeded once, kept over restarts and kills, and only in development."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from scim2_models import Group
from scim2_server.utils import load_default_resource_types

from portal.demo_targets import scim

PEOPLE = Path(scim.__file__).parents[1] / "identity" / "demo_organisation.yaml"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


def command(folder: Path, port: int = 0, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "portal.demo_targets.scim", "--port", str(port)),
        *(
            "--state",
            str(folder / "state.json"),
            "--token-file",
            str(folder / "token"),
            "--people",
            str(PEOPLE),
        ),
        *more,
    ]


@contextmanager
def started(folder: Path, *more: str, port: int = 0) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    environment = {**os.environ, "COUNTERSIGN_ENVIRONMENT": "development"}
    with subprocess.Popen(
        command(folder, port, *more),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        headers = {"Authorization": f"Bearer {(folder / 'token').read_text()}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            yield client, process
        process.terminate()
        process.wait(10)


def names(client: httpx.Client, path: str, attribute: str) -> set[str]:
    return {resource[attribute] for resource in client.get(path, params={"count": 100}).json()["Resources"]}


def test_it_offers_the_roles_of_applications_and_a_few_accounts(tmp_path: Path) -> None:
    with started(tmp_path) as (client, _):
        groups = client.get("/Groups").json()["Resources"]
        assert {group["externalId"]: group["displayName"] for group in groups} == scim.ROLES
        users = client.get("/Users").json()["Resources"]
        assert len(users) == 10
        assert users[0].keys() >= {"userName", "displayName", "name", "emails", "active"}
    assert (tmp_path / "state.json").stat().st_mode & 0o077 == 0


def test_the_token_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-token-of-ours\n")
    with started(tmp_path) as (client, _):
        assert client.get("/Users", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/Users", headers={"Authorization": ""}).status_code == 401
        assert client.get("/Users", headers={"Authorization": "Bearer a-token-of-ours"}).status_code == 200


def test_what_was_changed_is_there_after_a_kill_and_nothing_is_seeded_twice(tmp_path: Path) -> None:
    with started(tmp_path) as (client, process):
        made = client.post("/Groups", json={"schemas": [GROUP], "displayName": "New"}).json()
        gone = client.get("/Groups", params={"filter": 'externalId eq "crm-admin"'}).json()["Resources"][0]
        assert client.delete(f"/Groups/{gone['id']}").status_code == 204
        before = (names(client, "/Groups", "displayName"), names(client, "/Users", "userName"))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with started(tmp_path) as (client, _):
        assert (names(client, "/Groups", "displayName"), names(client, "/Users", "userName")) == before
        assert "New" in before[0]
        assert scim.ROLES["crm-admin"] not in before[0]
        changed = client.put(
            f"/Groups/{made['id']}", json={"schemas": [GROUP], "displayName": "Newer"}
        ).json()
        assert changed["meta"]["version"] != made["meta"]["version"]
        assert changed["meta"]["created"] == made["meta"]["created"]


def test_a_change_that_cannot_be_kept_is_not_made(tmp_path: Path) -> None:
    application = scim.build(tmp_path / "state.json", "token", [])
    storage = application.storage
    assert isinstance(storage, scim.KeptStorage)
    groups = next(t for t in load_default_resource_types().values() if t.name == "Group")
    before = [resource.model_dump() for resource in storage.resources]
    storage._file = tmp_path / "state.json" / "not-a-folder"
    with pytest.raises(FileExistsError):
        storage.create(groups, Group(display_name="Lost"))
    assert [resource.model_dump() for resource in storage.resources] == before


def test_it_stops_in_order(tmp_path: Path) -> None:
    with started(tmp_path) as (_, process):
        process.terminate()
        assert process.wait(10) == 0


def test_it_starts_in_development_only(tmp_path: Path) -> None:
    for environment in ("production", "", None):
        env = {key: value for key, value in os.environ.items() if key != "COUNTERSIGN_ENVIRONMENT"}
        if environment is not None:
            env["COUNTERSIGN_ENVIRONMENT"] = environment
        refused = subprocess.run(
            command(tmp_path), env=env, capture_output=True, text=True, check=False, timeout=60
        )
        assert refused.returncode == 1
        assert refused.stderr == "The demo directory runs only with COUNTERSIGN_ENVIRONMENT=development.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = {**os.environ, "COUNTERSIGN_ENVIRONMENT": "development"}
        refused = subprocess.run(
            command(tmp_path, port), env=env, capture_output=True, text=True, check=False, timeout=60
        )
    assert refused.returncode == 1
    assert (
        refused.stderr == f"The demo directory cannot listen on 127.0.0.1:{port}: Address already in use.\n"
    )


def test_an_empty_token_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(SystemExit, match="holds no token"):
        scim.read_token(tmp_path / "token")


def test_half_a_seeding_is_never_kept(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        scim.build(tmp_path / "state.json", "token", [{"user_name": "ana"}])
    assert not (tmp_path / "state.json").exists()
