from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from portal.core.errors import SettingsError
from portal.supervisor import house as furnishing
from portal.supervisor.house import address, furnish, insist_ports_free
from portal.supervisor.lock import only_one


def furnished(tmp_path, **environ):
    return furnish(address(environ, tmp_path / "home"), "auto")


def names(house):
    return [part.name for part in (*house.targets, *house.portal)]


def test_an_empty_folder_becomes_a_house_with_everything_embedded(tmp_path):
    house = furnished(tmp_path)
    assert names(house) == ["redis", "signer", "sso", "mailbox", "scim", "scheduler", "worker", "web"]
    assert house.settings.home == tmp_path / "home"
    assert house.settings.redis_url == f"unix://{tmp_path}/home/run/redis.sock"
    assert house.settings.public_url == f"http://localhost:{house.ports.portal}"
    assert house.settings.oidc_issuer == house.sso_url == f"http://localhost:{house.ports.sso}"


def test_generated_secrets_are_kept_and_readable_by_their_owner_only(tmp_path):
    first, second = furnished(tmp_path), furnished(tmp_path)
    assert first.settings.secret_key == second.settings.secret_key
    assert len(first.settings.secret_key) == 64
    assert first.settings.secret_key != first.settings.oidc_client_secret != first.settings.scim_token
    files = list((tmp_path / "home" / "secrets").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "home" / "secrets").stat().st_mode) == 0o700


def test_no_secret_stands_in_a_command_line(tmp_path):
    house = furnished(tmp_path)
    said = " ".join(word for part in (*house.targets, *house.portal) for word in part.command)
    for secret in (house.settings.secret_key, house.settings.oidc_client_secret, house.settings.scim_token):
        assert secret not in said


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("REDIS_URL", "redis://127.0.0.1:6379", "redis"),
        ("OIDC_ISSUER", "https://sso.example", "sso"),
        ("SMTP_URL", "smtp://mail.example:25", "mailbox"),
        ("SCIM_URL", "https://directory.example/v2", "scim"),
    ],
)
def test_a_part_that_the_environment_names_is_not_embedded(tmp_path, variable, value, part):
    house = furnished(tmp_path, **{variable: value})
    assert part not in names(house)
    assert house.environment[variable] == value


def test_the_embedded_sign_in_and_the_portal_share_one_secret_whatever_the_environment_says(tmp_path):
    house = furnished(tmp_path, OIDC_CLIENT_SECRET="another-one-for-another-provider")
    assert house.settings.oidc_client_secret == (tmp_path / "home/secrets/oidc_client_secret").read_text()


def test_without_any_redis_server_the_house_does_without(tmp_path, monkeypatch):
    monkeypatch.setattr(furnishing, "find_redis_server", lambda: None)
    house = furnished(tmp_path)
    assert "redis" not in names(house)
    assert house.settings.redis_url is None


def test_a_folder_too_deep_for_a_socket_does_without_redis(tmp_path):
    house = furnish(address({}, tmp_path / ("deep" * 30)), "auto")
    assert "redis" not in names(house)


def test_it_refuses_to_run_in_production(tmp_path):
    with pytest.raises(SettingsError, match="for trying the portal out"):
        address({"COUNTERSIGN_ENVIRONMENT": "production"}, tmp_path)


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(SettingsError, match=r"^The data folder .*home cannot be used: .*Choose another"):
        furnished(tmp_path)


def test_a_port_in_use_names_the_part(tmp_path):
    import socket

    house = furnished(tmp_path)
    with (
        socket.create_server(("127.0.0.1", house.ports.scim)),
        pytest.raises(SettingsError, match="The demo directory cannot listen on port"),
    ):
        insist_ports_free(house)


def test_two_on_one_folder_are_refused_with_the_first_ones_number(tmp_path):
    lock = tmp_path / "run" / "up.lock"
    code = f"""
import pathlib, sys, time
from portal.supervisor.lock import only_one
with only_one(pathlib.Path({str(lock)!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(SettingsError) as caught, only_one(lock):
            pass
        holder.kill()
    assert str(caught.value) == (
        f"Countersign is already running on {tmp_path} (process {holder.pid}). Stop it, or choose another "
        "data folder with COUNTERSIGN_HOME."
    )
    with only_one(lock):
        pass  # the kernel took the lock back
