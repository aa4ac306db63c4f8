"""Reading networks in one spelling only, judging them as what they carry, and the laws of their arithmetic."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import networks
from portal.core.network_sets import address_count, covers, difference, intersection
from portal.core.networks import (
    MOST_NETWORKS,
    classify,
    collapse,
    parse_network,
    parse_networks,
    special_part,
    unwrap,
)

_BLANKS = ("\t", "\n", "\r", "\x0b", "\x0c", "\x00", "\x1b", "\x7f", " ")
_UNSEEN = ("\u00a0", "\u2003", "\u2028", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u061c")
_PLACES = ("{}10.1.2.0/24", "10.1.2.0/24{}", "10.1.2.0{}/24", "10.1.{}2.0/24", "2001:db8:{}:/32")
_DIGITS_OF_OTHERS = ("０", "٠", "۰", "०", "০", "𝟎", "𝟬", "߀")  # noqa: RUF001

NASTY = [
    # Masks and wildcards, which the standard library reads as prefixes, some of them backwards.
    *(
        "1.2.3.4/0.0.0.255",
        "1.2.3.0/0.0.0.255",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/255.255.255.0",
        "10.0.0.0/0.255.255.255",
    ),
    *(
        "0.0.0.0/0.0.0.0",
        "0.0.0.0/255.255.255.255",
        "10.0.0.0/255.0.255.0",
        "10.0.0.0/0.0.0.0",
        "10.0.0.0/255",
    ),
    *("2001:db8::/ffff:ffff::", "2001:db8::/::", "10.0.0.0/::8", "10.0.0.0/8.0"),
    # Addresses inside a network.
    *("10.1.2.3/24", "10.0.0.1/8", "192.168.1.1/0", "0.0.0.1/0", "10.1.2.1/31", "128.0.0.1/1", "1.2.3.5/30"),
    *(
        "2001:db8::1/32",
        "::1/0",
        "::1/127",
        "fe80::1/10",
        "::ffff:10.1.2.3/120",
        "64:ff9b::a01:203/120",
        "2002:a01:203::1/48",
    ),
    # Numbers that some systems read as octal, hexadecimal or short forms.
    *(
        "010.1.2.0/24",
        "10.01.2.0/24",
        "10.1.002.0/24",
        "10.1.2.00/24",
        "0127.0.0.1",
        "0177.0.0.1",
        "00.0.0.0/0",
        "10.1.2.0/08",
    ),
    *(
        "10.1.2.0/024",
        "10.1.2.0/00",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "127.1",
        "127.0.1",
        "10.1/16",
        "10/8",
        "10.",
    ),
    *(
        "10.1.2",
        "10.1.2.",
        ".10.1.2.0",
        "10..1.2",
        "10.1.2.0.0",
        "1.2.3.4.5/8",
        "0xa.1.2.0/24",
        "1e1.0.0.0",
        "017700000001",
    ),
    # Numbers out of range, signed, or none at all.
    *(
        "256.1.2.0/24",
        "10.1.2.999",
        "999.999.999.999",
        "10.1.2.0/33",
        "10.1.2.0/-1",
        "10.1.2.0/+24",
        "10.1.2.0/24.",
        "10.1.2.0/",
    ),
    *(
        "10.1.2.0/129",
        "10.1.2.0/1000",
        "10.1.2.0/4294967296",
        "10.1.2.0/2 4",
        "10.1.2.0//24",
        "10.1.2.0/24/24",
        "/24",
        "/",
        "//",
    ),
    *(
        "-10.1.2.0/24",
        "+10.1.2.0",
        "10.-1.2.0",
        "10.1.2.0/a",
        "10.1.2.0/1e1",
        "10.1.2.0/0x18",
        "10.1.2.0/٢٤",
        "10.1.2.0/²⁴",
    ),
    *(
        "2001:db8::/129",
        "2001:db8::/-1",
        "2001:db8::/032",
        "2001:db8::/+32",
        "2001:db8::/1000",
        "::/00",
        "1000000000000.1.1.1",
    ),
    # IPv6 that is none.
    *(
        ":",
        ":::",
        "::::",
        "1::2::3",
        "2001:db8",
        "2001:db8:/32",
        ":2001:db8::",
        "2001:db8:::1",
        "12345::",
        "g::1",
        "::g",
    ),
    *(
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8:",
        "[::1]",
        "[2001:db8::]/32",
        "::1]",
    ),
    *(
        "::10.1.2",
        "::10.1.2.3.4",
        "::256.0.0.1",
        "::ffff:010.0.0.1",
        "::ffff:10.0.0.01",
        "10.0.0.1::",
        "::10.0.0.1:1",
        "1.2.3.4::/96",
    ),
    *("::ffff:0x7f.0.0.1", "::ffff:127.1", "2001:db8::1.2.3", "2001:.db8::"),
    # Zone ids.
    *(
        "fe80::1%eth0",
        "fe80::%eth0/64",
        "fe80::1%25eth0",
        "::1%",
        "::1%0",
        "fe80::1%1/128",
        "10.0.0.1%lo",
        "fe80::1%eth0%eth1",
    ),
    # A block that carries IPv4 beside other addresses.
    *(
        "::ffff:0:0/95",
        "::/8",
        "::/1",
        "::/64",
        "::/80",
        "64:ff9b::/95",
        "64:ff9b::/32",
        "64::/16",
        "2002::/15",
        "2000::/3",
        "2000::/4",
    ),
    # Names, URLs, lists, ranges, globs, other languages' literals.
    *(
        "any",
        "all",
        "localhost",
        "example.org",
        "10.1.2.0/24.example.org",
        "http://10.1.2.0/24",
        "10.1.2.0:443",
        "10.1.2.0/24:443",
    ),
    *(
        "10.1.2.0-10.1.2.9",
        "10.1.2.0/24,10.1.3.0/24",
        "10.1.2.0/24;10.1.3.0/24",
        "10.1.2.*",
        "10.1.2.0/24#",
        "10.1.2.0/24!",
        "!10.1.2.0",
    ),
    *(
        "{10.1.2.0}",
        "(10.1.2.0)",
        "<10.1.2.0>",
        '"10.1.2.0"',
        "'10.1.2.0/24'",
        "`10.1.2.0`",
        "$SRC",
        "@SRC",
        "10.1.2.0\\24",
        "10_1_2_0",
    ),
    *(
        "1_0.1.2.0",
        "10.1.2.0/2_4",
        "None",
        "null",
        "0",
        "1",
        "-1",
        "NaN",
        "{{7*7}}",
        "${7*7}",
        "{0.__class__}",
        "<img src=x>",
        "=cmd()",
    ),
    # Ways out of a comment, a set or a statement of a rendered file.
    *(
        '10.1.2.0/24" ; accept comment "y',
        'x" ; ip saddr 0.0.0.0/0 accept comment "y',
        "10.1.2.0/24 accept",
        "10.1.2.0/24;accept",
    ),
    *(
        "10.1.2.0/24 }",
        "10.1.2.0/24\naccept",
        "10.1.2.0/24\n}\n",
        "10.1.2.0/24 # x",
        "10.1.2.0/24\\",
        "10.1.2.0/24|reboot",
        "$(reboot)",
    ),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "-f",
        "--help",
        "policy/zones.yaml",
        "*anchor",
        "&anchor 10.1.2.0/24",
        "!!python/object",
    ),
    # Too much, too little.
    *("", "1" * 65, "10.1.2.0/" + "2" * 60, ":" * 100, "1.1.1.1/" + "0" * 10, "f" * 64, "a:" * 40),
    # Characters that are not seen, and digits that are not ours, in every place.
    *(place.format(blank) for blank in _BLANKS for place in _PLACES),
    *(place.format(unseen) for unseen in _UNSEEN for place in _PLACES),
    *(f"1{digit}.1.2.0/24" for digit in _DIGITS_OF_OTHERS),
    *(f"10.1.2.0/2{digit}" for digit in _DIGITS_OF_OTHERS),
]


def test_there_are_more_than_two_hundred_nasty_networks():
    assert len(set(NASTY)) > 200


@pytest.mark.parametrize("text", sorted(set(NASTY)), ids=ascii)
def test_a_network_in_any_other_spelling_is_refused_in_one_line(text):
    with pytest.raises(ValueError, match=r"\.$") as refusal:
        parse_network(text)
    message = str(refusal.value)
    assert message.isprintable()
    assert len(message) < 300


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.2.0/24", "10.1.2.0/24"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.2.3/32", "10.1.2.3/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("255.255.255.255", "255.255.255.255/32"),
        ("::/0", "::/0"),
        ("::", "::/128"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:0db8:0000::/48", "2001:db8::/48"),
        ("2001:db8::192.0.2.1", "2001:db8::c000:201/128"),
        ("fd00::/8", "fd00::/8"),
        ("::ffff:10.1.2.0/120", "10.1.2.0/24"),
        ("::ffff:127.0.0.1", "127.0.0.1/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("64:ff9b::7f00:1", "127.0.0.1/32"),
        ("64:ff9b::10.0.0.0/104", "10.0.0.0/8"),
        ("2002:7f00:1::/48", "127.0.0.1/32"),
        ("2002:a00::/24", "10.0.0.0/8"),
        ("2002::/16", "0.0.0.0/0"),
        ("2002:a01:203:4::/64", "10.1.2.3/32"),
    ],
)
def test_a_network_is_read_and_unwrapped(text, network):
    assert parse_network(text) == ip_network(network)


def test_host_bits_are_refused_with_what_was_probably_meant():
    with pytest.raises(
        ValueError, match=r"Write 10\.1\.2\.0/24 for the network, or 10\.1\.2\.3/32 for the one"
    ):
        parse_network("10.1.2.3/24")


def test_a_wildcard_mask_is_not_read_as_a_prefix():
    assert ip_network("1.2.3.0/0.0.0.255") == ip_network("1.2.3.0/24"), "the standard library's reading"
    with pytest.raises(ValueError, match="gives a mask"):
        parse_network("1.2.3.0/0.0.0.255")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("127.0.0.1/32", "loopback"),
        ("127.0.0.0/8", "loopback"),
        ("::1/128", "loopback"),
        ("::ffff:127.0.0.1/128", "loopback"),
        ("::ffff:127.0.0.0/104", "loopback"),
        ("64:ff9b::7f00:1/128", "loopback"),
        ("2002:7f00:1::/48", "loopback"),
        ("2002:7f00:1:2::/64", "loopback"),
        ("169.254.169.254/32", "link-local"),
        ("::ffff:169.254.169.254/128", "link-local"),
        ("64:ff9b::a9fe:a9fe/128", "link-local"),
        ("2002:a9fe:a9fe::/48", "link-local"),
        ("fe80::/64", "link-local"),
        ("224.0.0.1/32", "multicast"),
        ("239.255.255.250/32", "multicast"),
        ("ff02::1/128", "multicast"),
        ("64:ff9b::e000:1/128", "multicast"),
        ("10.1.2.0/24", "private"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/24", "private"),
        ("100.64.0.0/10", "private"),
        ("fd00::/8", "private"),
        ("::ffff:10.1.2.3/128", "private"),
        ("2002:a01:203::/48", "private"),
        ("192.0.2.0/24", "documentation"),
        ("2001:db8::/32", "documentation"),
        ("0.0.0.0/8", "reserved"),
        ("240.0.0.0/4", "reserved"),
        ("255.255.255.255/32", "reserved"),
        ("198.18.0.0/15", "reserved"),
        ("::/128", "reserved"),
        ("::7f00:1/128", "reserved"),
        ("64:ff9b:1::/48", "reserved"),
        ("fec0::/10", "reserved"),
        ("2001::/32", "reserved"),
        ("4000::/3", "reserved"),
        ("8.8.8.8/32", "global"),
        ("172.32.0.0/12", "global"),
        ("2606:4700::/32", "global"),
        ("64:ff9b::808:808/128", "global"),
        ("2002:808:808::/48", "global"),
        ("0.0.0.0/0", "any"),
        ("::/0", "any"),
        ("::ffff:0:0/96", "any"),
        ("10.0.0.0/7", "mixed"),
        ("126.0.0.0/7", "mixed"),
        ("2000::/3", "mixed"),
        ("fe00::/7", "mixed"),
    ],
)
def test_a_network_is_judged_as_what_it_carries(text, kind):
    assert classify(ip_network(text)) == kind


def test_a_network_that_only_touches_a_special_block_is_found_and_a_whole_family_is_not():
    kinds = frozenset({"loopback", "multicast"})
    assert special_part(ip_network("126.0.0.0/7"), kinds) == ("loopback", ip_network("127.0.0.0/8"))
    assert special_part(ip_network("::ffff:224.0.0.0/104"), kinds) == ("multicast", ip_network("224.0.0.0/4"))
    assert special_part(ip_network("10.0.0.0/8"), kinds) is None
    assert special_part(ip_network("0.0.0.0/0"), kinds) is None


def test_a_list_is_read_with_commas_spaces_or_lines_between_and_comes_back_collapsed():
    assert parse_networks("10.1.3.0/24, 10.1.2.0/24\r\nfd00::/8 10.1.2.7") == (
        ip_network("10.1.2.0/23"),
        ip_network("fd00::/8"),
    )
    assert parse_networks(["10.0.0.1", "10.0.0.1/32"]) == (ip_network("10.0.0.1/32"),)


@pytest.mark.parametrize("empty", ["", " ", ",", "\r\n", []])
def test_an_empty_list_of_networks_is_refused(empty):
    with pytest.raises(ValueError, match="at least one"):
        parse_networks(empty)


def test_more_networks_than_anybody_reviews_are_refused():
    many = [f"10.0.{number}.0/25" for number in range(MOST_NETWORKS + 1)]
    with pytest.raises(ValueError, match="at most 64"):
        parse_networks(many)
    assert len(parse_networks(many[:-1])) == MOST_NETWORKS


def _network(version: int, first: int, prefix: int) -> networks.Network:
    longest = 32 if version == 4 else 128
    base = first >> (longest - prefix) << (longest - prefix)
    return IPv4Network((base, prefix)) if version == 4 else IPv6Network((base, prefix))


# A small corner of the address space, so that examples meet each other.
_FOURS = st.builds(_network, st.just(4), st.integers(0x0A000000, 0x0A0000FF), st.integers(22, 32))
_SIXES = st.builds(_network, st.just(6), st.integers(0xFD << 120, (0xFD << 120) + 255), st.integers(118, 128))
_LISTS = st.lists(st.one_of(_FOURS, _SIXES), max_size=8)
_ANYWHERE = st.one_of(
    st.builds(_network, st.just(4), st.integers(0, 2**32 - 1), st.integers(0, 32)),
    st.builds(_network, st.just(6), st.integers(0, 2**128 - 1), st.integers(0, 128)),
)


def _addresses(found: tuple[networks.Network, ...] | list[networks.Network]) -> set[tuple[int, int]]:
    return {(network.version, int(address)) for network in found for address in network}


@given(_LISTS)
def test_collapsing_keeps_exactly_the_addresses_and_is_done_once(some):
    collapsed = collapse(some)
    assert _addresses(collapsed) == _addresses(some)
    assert collapse(collapsed) == collapsed
    assert collapse(reversed(some)) == collapsed
    assert address_count(some) == sum(network.num_addresses for network in collapsed)


@given(_LISTS, _LISTS)
def test_difference_and_intersection_are_those_of_the_sets_of_addresses(left, right):
    assert _addresses(difference(left, right)) == _addresses(left) - _addresses(right)
    assert _addresses(intersection(left, right)) == _addresses(left) & _addresses(right)
    assert covers(left, right) == (_addresses(right) <= _addresses(left))
    assert collapse((*difference(left, right), *intersection(left, right))) == collapse(left)


@given(_ANYWHERE)
def test_what_is_read_is_written_back_as_itself(network):
    if classify(network) == "mixed" and network.version == 6:
        return
    read = parse_network(str(network))
    assert read == unwrap(network)
    assert parse_network(str(read)) == read
    assert classify(read) == classify(network)


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_every_wrapping_of_an_ipv4_network_is_judged_as_that_network(number, prefix):
    plain = _network(4, number, prefix)
    base = int(plain.network_address)
    wrapped = [
        IPv6Network((0xFFFF << 32 | base, 96 + prefix)),
        IPv6Network((0x64FF9B << 96 | base, 96 + prefix)),
        IPv6Network((0x2002 << 112 | base << 80, 16 + prefix)),
    ]
    for network in wrapped:
        assert unwrap(network) == plain
        assert parse_network(str(network)) == plain
        assert classify(network) == classify(plain)


@given(st.text(max_size=40))
def test_no_text_at_all_gets_past_as_anything_but_a_network_or_a_refusal(text):
    try:
        network = parse_network(text)
    except ValueError:
        return
    assert text.isascii()
    assert "/" not in text or text.rpartition("/")[2].isdigit()
    assert unwrap(network) == network


@given(_ANYWHERE)
def test_the_kinds_agree_with_the_standard_library_where_that_is_right(network):
    judged = unwrap(network)
    kind = classify(network)
    if judged.version == 4 and kind != "mixed":
        assert (kind == "loopback") == judged.is_loopback
        assert (kind == "multicast") == judged.is_multicast
        assert (kind == "link-local") == judged.is_link_local
    if kind == "global":
        assert not (judged.is_loopback or judged.is_link_local or judged.is_multicast or judged.is_private)
