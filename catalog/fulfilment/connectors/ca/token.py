"""A PKCS#11 token (an HSM, or SoftHSM): one session of this process, opened anew when it is lost.

A wrong PIN is tried once in a process and never again, because a token locks itself after a few.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

if TYPE_CHECKING:
    from pkcs11 import Session

T = TypeVar("T")
#: Seconds that a call waits for another thread's to end.
_WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlace:
    """Where the token is: the vendor's library, the token's label, the PIN, and what our keys' labels begin with."""

    module: str
    token: str
    pin: str = field(repr=False)
    key: str = "countersign"


class Token:
    """Does things in the token, one after the other."""

    def __init__(self, place: TokenPlace) -> None:
        self.place = place
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._process = os.getpid()
        self._wrong_pin = False

    def do(self, act: Callable[[Session], T]) -> T:
        """What `act` gives, in a session; a session that was lost is opened once more.

        Raises ConnectorError: permanent for a wrong PIN or a missing library, passing for a token that is away.
        """
        pkcs11 = _library()
        with self._held():
            try:
                try:
                    return act(self._opened(pkcs11))
                except (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.NoSuchKey):
                    raise
                except pkcs11.PKCS11Error:
                    self._session = None
                    pkcs11.lib(self.place.module).reinitialize()
                    return act(self._opened(pkcs11))
            except (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinExpired) as error:
                self._session, self._wrong_pin = None, True
                raise self._refused() from error
            except pkcs11.NoSuchKey as error:
                message = say(
                    "The token “%(token)s” holds no key “%(key)s”. An operator must make the authority: "
                    "countersign ca create",
                    token=self.place.token,
                    key=str(error) or self.place.key,
                )
                raise ConnectorError(message, permanent=True) from error
            except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
                # The library says RuntimeError where the module's file cannot be loaded.
                self._session = None
                raise self._away(error) from error

    def _opened(self, pkcs11: Any) -> Session:
        if self._session is not None:
            return self._session
        if self._wrong_pin:
            raise self._refused()
        library = pkcs11.lib(self.place.module)
        if self._process != os.getpid():
            # PKCS#11 v2.40 §6.6.1: what a process got from the library is not its child's.
            library.reinitialize()
            self._process = os.getpid()
        token = library.get_token(token_label=self.place.token)
        try:
            self._session = token.open(rw=True, user_pin=self.place.pin)
        except pkcs11.UserAlreadyLoggedIn:
            # A login is the whole process's; another part of it was first.
            self._session = token.open(rw=True)
        return self._session

    @contextmanager
    def _held(self) -> Iterator[None]:
        if self._process != os.getpid():
            self._lock, self._session = threading.Lock(), None
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            raise self._away(TimeoutError("busy"))
        try:
            yield
        finally:
            self._lock.release()

    def _refused(self) -> ConnectorError:
        message = say(
            "The token “%(token)s” refuses the PIN. An operator must set CA_PKCS11_PIN and start the portal anew; "
            "it is not tried again, so that the token does not lock itself.",
            token=self.place.token,
        )
        return ConnectorError(message, permanent=True)

    def _away(self, error: Exception) -> ConnectorError:
        message = say(
            "The token “%(token)s” with the certificate authority's key does not answer (%(words)s). "
            "The portal tries again by itself; if this lasts, an operator must look at it.",
            token=self.place.token,
            words=type(error).__name__ if not str(error) else f"{type(error).__name__}: {error}",
        )
        return ConnectorError(message)


def _library() -> Any:
    try:
        import pkcs11  # noqa: PLC0415  (an extra: who keeps keys in files does not have it)
    except ImportError as error:
        message = say(
            "The authority's key is in a token, but the library for tokens is missing. "
            "An operator must install: countersign[pkcs11]"
        )
        raise ConnectorError(message, permanent=True) from error
    return pkcs11
