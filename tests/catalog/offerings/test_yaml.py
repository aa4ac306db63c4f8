import time

import pytest

from catalog.offerings.reading import OfferingFileError, read_offering
from portal.core.strict_yaml import NotYaml, read_yaml

BOMB = b"""\
a: &a ["x","x","x","x","x","x","x","x","x"]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]
f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]
g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]
h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]
i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h]
"""


def test_scalars_follow_yaml_1_2_so_no_is_a_text():
    content = read_yaml(
        "a: no\nb: yes\nc: on\nd: true\ne: 012\nf: 1:30\ng: 2026-01-01\nh: ~\ni: '1'\nj: 1.5\n"
    ).content
    assert content == {
        "a": "no",
        "b": "yes",
        "c": "on",
        "d": True,
        "e": 12,
        "f": "1:30",
        "g": "2026-01-01",
        "h": None,
        "i": "1",
        "j": 1.5,
    }


def test_an_alias_bomb_is_refused_at_its_first_anchor_and_at_once():
    started = time.monotonic()
    with pytest.raises(OfferingFileError) as caught:
        read_offering(BOMB, "bomb.yaml")
    assert time.monotonic() - started < 1
    assert "anchors are not taken" in str(caught.value)
    assert caught.value.problems[0].line == 1


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\nb: *x\n", 2, 4, "aliases are not taken"),
        ("a: &x 1\n", 1, 4, "anchors are not taken"),
        ("a: !!python/object:os.system x\n", 1, 4, "tags are not taken"),
        ("a: !thing x\n", 1, 4, "tags are not taken"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "'a' stands here twice; the first is on line 1"),
        ("a: {b: 1, b: 2}\n", 1, 11, "twice"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second"),
        ("1: a\n", 1, 1, "a key is a word"),
        ("? [a, b]\n: c\n", 1, 3, "a key is a word"),
        ("", 1, 1, "empty"),
        ("# nothing\n", 1, 1, "empty"),
        ("a:\n\t- b\n", 2, 1, "indent with spaces"),
        ("a: b: c\n", 1, 5, "put quotes around the text"),
        ("a: [1, 2\n", 2, 1, "not YAML"),
        ("a: 'x\n", 2, 1, "not YAML"),
        ("a: \x00\n", 1, 4, "cannot be seen (U+0000)"),
        ("a: \ud800\n", 1, 4, "cannot be seen (U+D800)"),
        ('a: "\\x07"\n', 1, 4, "cannot be seen"),
        ("a: .nan\n", 1, 4, "no number"),
        ("a: -.inf\n", 1, 4, "no number"),
        ("a: 0x1F\n", 1, 4, "no number"),
        ("a: 99999999999999999999\n", 1, 4, "no number"),
        ("%FOO\n---\na: 1\n", 1, 5, "not YAML"),
    ],
)
def test_what_unfolds_hides_or_repeats_is_refused_with_its_place(text, line, column, message):
    with pytest.raises(NotYaml) as caught:
        read_yaml(text)
    assert caught.value.mark == (line, column)
    assert message in caught.value.message


def test_a_file_that_is_not_utf8_says_the_line():
    with pytest.raises(NotYaml, match="save it as UTF-8") as caught:
        read_yaml("a: 1\nb: ä\n".encode("latin-1"))
    assert caught.value.mark[0] == 2


def test_a_byte_order_mark_is_passed_over():
    assert read_yaml(b"\xef\xbb\xbfa: 1\n").content == {"a": 1}


def test_nesting_is_taken_to_twenty_and_no_further():
    assert read_yaml("[" * 20 + "]" * 20).content
    with pytest.raises(NotYaml, match="more than 20 deep"):
        read_yaml("[" * 21 + "]" * 21)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[a,"])
def test_deep_nesting_is_refused_before_it_is_read(opening):
    started = time.monotonic()
    with pytest.raises(NotYaml):
        read_yaml(opening * (250_000 // len(opening)))
    assert time.monotonic() - started < 2


def test_a_file_of_256_kib_is_read_and_a_longer_one_refused():
    just = "a: " + "x" * (256 * 1024 - 4) + "\n"
    assert len(read_yaml(just).content["a"]) == 256 * 1024 - 4
    with pytest.raises(NotYaml, match="262,145 bytes"):
        read_yaml(just + "x")
