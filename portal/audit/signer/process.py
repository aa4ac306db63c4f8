"""Running the signer as its own process, from its own few settings: it needs no secret of the portal's."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from portal.audit.signer.notary import Notary
from portal.audit.signer.refusals import SignerError
from portal.audit.signer.server import listening
from portal.audit.signer.vault import vault_of
from portal.core.assets import ROOT
from portal.core.environment import read_url
from portal.core.errors import SettingsError
from portal.core.signer_place import SignerPlace, read_signer_place

log = logging.getLogger(__name__)


def notary_of(place: SignerPlace, public_url: str) -> Notary:
    """The signer that keeps its things in this place; touches nothing. The address names a log that is new."""
    return Notary(place.folder, vault_of(place), origin=origin_of(public_url))


def origin_of(public_url: str) -> str:
    """The log's name: the portal's address without its scheme, as tlog-checkpoint suggests."""
    parts = urlsplit(public_url)
    return f"{parts.netloc}{parts.path}/ledger"


def own_settings(environ: Mapping[str, str] | None = None) -> tuple[SignerPlace, str]:
    """Where the signer's things are, and the portal's address. Raises SettingsError."""
    env = os.environ if environ is None else environ
    in_checkout = (ROOT / "pyproject.toml").exists()
    home = Path(env.get("COUNTERSIGN_HOME") or (ROOT if in_checkout else Path.cwd()) / "var").resolve()
    return read_signer_place(env, home, holding=True), read_url(env, "PUBLIC_URL", "http://localhost:8000")


def run(place: SignerPlace, public_url: str) -> None:
    """Listen until SIGINT or SIGTERM. Raises SettingsError.

    A signer that cannot sign yet (its last head is lost, its token is away) listens as well, and says so to whoever asks.
    """
    if place.socket is None:
        message = "Set SIGNER_SOCKET to the path at which the signer is to listen."
        raise SettingsError(message)
    notary = notary_of(place, public_url)
    try:
        notary.begin()
        trouble = notary.state().trouble
    except SignerError as error:
        trouble = error.sentence
    if trouble:
        log.error("%s", trouble)
    with listening(place.socket, notary) as server:

        def stop(_number: int, _frame: FrameType | None) -> None:
            # From a thread of its own: it waits for the loop that this signal interrupted.
            threading.Thread(target=server.shutdown, daemon=True).start()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        log.info("The signer listens at %s", place.socket)
        server.serve_forever(poll_interval=0.2)
    log.info("The signer stopped")
