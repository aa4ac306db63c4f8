"""Every tag that the code declares is recorded somewhere, and has the form noun:past-tense."""

from __future__ import annotations

import re

from tests.architecture.test_code import FILES

TAG = re.compile(r"[\"']([a-z]+(?:-[a-z]+)*:[a-z]+(?:-[a-z]+)*)[\"']")


def test_every_recorded_tag_has_the_form_of_a_tag() -> None:
    recorded = set()
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        recorded |= set(re.findall(r"record\(\s*session,\s*[\"']([^\"']+)[\"']", text))
    assert recorded
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*:[a-z]+(-[a-z]+)*", tag) for tag in recorded)


def test_every_declared_tag_is_used() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in FILES}
    for path, text in texts.items():
        for name, tag in re.findall(
            r"^([A-Z][A-Z_]+)\s*=\s*[\"']([a-z-]+:[a-z-]+)[\"']$", text, re.MULTILINE
        ):
            uses = sum(other.count(name) for other in texts.values())
            assert uses > 1, f"{tag} is declared in {path.name} and never recorded"
