"""Templates: nothing unescaped, nothing inline, every block used, every page inside the one frame."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
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


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_marked_safe_or_left_unescaped(name: str) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup\(", source(name))


@pytest.mark.parametrize("name", [name for name in TEMPLATES if not name.startswith((MAILS, "reports/"))])
def test_no_style_or_script_stands_inline(name: str) -> None:
    text = re.sub(r"\{#.*?#\}", "", source(name), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|<style\b", text, re.IGNORECASE)
    for script in re.findall(r"<script\b[^>]*>", text, re.IGNORECASE):
        assert "src=" in script


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_comes_from_another_host(name: str) -> None:
    assert not re.search(r"(?:src|href|action)\s*=\s*[\"'](?:https?:)?//", source(name))


@pytest.mark.parametrize("name", [name for name in TEMPLATES if not name.startswith(OWN_FRAME)])
def test_every_page_stands_in_the_one_frame_and_fills_only_its_blocks(name: str) -> None:
    environment = Environment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=True)
    teach(environment)
    tree = environment.parse(source(name))
    if not tree.find(nodes.Block):  # a part of a page, included or called by one
        return
    frame = {block.name for block in environment.parse(source("layout.html")).find_all(nodes.Block)}
    assert tree.find(nodes.Extends) is not None
    blocks = {block.name for block in tree.find_all(nodes.Block)}
    assert blocks <= frame
    assert "title" in blocks


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
