"""A visitor without a browser: opens pages, fills in their forms and sends them, as a person would."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from portal.identity.development_sso.visitor import sign_in_through_sso

TIMEOUT_SECONDS = 30


class StoryFailed(Exception):
    """A step of the story did not hold; the message says which and what was there instead."""


@dataclass
class Form:
    """One form of a page with the values that it would send as it stands."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)


class Visitor:
    """One person with their own cookies."""

    def __init__(self, portal_url: str, user_name: str) -> None:
        self.portal_url = portal_url
        self.user_name = user_name
        self.http = requests.Session()

    def open(self, url: str) -> requests.Response:
        """The page at this address, after signing in where that is asked for."""
        page = sign_in_through_sso(self.http, urljoin(self.portal_url, url), self.user_name)
        return _checked(page)

    def send(self, page: requests.Response, form: Form, **answers: str | list[str]) -> requests.Response:
        """Send the form with these answers; gives the page that follows."""
        unknown = answers.keys() - form.fields.keys()
        if unknown:
            message = f"The form at {page.url} has no field {min(unknown)!r}"
            raise StoryFailed(message)
        address = urljoin(page.url, form.action)
        # What a browser says of a form that is sent from a page of the same origin.
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        return _checked(
            self.http.post(
                address, data={**form.fields, **answers}, headers={"Origin": origin}, timeout=TIMEOUT_SECONDS
            )
        )


def forms_of(page: requests.Response) -> list[Form]:
    """The page's forms in order."""
    parser = _FormParser()
    parser.feed(page.text)
    return parser.forms


def form_with(page: requests.Response, name: str) -> Form:
    """The first posting form that has this field. Raises StoryFailed when none has."""
    for form in forms_of(page):
        if form.method == "post" and name in form.fields:
            return form
    message = f"The page {page.url} has no form with a field {name!r}: {heading_of(page)}"
    raise StoryFailed(message)


def form_to(page: requests.Response, ending: str) -> Form:
    """The first posting form whose address ends like this. Raises StoryFailed when none does."""
    for form in forms_of(page):
        if form.method == "post" and urlsplit(form.action or page.url).path.endswith(ending):
            return form
    message = f"The page {page.url} has no form to {ending!r}: {heading_of(page)}"
    raise StoryFailed(message)


def heading_of(page: requests.Response) -> str:
    """What a person reads first on the page, with any problems that it names."""
    found = re.findall(
        r"<h1[^>]*>(.*?)</h1>|class=\"govuk-error-message\"[^>]*>(.*?)</p>", page.text, re.DOTALL
    )
    texts = (re.sub(r"<[^>]+>", " ", "".join(parts)) for parts in found)
    return "; ".join(" ".join(html.unescape(text).split()) for text in texts)


def _checked(page: requests.Response) -> requests.Response:
    if page.status_code >= requests.codes.bad_request:
        message = f"{page.url} answered {page.status_code}: {heading_of(page)}"
        raise StoryFailed(message)
    return page


class _FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._text_field = ""
        self._select = ""
        self._option: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(found.get("action", ""), found.get("method", "get").lower())
            self.forms.append(self._form)
        if self._form is None:
            return
        name = found.get("name", "")
        if tag == "input" and name:
            self._take_input(name, found)
        elif tag == "textarea":
            self._text_field = name
            self._form.fields[name] = ""
        elif tag == "select":
            self._select = name
            self._form.fields[name] = ""
            self._form.choices[name] = {}
        elif tag == "option" and self._select:
            self._option = found.get("value", "")
            self._form.choices[self._select][self._option] = ""
            if "selected" in found:
                self._form.fields[self._select] = self._option
        elif tag == "button" and name:
            self._form.choices.setdefault(name, {})[found.get("value", "")] = ""
            self._form.fields.setdefault(name, "")

    def _take_input(self, name: str, found: dict[str, str]) -> None:
        if self._form is None:
            return
        kind, value = found.get("type", "text"), found.get("value", "")
        if kind in {"radio", "checkbox"}:
            self._form.choices.setdefault(name, {})[value] = ""
            self._form.fields.setdefault(name, "")
            if "checked" in found:
                self._form.fields[name] = value
        elif kind != "file":
            self._form.fields[name] = value

    def handle_data(self, data: str) -> None:
        if self._form is None:
            return
        if self._text_field:
            self._form.fields[self._text_field] += (
                data.lstrip("\n") if not self._form.fields[self._text_field] else data
            )
        elif self._option is not None:
            self._form.choices[self._select][self._option] += data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._text_field = ""
        elif tag == "select":
            self._select = ""
        elif tag == "option":
            self._option = None
