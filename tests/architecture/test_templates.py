"""Templates: nothing unescaped, nothing inline, every block used, every page inside the one frame."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes

from portal.core.assets import templates_folder
from portal.core.templates import teach

FOLDER = templates_folder()
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))
#: Mails need inline styles, since mail programs drop style sheets; the development servers have their own frame.
MAILS = "notifications/"
OWN_FRAME = ("notifications/", "macros/", "reports/", "portal/development_", "layout.html")


def source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def test_there_are_templates_to_look_at() -> None:
    assert len(TEMPLATES) > 20


def test_nothing_is_marked_safe_or_left_unescaped() -> None:
    unsafe = re.compile(r"\|\s*safe\b|autoescape\s+false|Markup\(")
    assert [name for name in TEMPLATES if unsafe.search(source(name))] == []


def test_no_style_or_script_stands_inline() -> None:
    inline = re.compile(
        r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|<style\b|<script\b(?![^>]*src=)", re.IGNORECASE
    )
    pages = [name for name in TEMPLATES if not name.startswith((MAILS, "reports/"))]
    texts = {name: re.sub(r"\{#.*?#\}", "", source(name), flags=re.DOTALL) for name in pages}
    assert {name: found for name, text in texts.items() if (found := inline.findall(text))} == {}


def test_nothing_comes_from_another_host() -> None:
    elsewhere = re.compile(r"(?:src|href|action)\s*=\s*[\"'](?:https?:)?//")
    assert [name for name in TEMPLATES if elsewhere.search(source(name))] == []


def test_every_page_stands_in_the_one_frame_and_fills_only_its_blocks() -> None:
    environment = Environment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=True)
    teach(environment)
    frame = {block.name for block in environment.parse(source("layout.html")).find_all(nodes.Block)}
    seen, wrong = 0, []
    for name in TEMPLATES:
        if name.startswith(OWN_FRAME):
            continue
        tree = environment.parse(source(name))
        blocks = {block.name for block in tree.find_all(nodes.Block)}
        if not blocks:  # a part of a page, included or called by one
            continue
        seen += 1
        if tree.find(nodes.Extends) is None or not blocks <= frame or "title" not in blocks:
            wrong.append(name)
    assert wrong == []
    assert seen > 20


def test_every_form_that_changes_something_carries_the_token() -> None:
    for name in TEMPLATES:
        if name.startswith(("portal/development_",)):
            continue
        text = re.sub(r"\{#.*?#\}", "", source(name), flags=re.DOTALL)
        for form in re.findall(r"<form\b.*?</form>", text, re.DOTALL | re.IGNORECASE):
            if re.search(r"method\s*=\s*[\"']post", form, re.IGNORECASE):
                assert "csrf" in form, f"{name} has a form without a token"


def test_templates_lie_where_their_packages_do() -> None:
    tops = {Path(name).parts[0] for name in TEMPLATES}
    assert tops <= {
        "portal",
        "catalog",
        "approvals",
        "reports",
        "macros",
        "errors",
        "notifications",
        "layout.html",
    }
