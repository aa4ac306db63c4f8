"""Random text, random values and random damage to a good file: an offering or an OfferingFileError, nothing else."""

import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from catalog.offerings.language import OfferingDocument
from catalog.offerings.reading import OfferingFileError, read_offering
from catalog.offerings.schema_errors import words_at
from tests.catalog.offerings.conftest import SMALL

WORDS = sorted(
    words_at(()) | {"sections", "fields", "kind", "name", "stages", "approvers", "when", "group", "with"}
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
CONTENT = yaml.safe_load(SMALL)


def taken_or_refused(source):
    """Never a traceback of ours: a document, or problems with their place."""
    try:
        document = read_offering(source, "random.yaml")
    except OfferingFileError as error:
        problems = error.problems
    else:
        assert OfferingDocument.model_validate_json(json.dumps(document.to_json())) == document
        return document
    assert problems
    for problem in problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.message
        assert str(problem).startswith("random.yaml:")
    return None


@given(st.text(max_size=300))
def test_random_text_is_never_a_traceback(source):
    taken_or_refused(source)


@given(st.binary(max_size=300))
def test_random_bytes_are_never_a_traceback(source):
    taken_or_refused(source)


@given(VALUES)
def test_random_yaml_is_never_a_traceback(value):
    taken_or_refused(yaml.safe_dump(value, allow_unicode=True))


@given(st.sampled_from(sorted(CONTENT)), VALUES)
def test_an_offering_with_one_part_replaced_is_never_a_traceback(key, value):
    taken_or_refused(yaml.safe_dump({**CONTENT, key: value}, allow_unicode=True, sort_keys=False))


@given(st.integers(0, len(SMALL) - 1), st.integers(0, 40), st.text(max_size=6))
def test_an_offering_with_a_piece_cut_and_another_put_in_is_never_a_traceback(start, length, put):
    taken_or_refused(SMALL[:start] + put + SMALL[start + length :])


@given(st.text(alphabet="abcdeinorstuw.=!<>&|()[]'\"0123456789 +-?:,_", max_size=60))
def test_a_random_expression_is_never_a_traceback(expression):
    content = {**CONTENT, "rules": [{"check": expression, "message": "No.", "field": "amount"}]}
    taken_or_refused(yaml.safe_dump(content, allow_unicode=True, sort_keys=False))


@given(
    st.sampled_from(["small-thing", "other-thing"]),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=3).map(tuple),
    st.integers(1, 3650),
    st.sampled_from(["30m", "8h", "2d"]),
)
def test_random_valid_offerings_read_back_as_they_were_written(slug, keywords, longest, target):
    content = {**CONTENT, "slug": slug, "keywords": list(keywords), "longest_days": longest, "target": target}
    document = taken_or_refused(yaml.safe_dump(content, allow_unicode=True, sort_keys=False))
    assert document is not None
    assert (document.slug, document.keywords, document.longest_days, document.target) == (
        slug,
        keywords,
        longest,
        target,
    )
    again = taken_or_refused(json.dumps(document.to_json()))
    assert again == document
    assert again.digest == document.digest
