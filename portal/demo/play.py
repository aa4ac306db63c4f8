"""`countersign demo`: find the portal that runs here or start one, and play the story with rich."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from rich.console import Console

from portal.audit.checkpoint import Signer
from portal.core.errors import SettingsError
from portal.core.settings import Settings
from portal.demo.story import Story, play
from portal.demo.visitor import StoryFailed
from portal.identity.development_sso.visitor import SignInStopped
from portal.supervisor.house import House, address, furnish
from portal.supervisor.up import STATE_FILE, UpOptions, running


def play_demo(home: Path | None, console: Console) -> int:
    """Play the story and print each step. Gives the exit status: 0 only if every step held."""
    started = time.monotonic()
    console.print("[bold]Countersign: the whole story[/bold]")
    try:
        with _portal(home, console) as (settings, mailbox_url):
            folder = settings.home / "demo"
            verifier = Signer.from_settings(settings).verifier
            play(Story(settings, mailbox_url, verifier, folder, _teller(console)))
    except (StoryFailed, SignInStopped, SettingsError, requests.RequestException) as error:
        console.print(f"[bold red]✗[/bold red] {error}", markup=True, highlight=False)
        return 1
    console.print(
        f"[bold green]Every step held.[/bold green] {time.monotonic() - started:.0f} s, files in {folder}"
    )
    return 0


def _teller(console: Console) -> Callable[[str, str], None]:
    def tell(step: str, figure: str) -> None:
        console.print(f"[green]✓[/green] {step} [dim]{figure}[/dim]", highlight=False)

    return tell


@contextmanager
def _portal(home: Path | None, console: Console) -> Iterator[tuple[Settings, str]]:
    given = address(os.environ, home)
    state = Path(given["COUNTERSIGN_HOME"]) / "run" / STATE_FILE
    if state.exists():
        known = json.loads(state.read_text(encoding="utf-8"))
        console.print(f"Using the portal that runs at {known['portal']}")
        yield _settings_of_running(given, known), str(known["mailbox"])
        return
    with console.status("Starting a portal for the story…"), _started(home) as house:
        console.print(f"Started a portal at {house.settings.public_url}")
        yield house.settings, str(house.mailbox_url)


@contextmanager
def _started(home: Path | None) -> Iterator[House]:
    with running(UpOptions(home=home, ports="auto")) as house:
        yield house


def _settings_of_running(given: dict[str, str], known: dict[str, str]) -> Settings:
    """The settings of a portal that runs already, which may have chosen other ports."""
    running_at = {"PUBLIC_URL": known["portal"], "OIDC_ISSUER": known["sso"], "SCIM_URL": known["scim"]}
    return furnish({**given, **running_at}).settings
