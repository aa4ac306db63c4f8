"""Whether traffic passes already: exact, and checked against Aerleon's own answer and against counting."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from aerleon.lib import aclcheck, naming, policy, policy_builder
from hypothesis import given
from hypothesis import strategies as st

from catalog.fulfilment.connectors.firewall.coverage import already_allowed, hidden_by, regions
from catalog.fulfilment.connectors.firewall.rules import Rule
from portal.core.networks import collapse
from portal.core.spans import merge
from tests.catalog.fulfilment.connectors.firewall.orders import rule


def test_the_same_rule_of_another_request_allows_it():
    allowed = already_allowed(rule("SR-000123"), [rule("SR-000100")])
    assert (allowed.answer, allowed.by, allowed.left) == ("yes", ("SR-000100",), ())


def test_a_rule_is_not_allowed_by_itself():
    assert already_allowed(rule("SR-000123"), [rule("SR-000123")]).answer == "no"


def test_a_wider_rule_allows_it():
    wider = rule("SR-000100", source="10.1.0.0/16", destination="10.9.0.0/24", ports="1-1000")
    assert already_allowed(rule(), [wider]).answer == "yes"


@pytest.mark.parametrize(
    "narrower",
    [{"source": "10.1.2.0/25"}, {"destination": "10.9.0.10"}, {"ports": "443"}],
    ids=str,
)
def test_a_partial_overlap_is_not_allowed(narrower):
    wanted = rule("SR-000123", destination="10.9.0.8/30", ports="443-444")
    allowed = already_allowed(
        wanted, [rule("SR-000100", **({"destination": "10.9.0.8/30", "ports": "443-444"} | narrower))]
    )
    assert (allowed.answer, allowed.by) == ("partly", ("SR-000100",))
    assert allowed.left


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": "udp"},
        {"ports": "80"},
        {"source": "10.1.3.0/24"},
        {"destination": "10.9.0.11"},
        {"source_zone": "servers", "source": "10.8.0.0/24"},
        {"destination_zone": "servers"},
    ],
    ids=str,
)
def test_other_traffic_allows_nothing(other):
    assert already_allowed(rule(), [rule("SR-000100", **other)]).answer == "no"


def test_two_rules_that_cover_it_together_are_both_named():
    halves = [rule("SR-000100", source="10.1.2.0/25"), rule("SR-000101", source="10.1.2.128/25")]
    assert already_allowed(rule(), halves) == already_allowed(rule(), reversed(halves)).__class__(
        "yes", ("SR-000100", "SR-000101"), ()
    )


def test_two_rules_that_leave_a_corner_do_not_cover_it():
    wanted = rule("SR-000123", destination="10.9.0.8/31")
    cross = [
        rule("SR-000100", source="10.1.2.0/25", destination="10.9.0.8/31"),
        rule("SR-000101", source="10.1.2.0/24", destination="10.9.0.8/32"),
    ]
    allowed = already_allowed(wanted, cross)
    assert allowed.answer == "partly"
    assert sum(region.size() for region in allowed.left) == 128


def test_the_one_rule_that_allows_everything_is_named_alone():
    some = [rule("SR-000100", source="10.1.2.0/25"), rule("SR-000101", source="10.1.0.0/16")]
    assert already_allowed(rule(), some).by == ("SR-000101",)


def test_icmp_is_compared_without_ports():
    ping = rule("SR-000123", protocol="icmp", ports="")
    assert (
        already_allowed(ping, [rule("SR-000100", protocol="icmp", ports="", source="10.1.0.0/16")]).answer
        == "yes"
    )
    assert already_allowed(ping, [rule("SR-000100")]).answer == "no"


def test_both_address_families_have_to_be_covered():
    both = rule("SR-000123", source="10.1.2.0/24,fd00:10:1::/64", destination="10.9.0.10,fd00:10:9::10")
    assert already_allowed(both, [rule("SR-000100")]).answer == "partly"
    six = rule("SR-000101", source="fd00:10:1::/48", destination="fd00:10:9::/48")
    assert already_allowed(both, [rule("SR-000100"), six]).answer == "yes"


def _network(first: int, prefix: int, base: int) -> IPv4Network:
    return IPv4Network((base + (first >> (32 - prefix) << (32 - prefix)), prefix))


def _networks(base: int):
    one = st.builds(_network, st.integers(0, 15), st.integers(28, 32), st.just(base))
    return st.lists(one, min_size=1, max_size=3).map(collapse)


_PORTS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 3)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    min_size=1,
    max_size=2,
).map(merge)
_RULES = st.builds(
    Rule,
    reference=st.just(""),
    source_zone=st.sampled_from(["office", "servers"]),
    destination_zone=st.just("dmz"),
    sources=_networks(0x0A010200),
    destinations=_networks(0x0A090000),
    protocol=st.sampled_from(["tcp", "udp"]),
    ports=_PORTS,
)


def _named(rules: list[Rule]) -> list[Rule]:
    return [
        Rule(f"SR-{number:06d}", found.source_zone, found.destination_zone, found.sources, found.destinations,
             found.protocol, found.ports)
        for number, found in enumerate(rules, start=1)
    ]  # fmt: skip


def _flows(found: Rule) -> set[tuple[str, str, int, int, int]]:
    return {
        (found.source_zone, found.protocol, int(source), int(destination), port)
        for source_network in found.sources
        for source in source_network
        for destination_network in found.destinations
        for destination in destination_network
        for first, last in found.ports
        for port in range(first, last + 1)
    }


@given(_RULES, st.lists(_RULES, max_size=5))
def test_the_answer_is_that_of_counting_every_single_flow(wanted, others):
    others = _named(others)
    flows = _flows(wanted)
    open_already = set().union(*(_flows(other) for other in others))
    allowed = already_allowed(wanted, others)
    expected = "yes" if flows <= open_already else "partly" if flows & open_already else "no"
    assert allowed.answer == expected
    assert sum(region.size() for region in allowed.left) == len(flows - open_already)
    contributing = {other.reference for other in others if _flows(other) & flows}
    assert set(allowed.by) <= contributing
    assert bool(allowed.by) == (expected != "no")


def _aerleon(rules: list[Rule]) -> policy.Policy:
    networks = {}
    for found in rules:
        networks[f"{found.reference}-s"] = {
            "values": [{"address": str(network)} for network in found.sources]
        }
        networks[f"{found.reference}-d"] = {
            "values": [{"address": str(network)} for network in found.destinations]
        }
    services = {
        f"{found.reference}-p": [
            {"protocol": found.protocol, "port": f"{first}-{last}"} for first, last in found.ports
        ]
        for found in rules
    }
    terms = [
        {
            "name": found.reference,
            "source-zone": found.source_zone,
            "destination-zone": found.destination_zone,
            "source-address": f"{found.reference}-s",
            "destination-address": f"{found.reference}-d",
            "destination-port": f"{found.reference}-p",
            "protocol": found.protocol,
            "action": "accept",
        }
        for found in rules
    ]
    definitions = naming.Naming()
    definitions.ParseDefinitionsObject({"networks": networks, "services": services}, "")
    described = {"filename": "edge", "filters": [{"header": {"targets": {"srx": "x"}}, "terms": terms}]}
    return policy.FromBuilder(policy_builder.PolicyBuilder(described, definitions))


@given(
    st.lists(_RULES, min_size=1, max_size=5),
    st.integers(0, 15),
    st.integers(0, 15),
    st.integers(1, 9),
    _RULES,
)
def test_for_a_single_flow_the_answer_is_that_of_aerleon(others, source, destination, port, like):
    others = _named(others)
    wanted = Rule(
        "SR-999999", like.source_zone, like.destination_zone, (IPv4Network(0x0A010200 + source),),
        (IPv4Network(0x0A090000 + destination),), like.protocol, ((port, port),),
    )  # fmt: skip
    check = aclcheck.AclCheck(
        _aerleon(others),
        src=str(wanted.sources[0]),
        dst=str(wanted.destinations[0]),
        dport=str(port),
        proto=wanted.protocol,
        source_zone=wanted.source_zone,
        destination_zone=wanted.destination_zone,
    )
    allowed = already_allowed(wanted, others)
    assert allowed.answer == ("yes" if check.ExactMatches() else "no")
    if check.ExactMatches():
        assert allowed.by == (check.ExactMatches()[0].term,)


@given(_RULES, st.lists(_RULES, min_size=1, max_size=4))
def test_what_aerleon_allows_for_whole_networks_is_never_denied_here(wanted, others):
    """Aerleon judges one network and one port at a time, and each term alone: it may miss, and may not exceed."""
    others = _named(others)
    acl = _aerleon(others)
    everywhere = all(
        aclcheck.AclCheck(
            acl,
            src=str(source),
            dst=str(destination),
            dport=str(port),
            proto=wanted.protocol,
            source_zone=wanted.source_zone,
            destination_zone=wanted.destination_zone,
        ).ExactMatches()
        for source in wanted.sources
        for destination in wanted.destinations
        for first, last in wanted.ports
        for port in range(first, last + 1)
    )
    if everywhere:
        assert already_allowed(wanted, others).answer == "yes"


@given(_RULES, _RULES)
def test_taking_a_region_away_leaves_parts_that_do_not_overlap(left, right):
    whole, taken = regions(left)[0], regions(right)[0]
    parts = list(whole.without(taken))
    assert len(parts) <= 3
    assert all(not one.meets(other) for one in parts for other in parts if one is not other)
    assert all(not part.meets(taken) for part in parts)


def test_rules_that_only_together_with_the_new_one_hide_another_are_found():
    other = rule("SR-000100")
    half = rule("SR-000101", source="10.1.2.0/25")
    assert hidden_by(rule("SR-000123", source="10.1.2.128/25"), [other, half]) == ("SR-000100",)
    assert hidden_by(rule("SR-000123", source="10.1.2.128/26"), [other, half]) == ()


@given(_RULES, st.lists(_RULES, max_size=5))
def test_what_is_hidden_is_what_counting_every_single_flow_finds_hidden(new, others):
    new, *others = _named([new, *others])
    found = hidden_by(new, others)
    for other in others:
        rest = set().union(*(_flows(each) for each in others if each is not other))
        hidden = not _flows(other) <= rest and _flows(other) <= rest | _flows(new)
        assert (other.reference in found) == hidden
