"""What goes wrong between the portal and an external authority, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from acme import errors, messages
from josepy.errors import Error as JoseError

from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

#: RFC 8555 §6.7: what another try may mend.
_PASSING = frozenset({"badNonce", "rateLimited", "serverInternal", "connection", "dns", "tls"})
_NEEDS_BINDING = "externalAccountRequired"


@contextmanager
def told(host: str) -> Iterator[None]:
    """Every error of the protocol, the network and the folder as a ConnectorError."""
    try:
        yield
    except messages.Error as error:
        raise refusal(host, error) from error
    except requests.RequestException as error:
        raise away(host, _kind_of(error)) from error
    except (errors.Error, JoseError, ValueError, KeyError, AttributeError) as error:
        # An answer that is none: a proxy's page, a body cut short, a directory without the addresses.
        raise away(host, f"{type(error).__name__}") from error
    except OSError as error:
        message = say(
            "The folder of the ACME account cannot be used (%(words)s). "
            "The portal tries again by itself; if this lasts, an operator must look at the folder.",
            words=error.strerror or error,
        )
        raise ConnectorError(message) from error


def away(host: str, words: str) -> ConnectorError:
    """The authority does not answer, or not as it should."""
    message = say(
        "The certificate authority %(host)s does not answer as it should (%(words)s). The portal tries again by itself.",
        host=host,
        words=words,
    )
    return ConnectorError(message)


def refusal(host: str, error: messages.Error) -> ConnectorError:
    """The authority answered no, with its reason."""
    code = error.code or ""
    if code == _NEEDS_BINDING:
        message = say(
            "The certificate authority %(host)s takes only accounts that it knows. An operator must set ACME_EAB_KID "
            "and ACME_EAB_KEY.",
            host=host,
        )
        return ConnectorError(message, permanent=True)
    message = say(
        "The certificate authority %(host)s refuses: %(words)s.",
        host=host,
        words=words_of(error) or code or "without a reason",
    )
    return ConnectorError(message, permanent=code not in _PASSING)


def words_of(error: messages.Error) -> str:
    """The authority's own words, in one line without a full stop."""
    return " ".join(str(error.detail or error.title or "").split()).rstrip(".")[:500]


def _kind_of(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its TLS certificate is not trusted; ACME_CA_FILE names who is"
    return "no answer in time" if isinstance(error, requests.Timeout) else "no connection"
