"""The token that holds the authority's keys: portal.core.token, its troubles told as those of this connector."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core import token
from portal.core.language import Said, say
from portal.core.token import TokenError, TokenPlace, Trouble

if TYPE_CHECKING:
    from pkcs11 import Session

__all__ = ["Token", "TokenPlace"]

T = TypeVar("T")


class Token(token.Token):
    """Does things in the token, one after the other."""

    def do(self, act: Callable[[Session], T]) -> T:
        """What `act` gives, in a session; a session that was lost is opened once more.

        Raises ConnectorError: permanent for a wrong PIN or a missing library, passing for a token that is away.
        """
        try:
            return super().do(act)
        except TokenError as error:
            told = ConnectorError(self._told(error), permanent=error.trouble is not Trouble.AWAY)
            raise told from error.__cause__ or error

    def _told(self, error: TokenError) -> Said:
        if error.trouble is Trouble.NO_LIBRARY:
            return say(
                "The authority's key is in a token, but the library for tokens is missing. "
                "An operator must install: countersign[pkcs11]"
            )
        if error.trouble is Trouble.PIN:
            return say(
                "The token “%(token)s” refuses the PIN. An operator must set CA_PKCS11_PIN and start the portal anew; "
                "it is not tried again, so that the token does not lock itself.",
                token=self.place.token,
            )
        if error.trouble is Trouble.NO_KEY:
            return say(
                "The token “%(token)s” holds no key “%(key)s”. An operator must make the authority: "
                "countersign ca create",
                token=self.place.token,
                key=error.words,
            )
        return say(
            "The token “%(token)s” with the certificate authority's key does not answer (%(words)s). "
            "The portal tries again by itself; if this lasts, an operator must look at it.",
            token=self.place.token,
            words=error.words,
        )
