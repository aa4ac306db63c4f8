"""Where to go after sign-in: a path of this portal and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

HOME = "/"
LONGEST = 2_000
DELETE = 0x7F


def safe_destination(text: str | None) -> str:
    """The path if it stays on this origin, else the home page.

    Browsers read a backslash as a slash and drop tabs and line breaks, so any of these makes it unsafe.
    """
    if not text or len(text) > LONGEST or not text.startswith("/") or text.startswith("//"):
        return HOME
    if "\\" in text or any(ord(character) <= ord(" ") or ord(character) == DELETE for character in text):
        return HOME
    try:
        parts = urlsplit(text)
    except ValueError:
        return HOME
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return HOME
    return text
