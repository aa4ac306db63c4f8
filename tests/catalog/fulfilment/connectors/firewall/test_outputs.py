"""The policy written for other firewalls: each says every rule, and the setting chooses which are kept."""

from __future__ import annotations

import pytest

from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.outputs import DEFAULT, OUTPUTS, chosen, render_all
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from tests.catalog.fulfilment.connectors.firewall.orders import allow, git, rule, shown

RULES = [
    rule(
        "SR-000101",
        source="10.1.2.0/24, fd00:10:1::/64",
        destination="10.9.0.10, fd00:10:9::10",
        ports="8443",
    ),
    rule("SR-000102", protocol="udp", ports="5300-5310", source="10.1.4.0/24"),
    *BASELINE.values(),
]
EXPECTED = {
    "cisco": (
        "permit tcp 10.1.2.0 0.0.0.255 host 10.9.0.10 eq 8443",
        "permit tcp fd00:10:1::/64 host fd00:10:9::10 eq 8443",
        "permit udp 10.1.4.0 0.0.0.255 host 10.9.0.10 range 5300 5310",
        "deny ip any any",
        "deny ipv6 any any",
    ),
    "ciscoxr": (
        "ipv4 access-list from-office-v4",
        "permit tcp 10.1.2.0 0.0.0.255 host 10.9.0.10 eq 8443",
        "permit tcp fd00:10:1::/64 host fd00:10:9::10 eq 8443",
        "deny ipv4 any any",
    ),
    "cisconx": ("permit tcp 10.1.2.0/24 10.9.0.10/32 eq 8443", "deny ip any any"),
    "arista": ("permit tcp 10.1.2.0/24 host 10.9.0.10 eq 8443", "deny ip any any"),
    "juniper": ("replace: filter from-office-v4 {", "term SR-000102-v4 {", "destination-port 5300-5310;", "discard;"),
    "srx": ("from-zone office to-zone dmz {", "policy SR-000101-v6 {", "term t1 protocol udp destination-port 5300-5310;"),
    "ciscoasa": ("access-list from-office extended deny ip any any",),
    "paloalto": ('<entry name="SR-000101-v4">',),
    "nftables": ('comment "SR-000101"',),
}  # fmt: skip


def test_every_output_is_looked_at_here():
    assert set(EXPECTED) == set(OUTPUTS)


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_each_output_says_every_rule_and_is_the_same_each_time(name):
    path = OUTPUTS[name].path
    text = render_all(ZONES, RULES, [name])[path].decode()
    for line in EXPECTED[name]:
        assert line in text, line
    for found in RULES:
        assert found.reference in text
    assert render_all(ZONES, reversed(RULES), [name])[path].decode() == text
    assert render_all(ZONES, [], [name])[path] is not None


def test_nftables_is_always_there_and_an_unknown_name_is_refused_with_those_that_are():
    assert chosen(["srx"]) == ("nftables", "srx")
    assert chosen(DEFAULT) == DEFAULT
    with pytest.raises(ValueError, match=r"checkpoint is no output; there are arista, cisco, ciscoasa"):
        chosen(["checkpoint"])


def test_the_files_follow_the_setting_and_none_is_left_that_is_no_longer_true(firewall, repository, clock):
    firewall.apply(firewall.plan(allow()), "k")
    juniper = FirewallConnector(repository, clock=clock, outputs=["srx"])
    plan = juniper.plan(allow("SR-000124", ports="22"))
    assert {"rendered/edge.nft", "rendered/edge.srx"} == {
        line.text for line in plan.lines if line.text.startswith("rendered/")
    }
    juniper.apply(plan, "k2")
    assert git(repository, "ls-tree", "--name-only", "main", "rendered/").split() == [
        "rendered/edge.nft",
        "rendered/edge.srx",
    ]
    assert "policy SR-000123-v4" in shown(repository, "rendered/edge.srx")
