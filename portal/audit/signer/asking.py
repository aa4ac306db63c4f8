"""Asking the signer: at its socket where it is a process of its own, or in this process."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from portal.audit.notes import Head
from portal.audit.signer import protocol
from portal.audit.signer.answering import STATUSES, read_state, state_as_json
from portal.audit.signer.notary import SignerState
from portal.audit.signer.refusals import Away, Stale, Unready

#: A little more than the signer takes itself for a request.
SECONDS = 12.0
#: How long what the signer told of itself is believed without asking anew.
FRESH_SECONDS = 5.0
LARGEST_ANSWER = 262_144
#: A page that names the key does not wait longer for it.
STATE_SECONDS = 3.0
_ERRORS = {int(status): error for error, status in STATUSES.items()}


class Desk(Protocol):
    """Where heads are signed. `Notary` is one, in this process."""

    def state(self) -> SignerState:
        """As it is now. Raises SignerError."""

    def sign(self, old: int, proof: Sequence[bytes], head: Head) -> str:
        """The signature lines over the head. Raises SignerError."""

    def rotate(self, overlap: timedelta) -> SignerState:
        """Begin to sign with a new key as well. Raises SignerError."""

    def retire(self) -> SignerState:
        """Delete old keys. Raises SignerError."""


class SocketDesk:
    """The signer's process behind its socket.

    What it told of itself is kept in a file too (public keys and nothing secret), so that pages and evidence's checks
    know the ledger's keys while it is down.
    """

    def __init__(self, path: Path, kept: Path, *, seconds: float = SECONDS) -> None:
        self._path = path
        self._kept = kept
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known: SignerState | None = None
        self._known_at = 0.0

    def state(self) -> SignerState:
        """As it is now. Raises SignerError."""
        return self._learn(self._call("GET", protocol.STATE, seconds=min(self._seconds, STATE_SECONDS)))

    def known(self) -> SignerState:
        """What it told lately, or the last time. Raises SignerError when it never did and does not now."""
        with self._lock:
            if self._known and time.monotonic() - self._known_at < FRESH_SECONDS:
                return self._known
        try:
            return self.state()
        except (Away, Unready):
            kept = self._known or self._read_kept()
            if kept is None:
                raise
            with self._lock:
                self._known, self._known_at = kept, time.monotonic()
            return kept

    def sign(self, old: int, proof: Sequence[bytes], head: Head) -> str:
        """The signature lines over the head. Raises SignerError."""
        body = protocol.request_body(old, proof, head.body())
        return self._call("POST", protocol.ADD_CHECKPOINT, body).decode()

    def rotate(self, overlap: timedelta) -> SignerState:
        """Begin to sign with a new key as well. Raises SignerError."""
        body = b'{"overlap_days":%d}' % overlap.days
        return self._learn(self._call("POST", protocol.ROTATE, body))

    def retire(self) -> SignerState:
        """Delete old keys. Raises SignerError."""
        return self._learn(self._call("POST", protocol.RETIRE))

    def _call(self, method: str, path: str, body: bytes = b"", *, seconds: float | None = None) -> bytes:
        connection = _Connection(self._path, seconds or self._seconds)
        try:
            connection.request(method, path, body if method == "POST" else None)
            response = connection.getresponse()
            content = response.read(LARGEST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            message = f"The ledger's signer does not answer at {self._path} ({type(error).__name__})."
            raise Away(message) from error
        finally:
            connection.close()
        if response.status == HTTPStatus.OK:
            return content
        words = content.decode(errors="replace").strip()
        if response.status == HTTPStatus.CONFLICT and words.isascii() and words.isdecimal():
            raise Stale(int(words))
        raise _ERRORS.get(response.status, Away)(words or "The signer gave no reason.")

    def _learn(self, content: bytes) -> SignerState:
        try:
            state = read_state(content)
        except (ValueError, KeyError, TypeError) as error:
            message = f"What answers at {self._path} is not the ledger's signer."
            raise Away(message) from error
        with self._lock:
            news = self._known is None or self._known.verifiers != state.verifiers
            self._known, self._known_at = state, time.monotonic()
        if news:
            self._keep(state)
        return state

    def _keep(self, state: SignerState) -> None:
        temporary = self._kept.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            temporary.touch(mode=0o600)  # as everything beside it, though these keys are public
            temporary.write_bytes(state_as_json(state))
            temporary.replace(self._kept)
        except OSError:
            temporary.unlink(missing_ok=True)  # only a convenience: the signer will tell again

    def _read_kept(self) -> SignerState | None:
        try:
            return read_state(self._kept.read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            return None


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("signer", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
