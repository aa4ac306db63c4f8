"""Where sign-in leads: thirty ways to point elsewhere, and none leaves this origin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.identity.sign_in.destination import HOME, safe_destination

ELSEWHERE = [
    "//evil.test",
    "///evil.test",
    "////evil.test",
    "/\\evil.test",
    "\\/evil.test",
    "\\\\evil.test",
    "/\\/evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "/\r//evil.test",
    "\t//evil.test",
    " //evil.test",
    "https:evil.test",
    "https:/evil.test",
    "https://evil.test",
    "HTTPS://evil.test",
    "http://localhost:8000@evil.test",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "evil.test",
    "evil.test/path",
    ".evil.test",
    "@evil.test",
    "?next=//evil.test",
    "#//evil.test",
    "/\x00/evil.test",
    "/\x7f/evil.test",
    "//[::1]/",
    "/" + "a" * 3000,
    "",
]


@pytest.mark.parametrize("text", ELSEWHERE)
def test_a_way_out_leads_home(text: str) -> None:
    assert safe_destination(text) == HOME


@pytest.mark.parametrize("text", ["/", "/requests/SR-000001", "/catalogue?q=crm&page=2", "/a/b#part"])
def test_a_path_of_ours_is_kept(text: str) -> None:
    assert safe_destination(text) == text


@given(st.text(max_size=40))
def test_whatever_is_kept_begins_with_one_slash_and_hides_nothing(text: str) -> None:
    kept = safe_destination("/" + text)
    assert kept.startswith("/")
    assert not kept.startswith(("//", "/\\"))
    assert all(ord(character) > ord(" ") for character in kept)
