"""A visitor without a browser: goes through the sign-in pages over HTTP, as the demonstration and the tests do."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import requests

from portal.identity.development_sso.config import DEMO_PASSWORD

TIMEOUT_SECONDS = 20
MAXIMUM_PAGES = 6


class SignInStopped(Exception):
    """The pages did not lead back to the application; the message says what stood on the last one."""


@dataclass
class Page:
    """What a sign-in page asks for."""

    fields: set[str] = field(default_factory=set)
    attempt: str | None = None
    one_time_code: str | None = None
    heading: str = ""
    problem: str = ""


def sign_in_through_sso(
    http: requests.Session,
    start_url: str,
    user_name: str,
    *,
    mfa: bool = False,
    password: str = DEMO_PASSWORD,
) -> requests.Response:
    """Open `start_url`, answer the development sign-in's pages as this person, return the page that follows.

    With `mfa` the second factor must be asked for, without it it must not. Raises SignInStopped when a page
    cannot be answered. A session that the provider still knows leads back at once, with nothing asked.
    """
    response = http.get(start_url, timeout=TIMEOUT_SECONDS)
    gave_second_factor = False
    chosen = False
    for _ in range(MAXIMUM_PAGES):
        page = read_page(response)
        if page is None:
            break
        if page.problem:
            raise SignInStopped(f"{page.heading}: {page.problem}")
        answer = {"attempt": page.attempt or ""}
        if "person" in page.fields:
            answer["person"] = user_name
            chosen = True
        elif "password" in page.fields:
            # A page that already names somebody may name the wrong one.
            answer |= {"password": password} if chosen else {"choose": "again"}
        elif "one_time_code" in page.fields and mfa:
            answer["one_time_code"] = page.one_time_code or ""
            gave_second_factor = True
        else:
            raise SignInStopped(f"{page.heading}: this page was not expected")
        response = http.post(response.url, data=answer, timeout=TIMEOUT_SECONDS)
    else:
        raise SignInStopped("The sign-in asks for more pages than there are")
    if mfa and not gave_second_factor:
        raise SignInStopped("No second factor was asked for")
    return response


def read_page(response: requests.Response) -> Page | None:
    """The sign-in page in this response; None when the response is something else."""
    if "text/html" not in response.headers.get("Content-Type", ""):
        return None
    parser = _PageParser()
    parser.feed(response.text)
    return parser.page if parser.page.attempt else None


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._reads = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name")
        if tag in {"input", "button"} and name:
            self.page.fields.add(name)
            if name == "attempt":
                self.page.attempt = found.get("value")
        if tag == "kbd" and "data-one-time-code" in found:
            self._reads = "one_time_code"
        elif tag == "h1":
            self._reads = "heading"
        elif tag == "a" and (found.get("href") or "") in {"#password", "#one_time_code", "#people"}:
            self._reads = "problem"

    def handle_endtag(self, tag: str) -> None:
        self._reads = ""

    def handle_data(self, data: str) -> None:
        if self._reads:
            setattr(self.page, self._reads, (getattr(self.page, self._reads) or "") + data.strip())
