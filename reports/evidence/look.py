"""The look: everything beside the document that decides what its pages show."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from portal.core.assets import languages_folder, static_folder, templates_folder
from portal.core.language import DOMAIN

#: The page's own templates; the room's other templates are web pages.
TEMPLATES = ("document.html", "parts.html")
#: The modules that put the facts into the page's words.
MODULES = ("claims.py", "legible.py", "presenters.py", "tables.py", "timeline.py", "words.py")


@lru_cache(maxsize=1)
def look() -> str:
    """`sha256:` over the page's templates, words, style sheet and fonts. A file with another one was made by another version."""
    found = hashlib.sha256()
    files = [templates_folder() / "reports" / "evidence" / name for name in TEMPLATES]
    files += [Path(__file__).with_name(name) for name in MODULES]
    for file in [*files, *sorted((static_folder() / "pdf").rglob("*"))]:
        if file.is_file():
            found.update(file.name.encode() + b"\0" + file.read_bytes())
    return "sha256:" + found.hexdigest()


@lru_cache(maxsize=8)
def words_of(code: str) -> str:
    """`sha256:` over the messages of a language beside English; of nothing where it has none yet."""
    file = languages_folder() / code / "LC_MESSAGES" / f"{DOMAIN}.mo"
    return "sha256:" + hashlib.sha256(file.read_bytes() if file.is_file() else b"").hexdigest()
