"""What is vendored: small, ours, under its licences, and built from the sources beside it."""

from __future__ import annotations

import gzip
import hashlib
import json
import re

import pytest
from fontTools.ttLib import TTFont

from tests.look.stage import PAGES, ROOT, rendered

STATIC = ROOT / "static"
BUILD = STATIC / "build"
NAMES = "ĐorđevićŁódźßẞœğ\u0428\u0435\u0432\u0447\u03b1\u03b8\u2212→"  # Polish to Cyrillic and Greek


def test_style_and_script_stay_small() -> None:
    sizes = [
        len(gzip.compress((STATIC / name).read_bytes(), 9))
        for name in ("css/countersign.css", "js/countersign.js")
    ]
    assert sum(sizes) <= 25 * 1024


def test_the_stylesheet_asks_for_nothing_that_the_policy_forbids_or_that_is_not_there() -> None:
    css = (STATIC / "css" / "countersign.css").read_text()
    wanted = re.findall(r"url\(\"?([^)\"]+)\"?\)", css)
    assert len(wanted) >= 6
    for path in wanted:
        assert (STATIC / "css" / path).resolve().is_file(), path


def test_no_other_brand_is_shown() -> None:
    shown = [rendered(name) for name in PAGES]
    shown += [(STATIC / name).read_text() for name in ("css/countersign.css", "js/countersign.js")]
    for text in shown:
        assert not re.search(r"gov\.uk|gds transport|crown", text, re.IGNORECASE)


def test_the_output_was_built_from_these_sources() -> None:
    names = sorted(
        ["build.mjs", "package.json"]
        + [f"{folder}/{path.name}" for folder in ("scss", "js") for path in (BUILD / folder).iterdir()]
    )
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name}\n".encode())
        digest.update((BUILD / name).read_bytes())
    assert (BUILD / "built-from.sha256").read_text().strip() == digest.hexdigest(), (
        "see static/build/README.md"
    )


def test_the_lock_names_digests_and_no_registry() -> None:
    lock = json.loads((BUILD / "package-lock.json").read_text())
    parts = {name: part for name, part in lock["packages"].items() if name}
    assert "node_modules/govuk-frontend" in parts
    assert all("integrity" in part and "resolved" not in part for part in parts.values())


@pytest.mark.parametrize("name", ["IBMPlexSans-Regular", "IBMPlexSans-SemiBold", "IBMPlexSans-Italic"])
def test_paper_has_letters_for_every_european_name(name: str) -> None:
    letters = TTFont(STATIC / "pdf" / "fonts" / f"{name}.ttf").getBestCmap()
    assert all(ord(letter) in letters for letter in NAMES)


@pytest.mark.parametrize("folder", ["fonts", "pdf/fonts"])
def test_the_typeface_comes_with_its_licence(folder: str) -> None:
    assert "SIL OPEN FONT LICENSE" in (STATIC / folder / "OFL.txt").read_text().upper()
