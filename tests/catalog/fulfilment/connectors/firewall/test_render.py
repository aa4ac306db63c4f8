"""The rendered files, read by the tools that would load them."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.fulfilment.connectors.firewall import nft
from catalog.fulfilment.connectors.firewall.outputs import render_all
from catalog.fulfilment.connectors.firewall.render import (
    ASA_PATH,
    NFTABLES_PATH,
    PALO_ALTO_PATH,
    nftables_chains,
    render_nftables,
)
from catalog.fulfilment.connectors.firewall.rendered import differences, openings_of, read_nftables
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from tests.catalog.fulfilment.connectors.firewall.orders import rule

RULES = [
    rule("SR-000100", source="10.1.2.0/24, 10.1.4.0/24", ports="443, 8000-8010"),
    rule("SR-000101", source="10.1.2.0/24, fd00:10:1::/64", destination="10.9.0.10, fd00:10:9::10"),
    rule("SR-000102", protocol="udp", ports="53", source_zone="internet", source="0.0.0.0/0"),
    rule(
        "SR-000103",
        protocol="icmp",
        ports="",
        source="10.1.2.3, fd00:10:1::7",
        destination="10.9.0.10, fd00:10:9::10",
    ),
    *BASELINE.values(),
]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return render_all(ZONES, RULES)


def test_the_same_rules_give_the_same_bytes_in_any_order(files):
    assert render_all(ZONES, reversed(RULES)) == files


def test_nft_accepts_the_rendered_file(files):
    assert nft.check(files[NFTABLES_PATH]) == nft.Verdict("accepted", "")


def test_nft_accepts_a_policy_without_any_rule():
    empty = render_all(ZONES, [])
    assert nft.check(empty[NFTABLES_PATH]).answer == "accepted"
    assert ET.fromstring(empty[PALO_ALTO_PATH]).tag == "config"


def test_nft_refuses_a_broken_file_in_its_own_words(files):
    broken = files[NFTABLES_PATH].replace(b"tcp dport 443", b"tcp dprt 443", 1)
    verdict = nft.check(broken)
    assert verdict.answer == "refused"
    assert "syntax error" in verdict.words


def test_loading_the_file_twice_does_not_double_the_rules(files, tmp_path):
    """In a network namespace of its own, so no table of this machine is touched."""
    (tmp_path / "edge.nft").write_bytes(files[NFTABLES_PATH])
    load = "for turn in 1 2 3; do nft -f edge.nft && nft -j list ruleset || exit 1; done"
    command = ["unshare", "--user", "--map-root-user", "--net", "sh", "-ec", load]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    counts = []
    for listing in filter(None, done.stdout.splitlines()):
        rules = [item["rule"] for item in json.loads(listing)["nftables"] if "rule" in item]
        counts.append(sum(any("accept" in part for part in found["expr"]) for found in rules))
    accepted = sum(len(list(found.versions())) for found in RULES)
    assert counts == [accepted + 2] * 3, "the rules and one line for replies in each family"


def test_without_its_first_lines_a_reload_would_double_the_rules(files, tmp_path):
    body = files[NFTABLES_PATH].decode().partition("table ip filtering_policies {")
    (tmp_path / "edge.nft").write_text(body[1] + body[2])
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-ec",
        "nft -f edge.nft; nft -f edge.nft; nft list ruleset",
    ]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.count("ct state established,related accept") == 4


def test_what_the_file_lets_pass_is_what_the_rules_say_and_nothing_else(files):
    text = files[NFTABLES_PATH].decode()
    assert differences(text, RULES, ZONES) == []
    assert set(read_nftables(text).openings) == {found.reference for found in RULES}
    assert differences(text, RULES[1:], ZONES) == ["SR-000100 is not rendered as it stands"]
    assert differences(text, [*RULES, rule("SR-000104")], ZONES) == ["SR-000104 is not rendered as it stands"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10.1.2.0/24, 10.1.4.0/24", "10.1.2.0/24, 10.1.4.0/23"),
        ("ip saddr { 10.1.2.0/24, 10.1.4.0/24 } ", ""),
        ("dport { 443, 8000-8010 }", "dport { 443, 8000-8011 }"),
        ('iifname "office" oifname "dmz" ip saddr { 10.1.2.0/24, 10.1.4.0/24 }', "ip saddr 10.1.2.0/24"),
        ('comment "SR-000100"', 'comment "x" ; ip saddr 0.0.0.0/0 accept comment "y"'),
        ("        drop\n", "        accept\n"),
        ("policy drop", "policy accept"),
        ("        jump SR-000100-v4\n", ""),
        ("        jump SR-000100-v4\n", "        jump SR-000100-v4\n        ip saddr 0.0.0.0/0 accept\n"),
        ("tcp dport { 443, 8000-8010 } ct state new accept", "tcp dport { 443, 8000-8010 } accept"),
    ],
)
def test_a_file_that_lets_anything_else_pass_is_found_out(files, old, new):
    text = files[NFTABLES_PATH].decode()
    assert old in text
    assert differences(text.replace(old, new, 1), RULES, ZONES)


def test_the_lines_of_one_rule_are_those_in_the_whole_file(files):
    whole = files[NFTABLES_PATH].decode()
    for found in RULES:
        lines = nftables_chains(ZONES, found)
        assert "\n".join(lines[:4]) in whole
        assert all(line in whole.splitlines() for line in lines)


def test_asa_gets_one_list_for_each_interface_in_both_families(files):
    lines = files[ASA_PATH].decode().splitlines()
    for zone in ZONES:
        assert f"clear configure access-list from-{zone}" in lines
        assert f"access-list from-{zone} extended deny ip any any" in lines
    assert (
        "access-list from-office extended permit tcp 10.1.2.0 255.255.255.0 host 10.9.0.10 eq https" in lines
    )
    assert (
        "access-list from-office extended permit tcp 10.1.4.0 255.255.255.0 host 10.9.0.10 range 8000 8010"
        in lines
    )
    assert "access-list from-office extended permit tcp fd00:10:1::/64 host fd00:10:9::10 eq https" in lines
    assert "access-list from-office extended permit icmp6 host fd00:10:1::7 host fd00:10:9::10" in lines
    assert all(
        not line or line.startswith(("access-list from-", "clear configure access-list from-"))
        for line in lines
    )


def test_palo_alto_gets_each_rule_between_its_zones_with_its_own_addresses(files):
    config = ET.fromstring(files[PALO_ALTO_PATH])
    entry = config.find(".//rules/entry[@name='SR-000100-v4']")
    assert [member.text for member in entry.findall("from/member")] == ["office"]
    assert [member.text for member in entry.findall("to/member")] == ["dmz"]
    assert entry.findtext("action") == "allow"
    group = config.find(".//address-group/entry[@name='SR-000100-from-v4']")
    names = [member.text for member in group.findall("static/member")]
    addresses = [config.findtext(f".//address/entry[@name='{name}']/ip-netmask") for name in names]
    assert addresses == ["10.1.2.0/24", "10.1.4.0/24"]
    service = entry.findtext("service/member")
    assert config.findtext(f".//service/entry[@name='{service}']//port") == "443,8000-8010"
    assert len(config.findall(".//rules/entry")) == sum(len(list(found.versions())) for found in RULES)


def test_threads_that_render_at_once_do_not_mix_their_rules():
    def one(number: int) -> bool:
        found = rule(f"SR-{number:06d}", source=f"10.1.{number}.0/24", ports=str(1000 + number))
        text = render_nftables(ZONES, [found])
        return read_nftables(text).openings == {found.reference: openings_of(found, ZONES)}

    with ThreadPoolExecutor(8) as workers:
        assert all(workers.map(one, range(1, 65)))
