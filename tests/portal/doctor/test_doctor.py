from __future__ import annotations

import importlib
import json
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from rich.console import Console
from sqlalchemy import text

from portal import doctor
from portal.core.database import make_engine
from portal.core.migrate import upgrade
from portal.core.settings import Settings
from portal.doctor import State
from portal.doctor.machine import check_machine
from portal.doctor.surroundings import check_surroundings


@pytest.fixture
def settings(tmp_path):
    return Settings.from_environment(
        {
            "COUNTERSIGN_HOME": str(tmp_path / "home"),
            "SMTP_URL": "smtp://127.0.0.1:9",
            "OIDC_ISSUER": "http://127.0.0.1:9",
        }
    )


def found(checks, name):
    (check,) = [check for check in checks if check.name == name]
    return check


def test_on_this_machine_all_that_the_tests_need_is_there(settings):
    bad = [check for check in check_machine(settings) if check.state is not State.OK]
    assert bad == []


def test_in_development_what_up_starts_is_a_warning_and_what_it_says_how_to_mend(settings):
    checks = doctor.run(settings)
    assert doctor.healthy(checks)
    for name, variable in (("Mail", "SMTP_URL"), ("Sign-in", "OIDC_ISSUER")):
        assert found(checks, name).state is State.WARN
        assert variable in found(checks, name).mend
    assert found(checks, "Database").state is State.WARN


def test_in_production_the_same_is_in_the_way(settings):
    checks = list(check_surroundings(replace(settings, environment="production")))
    assert not doctor.healthy(checks)
    failing = {check.name for check in checks if check.state is State.FAIL}
    assert failing == {"Mail", "Sign-in", "Database", "Secrets set"}


def test_looking_makes_no_file(settings):
    doctor.run(settings)
    assert not settings.home.exists()


def test_a_database_at_this_version_is_well(settings, database_url):
    settings = replace(settings, database_url=database_url)
    upgrade(settings)
    assert found(check_surroundings(settings), "Database").state is State.OK


def test_an_old_database_says_how_to_bring_it_up(settings, database_url):
    settings = replace(settings, database_url=database_url)
    upgrade(settings)
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('from-the-future')"))
    engine.dispose()
    check = found(check_surroundings(settings), "Database")
    assert check.state is State.FAIL
    assert "newer version of Countersign" in check.finding


def test_a_database_that_does_not_answer_is_in_the_way(settings):
    settings = replace(settings, database_url="postgresql://nobody@127.0.0.1:9/none")
    assert found(check_surroundings(settings), "Database").state is State.FAIL


def test_a_key_that_others_can_read_is_named_with_the_command(settings):
    settings.keys_folder.mkdir(parents=True)
    key = settings.keys_folder / "ledger.key"
    key.touch(mode=0o644)
    check = found(check_surroundings(settings), "Keys and secrets")
    assert (check.state, check.mend) == (State.FAIL, f"chmod 600 {key}")
    key.chmod(0o600)
    assert found(check_surroundings(settings), "Keys and secrets").state is State.OK


def test_a_redis_that_answers_is_well_and_a_dead_one_a_warning(settings, redis_server):
    settings = replace(settings, redis_url=redis_server.url)
    assert found(check_surroundings(settings), "Redis").state is State.OK
    redis_server.kill()
    assert found(check_surroundings(settings), "Redis").state is State.WARN


def test_a_provider_that_speaks_for_another_issuer_is_in_the_way(settings):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"issuer": "https://evil.example"}).encode())

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = replace(settings, oidc_issuer=f"http://127.0.0.1:{server.server_port}")
        assert found(check_surroundings(settings), "Sign-in").state is State.FAIL
        server.shutdown()


def test_missing_pango_is_said_with_the_packages_to_install(settings, monkeypatch):
    real = importlib.import_module

    def without_pango(name, *rest):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0': no such file\nand a long explanation")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without_pango)
    check = found(check_machine(settings), "PDF libraries")
    assert check.state is State.FAIL
    assert check.finding == "cannot load library 'libpango-1.0-0': no such file"
    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in check.mend


def test_missing_programs_are_in_the_way_or_not_by_what_they_are_for(settings, monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    checks = list(check_machine(settings))
    assert found(checks, "git").state is State.FAIL
    assert found(checks, "nft").state is State.FAIL
    assert "apt-get install nftables" in found(checks, "nft").mend
    assert found(checks, "openssl").state is State.WARN
    assert found(checks, "pdfsig").state is State.WARN


def test_the_table_and_the_json_hold_every_check(settings):
    checks = doctor.run(settings)
    assert [row["name"] for row in json.loads(doctor.to_json(checks))] == [check.name for check in checks]
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(doctor.table_of(checks))
    shown = console.export_text()
    console.file.close()
    for check in checks:
        assert check.name in shown


def test_mail_that_is_taken_is_well(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"220 here\r\n")
                while line := connection.recv(1000):
                    connection.sendall(
                        b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 here\r\n"
                    )

        threading.Thread(target=answer, daemon=True).start()
        settings = replace(settings, smtp_url=f"smtp://127.0.0.1:{server.getsockname()[1]}")
        assert found(check_surroundings(settings), "Mail").state is State.OK
