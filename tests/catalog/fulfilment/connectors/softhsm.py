"""A PKCS#11 token in a folder (Debian's SoftHSM): one for all tests of this process, its keys named by each test."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import uuid
from functools import lru_cache
from pathlib import Path

from catalog.fulfilment.connectors.ca.token import Token, TokenPlace
from catalog.fulfilment.connectors.ca.token_keys import TokenKeys
from tests.fixtures_servers import required

LABEL, PIN = "authority", "8642"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"


@lru_cache(maxsize=1)
def module() -> str:
    """The library, with a token beside it whose place only this process knows."""
    folder = Path(tempfile.mkdtemp(prefix="cs-hsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    new = ["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "13579"]
    subprocess.run([required("softhsm2-util"), *new], check=True, capture_output=True)
    return MODULE


def place(**changes: str) -> TokenPlace:
    """The token, for keys whose labels nobody else has."""
    settings = {"module": module(), "token": LABEL, "pin": PIN, "key": f"key-{uuid.uuid4().hex[:8]}"}
    return TokenPlace(**settings | changes)


def keys(**changes: str) -> TokenKeys:
    """Keys in the token, by a session of their own."""
    return TokenKeys(Token(place(**changes)))
