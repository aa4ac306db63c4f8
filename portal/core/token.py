"""A PKCS#11 token (an HSM, or SoftHSM): one session of this process, opened anew when it is lost.

A wrong PIN is tried once in a process and never again, because a token locks itself after a few. What is in the way
is told as TokenError without words for people: whoever keeps keys there knows whose keys they are.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pkcs11 import Session

T = TypeVar("T")
#: Seconds that a call waits for another thread's to end.
_WAIT_SECONDS = 10.0


class Trouble(StrEnum):
    """What may be in the way. All but AWAY stay until somebody mends them."""

    NO_LIBRARY = "no-library"
    PIN = "pin"
    NO_KEY = "no-key"
    AWAY = "away"


class TokenError(Exception):
    """The token did not do it. `words` are the library's, or the key's label."""

    def __init__(self, trouble: Trouble, words: str = "") -> None:
        super().__init__(f"{trouble}: {words}")
        self.trouble = trouble
        self.words = words


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
        """What `act` gives, in a session; a session that was lost is opened once more. Raises TokenError."""
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
                raise TokenError(Trouble.PIN) from error
            except pkcs11.NoSuchKey as error:
                raise TokenError(Trouble.NO_KEY, str(error) or self.place.key) from error
            except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
                # The library says RuntimeError where the module's file cannot be loaded.
                self._session = None
                raise _away(error) from error

    def _opened(self, pkcs11: Any) -> Session:
        if self._session is not None:
            return self._session
        if self._wrong_pin:
            raise TokenError(Trouble.PIN)
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
            raise _away(TimeoutError("busy"))
        try:
            yield
        finally:
            self._lock.release()


def _away(error: Exception) -> TokenError:
    words = type(error).__name__ if not str(error) else f"{type(error).__name__}: {error}"
    return TokenError(Trouble.AWAY, words)


def _library() -> Any:
    try:
        import pkcs11  # noqa: PLC0415  (an extra: who keeps keys in files does not have it)
    except ImportError as error:
        raise TokenError(Trouble.NO_LIBRARY) from error
    return pkcs11
