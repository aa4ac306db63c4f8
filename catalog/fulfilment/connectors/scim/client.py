"""The wire: SCIM requests over httpx with one time budget, no redirects and a bounded answer."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from scim2_client import BaseSyncSCIMClient, RequestNetworkException, SCIMClientException
from scim2_client.errors import UnexpectedContentFormatException
from scim2_models import Group, SCIMException, ScimPolicy, ScimProvider, User

from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

#: A page of 100 groups with their members stays well under this; more is not an answer but an attack or a mistake.
LARGEST_ANSWER = 16 * 1024 * 1024
_PASSING_STATUSES = {408, 409, 412, 425, 429}
_REDIRECTS = range(300, 400)
_NOT_MODIFIED = 304
_SERVER_ERRORS = 500
_NOT_IMPLEMENTED = 501

#: Attributes that a target adds of its own are read over; the connector needs names, ids and members only.
PROVIDER = ScimProvider(models=[User, Group], policy=ScimPolicy(unknown=ScimPolicy.Unknown.ignore))


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, as the SCIM library reads it."""

    status_code: int
    headers: httpx.Headers
    text: str


class ScimClient(BaseSyncSCIMClient):
    """Sends the library's requests. All requests since `renew` share one budget of seconds."""

    def __init__(self, client: httpx.Client, seconds: float) -> None:
        super().__init__(provider=PROVIDER)
        self._client = client
        self._seconds = seconds
        self._deadline = 0.0
        self.renew()

    def renew(self) -> None:
        """Start the time budget anew; long readings do so for every page."""
        self._deadline = time.monotonic() + self._seconds

    def request(self, method: str, url: str, **kwargs: Any) -> Answer:
        """Send one request. Raises RequestNetworkException when no whole answer comes in time."""
        try:
            with self._client.stream(method, url, timeout=self._left(), **kwargs) as response:
                content = self._read(response)
                return Answer(
                    response.status_code,
                    response.headers,
                    content.decode(response.encoding or "utf-8", "replace"),
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RequestNetworkException(message=str(error) or type(error).__name__) from error

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise RequestNetworkException(message="the time is used up")
        return left

    def _read(self, response: httpx.Response) -> bytes:
        # A target that drips one byte at a time never hits httpx's own time-out, hence the check by chunk.
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            self._left()
            if len(content) > LARGEST_ANSWER:
                raise UnexpectedContentFormatException(message="the answer is larger than 16 MiB")
        return bytes(content)


@contextmanager
def told_apart(place: str, base_url: str, seconds: float) -> Iterator[None]:
    """Turn what the library raises into ConnectorError, passing or permanent, with a sentence for people.

    `place` is how the target is called where a sentence begins.
    """
    try:
        yield
    except RequestNetworkException as error:
        message = say(
            "%(place)s at %(address)s did not answer within %(seconds)s seconds (%(words)s). "
            "The portal tries again by itself; if this lasts, check that the directory runs.",
            place=place,
            address=base_url,
            seconds=f"{seconds:g}",
            words=_plain(error),
        )
        raise ConnectorError(message) from error
    except SCIMException as error:
        raise _refusal(place, int(error.status), error.scim_type, _plain(error.detail)) from error
    except SCIMClientException as error:
        status = getattr(error.source, "status_code", 0)
        raise _not_scim(place, int(status), _plain(error)) from error


def _refusal(place: str, status: int, kind: str, detail: str) -> ConnectorError:
    if status in {401, 403}:
        message = say(
            "%(place)s refuses the portal's token (%(status)s). An operator must check the token and "
            "its rights; then the task can be started again.",
            place=place,
            status=status,
        )
        return ConnectorError(message, permanent=True)
    passing = status in _PASSING_STATUSES or (status >= _SERVER_ERRORS and status != _NOT_IMPLEMENTED)
    if passing and kind != "uniqueness":
        message = say(
            "%(place)s cannot do it just now (%(status)s: %(detail)s). The portal tries again by itself.",
            place=place,
            status=status,
            detail=detail,
        )
        return ConnectorError(message)
    message = say("%(place)s refused (%(status)s: %(detail)s).", place=place, status=status, detail=detail)
    return ConnectorError(message, permanent=True)


def _not_scim(place: str, status: int, detail: str) -> ConnectorError:
    if status in _REDIRECTS and status != _NOT_MODIFIED:
        message = say(
            "%(place)s answered with a redirect (%(status)s), which the portal does not follow. "
            "An operator must set the directory's final address.",
            place=place,
            status=status,
        )
        return ConnectorError(message, permanent=True)
    if status in _PASSING_STATUSES or status >= _SERVER_ERRORS or status in {401, 403}:
        return _refusal(place, status, "", detail)
    message = say(
        "%(place)s answers, but not in SCIM 2.0 (%(detail)s). An operator must check its address.",
        place=place,
        detail=detail,
    )
    return ConnectorError(message, permanent=True)


def _plain(text: object) -> str:
    """What a target says, fit to be quoted: one line, at most 200 characters, nothing unseen."""
    kept = (" " if unicodedata.category(c).startswith(("C", "Z")) else c for c in str(text))
    return " ".join("".join(kept).split())[:200]
