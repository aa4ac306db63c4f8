"""Finding offerings: ranked, mistyped, folded, and by the offering's own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.offerings.reading import read_offering
from catalog.offerings.search import likeness, plain, search, words_of
from portal.core.assets import services_folder


@pytest.fixture(scope="module")
def shipped():
    names = ("application-access", "tls-certificate", "firewall-rule")
    return [read_offering((services_folder() / f"{name}.yaml").read_bytes(), name) for name in names]


def slugs(documents, term):
    return [document.slug for document in search(documents, term)]


@pytest.mark.parametrize(
    ("term", "first"),
    [
        ("firewall", "firewall-rule"),
        ("FIREWALL RULE", "firewall-rule"),
        ("firewal", "firewall-rule"),
        ("fierwall", "firewall-rule"),
        ("certificat", "tls-certificate"),
        ("certifcate", "tls-certificate"),
        ("cretificate", "tls-certificate"),
        ("aplication", "application-access"),
        ("applicaton acess", "application-access"),
        ("fïréwâll", "firewall-rule"),
        ("https", "tls-certificate"),
    ],
)
def test_it_is_found_though_it_is_mistyped_or_cut_short(shipped, term, first):
    assert slugs(shipped, term)[0] == first


@pytest.mark.parametrize("term", ["xyzzy", "firewall certificate quux", "<script>", "%%%", "' OR 1=1 --"])
def test_what_is_nowhere_is_not_found(shipped, term):
    assert slugs(shipped, term) == []


def test_a_name_counts_more_than_a_summary(shipped):
    certificate = next(d for d in shipped if d.slug == "tls-certificate")
    aside = certificate.model_copy(
        update={"slug": "aside", "name": "Something else", "summary": "Not a firewall.", "keywords": ()}
    )
    assert slugs([aside, *shipped], "firewall")[0] == "firewall-rule"
    assert "aside" in slugs([aside, *shipped], "firewall")


def test_a_word_that_stands_somewhere_is_not_taken_for_another(shipped):
    near = shipped[0].model_copy(
        update={"slug": "near", "name": "Firewell", "summary": "x", "keywords": (), "description": "y"}
    )
    assert slugs([near, *shipped], "firewell") == ["near"]


@given(st.text(max_size=200))
def test_no_text_breaks_it(term):
    document = read_offering((services_folder() / "firewall-rule.yaml").read_bytes(), "firewall-rule.yaml")
    assert len(search([document], term)) <= 1


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_likeness_is_a_share_the_same_both_ways_and_whole_for_the_same_word(left, right):
    assert 0 <= likeness(left, right) <= 1
    assert likeness(left, right) == likeness(right, left)
    assert likeness(left, left) == 1


def test_words_are_folded_and_each_counts_once():
    assert words_of("Łódź - Straße, straße & ǅ") == ["lodz", "strasse", plain("ǅ")]
