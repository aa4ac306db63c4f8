"""The development sign-in as a real server on a free port, and a visitor who signs in without a browser."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from portal.core.development import listen_on_loopback, serving
from portal.identity.development_sso.__main__ import DEMO_ORGANISATION
from portal.identity.development_sso.config import NAME, SsoConfig
from portal.identity.development_sso.keys import signing_key
from portal.identity.development_sso.people import Person, read_organisation
from portal.identity.development_sso.views import create_sso
from portal.identity.development_sso.visitor import SignInStopped, sign_in_through_sso

__all__ = ["DevelopmentSso", "SignInStopped", "SsoClock", "sign_in_through_sso"]


@dataclass
class SsoClock:
    """Seconds since 1970; `ahead` moves the provider's time without waiting."""

    ahead: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass(frozen=True)
class DevelopmentSso:
    """A running provider: what a client needs to know of it."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    post_logout_redirect_uri: str
    people: dict[str, Person]
    app: Any
    clock: SsoClock = field(compare=False)

    def person(self, user_name: str) -> Person:
        return self.people[user_name]


@pytest.fixture
def sso_client() -> dict[str, Any]:
    """What the provider knows of its client; a test folder overrides this with its own addresses."""
    return {
        "redirect_uris": ("http://localhost/sign-in/callback",),
        "post_logout_redirect_uris": ("http://localhost/",),
        "backchannel_logout_uri": None,
    }


@pytest.fixture(scope="session")
def kept_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signing key as a provider makes and keeps it: that takes as long as everything else with which it begins."""
    folder = tmp_path_factory.mktemp("sso-key")
    signing_key(folder)
    (file,) = folder.iterdir()
    return file


@pytest.fixture
def start_development_sso(
    tmp_path: Path, kept_key: Path
) -> Callable[..., AbstractContextManager[DevelopmentSso]]:
    """`with start_development_sso(redirect_uris=(…,)) as sso:` runs a provider while the block lasts."""

    @contextmanager
    def start(
        *,
        redirect_uris: tuple[str, ...],
        post_logout_redirect_uris: tuple[str, ...] = (),
        backchannel_logout_uri: str | None = None,
        state: Path | None = None,
        people: Path = DEMO_ORGANISATION,
    ) -> Iterator[DevelopmentSso]:
        listener = listen_on_loopback(NAME, "127.0.0.1", 0)
        issuer = f"http://localhost:{listener.getsockname()[1]}"
        organisation, clock = read_organisation(people), SsoClock()
        state = state or tmp_path / "sso"
        if not state.exists():
            state.mkdir(mode=0o700, parents=True)
            shutil.copy2(kept_key, state)
        config = SsoConfig(
            issuer=issuer,
            client_id="countersign",
            client_secret="the portal's own secret: for tests",
            redirect_uris=redirect_uris,
            post_logout_redirect_uris=post_logout_redirect_uris,
            backchannel_logout_uri=backchannel_logout_uri,
            people=organisation.people,
            organisation=organisation.name,
            state=state,
            clock=clock,
        )
        app = create_sso(config)
        with serving(listener, app):
            yield DevelopmentSso(
                issuer=issuer,
                client_id=config.client_id,
                client_secret=config.client_secret,
                redirect_uri=redirect_uris[0],
                post_logout_redirect_uri=(post_logout_redirect_uris or ("",))[0],
                people={person.user_name: person for person in organisation.people},
                app=app,
                clock=clock,
            )

    return start


@pytest.fixture
def development_sso(
    start_development_sso: Callable[..., AbstractContextManager[DevelopmentSso]], sso_client: dict[str, Any]
) -> Iterator[DevelopmentSso]:
    """A running provider with the demonstration's people and the client of `sso_client`."""
    with start_development_sso(**sso_client) as sso:
        yield sso
