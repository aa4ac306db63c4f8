"""What one run of `countersign up` consists of: its settings, and which parts run because none was given."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.core.assets import ROOT
from portal.core.errors import SettingsError
from portal.core.queues import DEFAULT_QUEUE
from portal.core.settings import Settings
from portal.core.signer_place import LONGEST_SOCKET_PATH as LONGEST_SIGNER_PATH
from portal.identity.development_sso.__main__ import DEMO_ORGANISATION
from portal.jobs.process import ready_file
from portal.supervisor.folders import SECRETS, lay_out, secret_file
from portal.supervisor.ports import Ports, choose_ports, insist_free
from portal.supervisor.process import Part
from portal.supervisor.ready import accepts, answers_http, answers_redis, exists, listens
from portal.supervisor.redis import LONGEST_SOCKET_PATH, find_redis_server, redis_command

PYTHON = (sys.executable, "-P", "-m")


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The settings as every part gets them, and the parts: `targets` first, then those of the portal itself.

    A part that the environment names already (REDIS_URL, SIGNER_SOCKET, OIDC_ISSUER, SMTP_URL, SCIM_URL) is not
    embedded.
    """

    home: Path
    environment: Mapping[str, str]
    settings: Settings
    ports: Ports
    targets: tuple[Part, ...]
    portal: tuple[Part, ...]
    sso_url: str | None
    mailbox_url: str | None


def address(environ: Mapping[str, str], home: Path | None) -> dict[str, str]:
    """The environment with its data folder and kind settled. Raises SettingsError outside development."""
    given = {**environ, "COUNTERSIGN_ENVIRONMENT": environ.get("COUNTERSIGN_ENVIRONMENT") or "development"}
    if given["COUNTERSIGN_ENVIRONMENT"] != "development":
        message = (
            "countersign up is for trying the portal out and runs with COUNTERSIGN_ENVIRONMENT=development only. "
            "In production run countersign web, worker and scheduler under a service manager."
        )
        raise SettingsError(message)
    if home is not None:
        given["COUNTERSIGN_HOME"] = str(home)
    return {**given, "COUNTERSIGN_HOME": str(Settings.from_environment(given).home)}


def furnish(given: Mapping[str, str], ports: str | None = None) -> House:
    """Lay out the data folder, choose ports and say what is to run. Raises SettingsError with a sentence.

    `given` is what `address` gave; call while holding the data folder's lock.
    """
    place = Path(given["COUNTERSIGN_HOME"])
    lay_out(place)
    chosen = choose_ports(ports, given, place / "run" / "ports.json")
    embedded = {
        "sso": not given.get("OIDC_ISSUER"),
        "mailbox": not given.get("SMTP_URL") and not given.get("SMTP_URL_FILE"),
        "scim": not given.get("SCIM_URL"),
    }
    socket = place / "run" / "redis.sock"
    redis = None if given.get("REDIS_URL") or given.get("REDIS_URL_FILE") else find_redis_server()
    if redis is not None and len(bytes(socket)) > LONGEST_SOCKET_PATH:
        redis = None  # the portal works without; a longer path cannot be a socket
    environment = _environment(given, place, chosen, embedded, socket if redis else None)
    signer = place / "run" / "signer.sock"
    # One that was given is somebody else's to run; where the path is too long, each process signs by itself.
    signs = not given.get("SIGNER_SOCKET") and len(bytes(signer)) <= LONGEST_SIGNER_PATH
    if signs:
        environment["SIGNER_SOCKET"] = str(signer)
    settings = Settings.from_environment(environment)
    targets = [
        *([_redis(redis, place, socket)] if redis else []),
        *([_signer(signer)] if signs else []),
        *([_sso(place, chosen, settings)] if embedded["sso"] else []),
        *([_mailbox(place, chosen)] if embedded["mailbox"] else []),
        *([_scim(place, chosen)] if embedded["scim"] else []),
    ]
    return House(
        home=place,
        environment=environment,
        settings=settings,
        ports=chosen,
        targets=tuple(targets),
        portal=(_scheduler(place), *_workers(place, settings), _web(chosen)),
        sso_url=settings.oidc_issuer if embedded["sso"] else None,
        mailbox_url=f"http://localhost:{chosen.mailbox}" if embedded["mailbox"] else None,
    )


def insist_ports_free(house: House) -> None:
    """Raise SettingsError that names the first part whose port is in use."""
    names = {part.name for part in house.targets}
    wanted = [
        ("The portal", house.ports.portal, True),
        ("The development sign-in", house.ports.sso, "sso" in names),
        ("The development mailbox's page", house.ports.mailbox, "mailbox" in names),
        ("The development mailbox", house.ports.smtp, "mailbox" in names),
        ("The demo directory", house.ports.scim, "scim" in names),
    ]
    for title, port, needed in wanted:
        if needed:
            insist_free(port, title)


