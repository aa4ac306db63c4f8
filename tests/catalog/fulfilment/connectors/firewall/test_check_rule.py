"""What a form says about a rule as it is typed."""

from __future__ import annotations

import pytest

from catalog.fulfilment.connectors.firewall.checks import check_answers, check_rule
from catalog.fulfilment.connectors.firewall.starting_policy import ZONES
from tests.catalog.fulfilment.connectors.firewall.orders import WEB, rule


def _problems(**changed):
    return {(problem.field, problem.severity) for problem in check_answers(WEB | changed, ZONES)}


def test_a_rule_between_two_zones_may_be_asked_for():
    assert check_answers(WEB, ZONES) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"source_zone": ""}, {("source_zone", "stop")}),
        ({"source_zone": "moon"}, {("source_zone", "stop")}),
        ({"destination_zone": "x\nDMZ"}, {("destination_zone", "stop")}),
        ({"destination_zone": "office"}, {("destination_zone", "stop")}),
        ({"source": ""}, {("source", "stop")}),
        ({"source": "10.1.2.3/24"}, {("source", "stop")}),
        ({"source": "10.1.2.0/0.0.0.255"}, {("source", "stop")}),
        ({"source": "10.8.0.0/24"}, {("source", "stop")}),
        ({"source": "10.0.0.0/8"}, {("source", "stop")}),
        ({"source": "127.0.0.1"}, {("source", "stop")}),
        ({"source": "::ffff:127.0.0.1"}, {("source", "stop")}),
        ({"destination": "64:ff9b::7f00:1"}, {("destination", "stop")}),
        ({"destination": "2002:a9fe:a9fe::/48"}, {("destination", "stop")}),
        ({"destination": "224.0.0.1"}, {("destination", "stop")}),
        ({"destination": "fe80::1"}, {("destination", "stop")}),
        ({"protocol": "gre"}, {("protocol", "stop")}),
        ({"protocol": ""}, {("protocol", "stop")}),
        ({"ports": ""}, {("ports", "stop")}),
        ({"ports": "0"}, {("ports", "stop")}),
        ({"protocol": "icmp"}, {("ports", "stop")}),
        ({"ports": "1-1025"}, {("ports", "wide")}),
        ({"ports": "1-1000,2000-2024"}, {("ports", "wide")}),
        ({"source": "fd00:10:1::/64"}, {("source", "stop"), ("destination", "stop")}),
        ({"source": "10.1.2.0/24,fd00:10:1::/64"}, {("source", "stop")}),
        (
            {"source": "x", "destination": "y", "ports": "z"},
            {("source", "stop"), ("destination", "stop"), ("ports", "stop")},
        ),
    ],
    ids=lambda value: "-".join(sorted(map(str, value))),
)
def test_what_is_wrong_is_said_at_its_field(changed, expected):
    assert _problems(**changed) == expected


@pytest.mark.parametrize(
    "changed", [{"ports": "1-1024"}, {"source": "10.1.0.0/16"}, {"protocol": "ICMP", "ports": ""}]
)
def test_the_limits_themselves_are_within(changed):
    assert _problems(**changed) == set()


@pytest.mark.parametrize(
    ("source", "severity"),
    [
        ("198.51.100.0/24", None),
        ("8.8.0.0/16", None),
        ("8.8.0.0/15", "wide"),
        ("0.0.0.0/0", "wide"),
        ("10.1.2.0/24", "stop"),
        ("192.168.0.0/24", "stop"),
        ("100.64.0.0/10", "stop"),
        ("10.0.0.0/7", "stop"),
        ("0.0.0.0/1", "stop"),
        ("::ffff:10.1.2.0/120", "stop"),
        ("8.0.0.0/16, 8.4.0.0/24", "wide"),
    ],
)
def test_the_internet_is_what_belongs_to_no_other_zone(source, severity):
    found = _problems(source_zone="internet", source=source)
    assert found == (set() if severity is None else {("source", severity)})


def test_everything_may_be_the_destination_on_the_internet():
    assert _problems(destination_zone="internet", destination="0.0.0.0/0") == set()


def test_everything_to_everything_is_a_stop_in_one_go_and_in_halves():
    anywhere = {name: zone for name, zone in ZONES.items() if name == "internet"}
    two = anywhere | {"outside": anywhere["internet"]}
    for source, destination in (
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("0.0.0.0/1,128.0.0.0/1", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ):
        wanted = rule(
            source_zone="internet", destination_zone="outside", source=source, destination=destination
        )
        problems = check_rule(wanted, two)
        assert [(problem.field, problem.severity) for problem in problems] == [("source", "stop")]
        assert "everything to everything" in problems[0].message


def test_a_wide_source_asked_for_in_slices_is_judged_as_one():
    slices = {"source_zone": "internet", "source": "8.0.0.0/16"}
    other = rule("SR-000100", **slices)
    wanted = rule("SR-000123", **(slices | {"source": "8.1.0.0/24"}))
    assert check_rule(wanted, ZONES) == []
    problems = check_rule(wanted, ZONES, [other])
    assert [(problem.field, problem.severity) for problem in problems] == [("source", "wide")]
    assert "counted together with SR-000100" in problems[0].message


@pytest.mark.parametrize("different", [{"ports": "22"}, {"protocol": "udp"}, {"destination": "10.9.0.99"}])
def test_slices_count_together_only_for_the_same_destination_and_port(different):
    slices = {"source_zone": "internet", "source": "8.0.0.0/16"}
    other = rule("SR-000100", **(slices | different))
    assert check_rule(rule("SR-000123", **(slices | {"source": "8.1.0.0/24"})), ZONES, [other]) == []


def test_ports_asked_for_in_slices_are_judged_as_one():
    other = rule("SR-000100", ports="1-1024")
    problems = check_rule(rule("SR-000123", ports="2000"), ZONES, [other])
    assert [(problem.field, problem.severity) for problem in problems] == [("ports", "wide")]
    assert "1,025 ports, counted together with SR-000100" in problems[0].message


def test_what_another_rule_allows_wholly_is_not_counted_again():
    wide = rule("SR-000100", source_zone="internet", source="0.0.0.0/0")
    assert check_rule(rule("SR-000123", source_zone="internet", source="8.8.8.8"), ZONES, [wide]) == []


def test_a_rule_is_not_counted_together_with_itself():
    wanted = rule("SR-000123", ports="1-1000")
    assert check_rule(wanted, ZONES, [wanted]) == []


@pytest.mark.parametrize(
    "hostile", ["{{7*7}}", "<img src=x>", "x\u202ey", "a" * 10_000, 'x" ; accept comment "y']
)
@pytest.mark.parametrize(
    "field", ["source_zone", "destination_zone", "source", "destination", "protocol", "ports"]
)
def test_hostile_text_is_refused_in_a_short_printable_sentence(field, hostile):
    problems = check_answers(WEB | {field: hostile}, ZONES)
    assert problems
    for problem in problems:
        assert problem.message.isprintable()
        assert len(problem.message) < 300
