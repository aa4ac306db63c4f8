"""Serve the preview pages on loopback, or photograph them: python -m tests.look.preview [FOLDER]."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

from playwright.sync_api import sync_playwright

from tests.look.stage import PAGES, ROOT, rendered

POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
CHROMIUM = "/usr/bin/chromium"
#: Behind each window's address bar, which nobody sees here, Chromium keeps two pages of its own ready, which took a
#: quarter of its time. The others are what Playwright switches off: only the last such list counts.
_LEFT_OUT = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)  # fmt: skip
CHROMIUM_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    f"--disable-features={','.join(_LEFT_OUT)}",
)  # fmt: skip


class _Handler(SimpleHTTPRequestHandler):
    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".woff2": "font/woff2",
    }

    def do_GET(self) -> None:
        name = self.path.removeprefix("/preview/").partition("?")[0]
        if name not in PAGES:
            super().do_GET()
            return
        body = rendered(name).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nobody reads a preview's access log."""


@contextmanager
def served() -> Iterator[str]:
    """The address under which /preview/NAME and /static answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(ROOT)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def photograph(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        for width, height in ((1280, 900), (390, 844)):
            view = browser.new_page(viewport={"width": width, "height": height})
            for name in names:
                view.goto(f"{address}/preview/{name}")
                view.evaluate("document.fonts.ready")
                view.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    photograph(Path(sys.argv[1]), sys.argv[2:] or list(PAGES))
