"""Reading ports as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.ports import parse_ports, port_text
from portal.core.spans import size


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("443", ((443, 443),)),
        ("8000-8010", ((8000, 8010),)),
        ("80,443", ((80, 80), (443, 443))),
        ("443, 80", ((80, 80), (443, 443))),
        ("80\r\n81 82", ((80, 82),)),
        ("1-65535", ((1, 65535),)),
        ("5-9,1-6,10", ((1, 10),)),
        ("443-443", ((443, 443),)),
    ],
)
def test_ports_are_read_sorted_and_merged(text, ports):
    assert parse_ports(text) == ports


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0",
            "65536",
            "0-80",
            "80-65536",
            "99999",
            "100000",
            "80-79",
            "-80",
            "80-",
            "+80",
            "080",
            "0x50",
            "80.0",
        ),
        *(
            "8e1",
            "80:443",
            "80/tcp",
            "http",
            "any",
            "*",
            "80;443",
            "80--443",
            "80-90-100",
            "- -",
            "8 - 9 -",
            "\uff18\uff10",
            "٨٠",
        ),
        *("80\u200b", "80\x00", "80\t443", "80\u00a0443", "{80}", '80" accept', "$PORT", "1" * 3000),
    ],
    ids=ascii,
)
def test_anything_else_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"\.$") as refusal:
        parse_ports(text)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("text", ["", " ", ",", "\n"])
def test_no_port_at_all_is_refused(text):
    with pytest.raises(ValueError, match="at least one"):
        parse_ports(text)


def test_a_range_that_runs_backwards_is_refused_with_what_was_probably_meant():
    with pytest.raises(ValueError, match="Write 80-90"):
        parse_ports("90-80")


@given(
    st.lists(
        st.tuples(st.integers(1, 65535), st.integers(1, 65535)).map(sorted).map(tuple),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_read_is_written_back_as_itself(pairs):
    ports = parse_ports(",".join(f"{first}-{last}" for first, last in pairs))
    assert parse_ports(port_text(ports)) == ports
    assert size(ports) == len({number for first, last in pairs for number in range(first, last + 1)})
