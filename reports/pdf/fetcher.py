"""What a document may load while it is rendered: files of `static/pdf`, and nothing else.

WeasyPrint's own fetcher opens local files and calls out to the network, so a document with a user's words in it
could embed either (measured). This one opens no socket and no path outside one folder, and refuses loudly.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

#: Documents name their files relative to this; the host cannot exist (RFC 6761) and is never asked for.
BASE = "https://static.invalid/"
_TYPES = {".css": "text/css", ".ttf": "font/ttf", ".svg": "image/svg+xml"}


class Refused(FatalURLFetchingError):  # type: ignore[misc]  # WeasyPrint ships no types
    """A document asked for something that it may not have; the rendering stops."""


class ClosedFetcher(URLFetcher):  # type: ignore[misc]
    """Serves the files of one folder under BASE; anything else raises Refused."""

    def __init__(self, folder: Path) -> None:
        super().__init__(allowed_protocols=())
        self.folder = folder.resolve(strict=True)
        #: The first refusal. WeasyPrint swallows it where a drawing asks, so it is asked for at the end as well.
        self.refusal: Refused | None = None

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """The file as a response."""
        try:
            path = self._path(url)
        except Refused as refusal:
            self.refusal = self.refusal or refusal
            raise
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": _TYPES[path.suffix]})

    def _path(self, url: str) -> Path:
        refusal = Refused(f"The document asked for {url[:200]!r}, which is not part of it.")
        try:
            parts = urlsplit(url)
            name = unquote(parts.path, errors="strict").removeprefix("/")
        except ValueError as error:
            raise refusal from error
        if f"{parts.scheme}://{parts.netloc}/" != BASE or parts.query or parts.fragment:
            raise refusal
        if not name or "\\" in name or "\0" in name or name.startswith("/") or ".." in name.split("/"):
            raise refusal
        path = (self.folder / name).resolve()
        # A link that leads out of the folder is resolved before it is judged.
        if not path.is_relative_to(self.folder) or not path.is_file() or path.suffix not in _TYPES:
            raise refusal
        return path