def _environment(
    given: Mapping[str, str], home: Path, ports: Ports, embedded: Mapping[str, bool], socket: Path | None
) -> dict[str, str]:
    portal = f"http://localhost:{ports.portal}"
    made = {
        "PUBLIC_URL": given.get("PUBLIC_URL") or portal,
        "PYTHONUNBUFFERED": "1",
    }
    environment = {**given, **made}
    if (ROOT / "pyproject.toml").exists():
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), given.get("PYTHONPATH")]))
    if socket is not None:
        environment["REDIS_URL"] = f"unix://{socket}"
    if embedded["sso"]:
        environment["OIDC_ISSUER"] = f"http://localhost:{ports.sso}"
        environment.pop("OIDC_CLIENT_SECRET", None)
    if embedded["mailbox"]:
        environment["SMTP_URL"] = f"smtp://127.0.0.1:{ports.smtp}"
    if embedded["scim"]:
        environment["SCIM_URL"] = f"http://127.0.0.1:{ports.scim}/v2"
        environment.pop("SCIM_TOKEN", None)
    for name in SECRETS:
        variable = name.upper()
        if not environment.get(variable):
            environment.setdefault(f"{variable}_FILE", str(secret_file(home, name)))
    return environment


def _redis(binary: str, home: Path, socket: Path) -> Part:
    command = redis_command(binary, home / "run", socket)
    return Part(name="redis", title="Redis server", command=command, ready=answers_redis(socket))


def _signer(socket: Path) -> Part:
    # In the lowest wave: whoever has something signed while it stops is still answered.
    return Part(
        name="signer",
        title="ledger's signer",
        command=(*PYTHON, "portal.audit.signer"),
        ready=listens(socket),
    )


def _sso(home: Path, ports: Ports, settings: Settings) -> Part:
    url = settings.public_url
    command = (
        *PYTHON, "portal.identity.development_sso", "--port", str(ports.sso), "--issuer", settings.oidc_issuer,
        "--people", str(DEMO_ORGANISATION), "--state", str(home / "state" / "sso"),
        "--client-id", settings.oidc_client_id, "--client-secret-file", str(secret_file(home, "oidc_client_secret")),
        "--redirect-uri", f"{url}/sign-in/callback", "--post-logout-redirect-uri", f"{url}/signed-out",
        "--backchannel-logout-uri", f"{url}/sign-out/back-channel",
    )  # fmt: skip
    ready = answers_http(ports.sso, "/.well-known/openid-configuration")
    return Part(name="sso", title="development sign-in", command=command, ready=ready, wave=1)


def _mailbox(home: Path, ports: Ports) -> Part:
    command = (
        *PYTHON, "portal.notifications.development_mailbox", "--smtp-port", str(ports.smtp),
        "--http-port", str(ports.mailbox), "--store", str(home / "state" / "mailbox"),
    )  # fmt: skip
    page, smtp = answers_http(ports.mailbox, "/"), accepts(ports.smtp)
    return Part(
        name="mailbox", title="development mailbox", command=command, ready=lambda: page() and smtp(), wave=1
    )


def _scim(home: Path, ports: Ports) -> Part:
    command = (
        *PYTHON, "portal.demo_targets.scim", "--port", str(ports.scim), "--state", str(home / "state" / "scim.json"),
        "--token-file", str(secret_file(home, "scim_token")), "--people", str(DEMO_ORGANISATION),
    )  # fmt: skip
    ready = answers_http(ports.scim, "/v2/ServiceProviderConfig")
    return Part(name="scim", title="demo directory", command=command, ready=ready, wave=1)


def _web(ports: Ports) -> Part:
    command = (*PYTHON, "portal.supervisor.serving", "--port", str(ports.portal))
    ready = answers_http(ports.portal, "/health/ready")
    return Part(name="web", title="portal", command=command, ready=ready, wave=3, stop_seconds=10.0)


def _workers(home: Path, settings: Settings) -> Iterator[Part]:
    """One for each queue; without QUEUES one for all."""
    yield _waited_for(home, "worker", stop_seconds=30.0)
    for queue in dict.fromkeys(queue for _connector, queue in settings.queues if queue != DEFAULT_QUEUE):
        yield _waited_for(home, f"worker-{queue}", "portal.worker", queue, stop_seconds=30.0)


def _scheduler(home: Path) -> Part:
    return _waited_for(home, "scheduler", stop_seconds=5.0)


def _waited_for(home: Path, name: str, *started_as: str, stop_seconds: float) -> Part:
    file = ready_file(home / "run", name)
    file.unlink(missing_ok=True)
    command = (*PYTHON, *(started_as or (f"portal.{name}",)))
    return Part(name=name, title=name, command=command, ready=exists(file), wave=2, stop_seconds=stop_seconds)
