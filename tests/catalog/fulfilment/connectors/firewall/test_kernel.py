"""The running firewall: packets pass while the rule lives, not before and not after, in real network namespaces."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.kernel import Kernel
from catalog.fulfilment.connectors.firewall.rendered import read_nftables
from tests.catalog.fulfilment.connectors.firewall.network import BRIEFLY, PATIENCE, Network, joined
from tests.catalog.fulfilment.connectors.firewall.orders import allow, commits, git, remove, shown


@pytest.fixture(scope="module")
def wired() -> Iterator[Network]:
    with joined(443, 22) as network:
        yield network


@pytest.fixture
def network(wired: Network) -> Network:
    """With nothing loaded, as after a restart."""
    wired.nft("flush", "ruleset")
    return wired


@pytest.fixture
def kernel(network: Network) -> Kernel:
    return Kernel(network.prefix)


@pytest.fixture
def running(repository, clock, kernel) -> FirewallConnector:
    """The firewall with its policy in force."""
    firewall = FirewallConnector(repository, clock=clock, kernel=kernel)
    firewall.load()
    return firewall


def test_packets_pass_while_the_rule_lives_and_neither_before_nor_after(running, network):
    assert network.blocks(443)
    plan = running.plan(allow())
    assert network.blocks(443), "a plan opens nothing"
    running.apply(plan, "k")
    assert network.passes(443)
    assert network.blocks(22), "another port is another rule"
    assert running.read_back(plan, "k").present
    running.revert(plan, "k")
    assert network.blocks(443)
    assert not running.read_back(plan, "k").present


def test_a_removal_by_request_closes_what_the_request_before_had_opened(running, network):
    running.apply(running.plan(allow()), "k")
    assert network.passes(443)
    removal = running.plan(remove("SR-000123"))
    running.apply(removal, "k2")
    assert network.blocks(443)
    assert running.read_back(removal, "k2").present


def test_a_connection_that_is_open_already_ends_with_its_rule_and_goes_on_by_another(running, network):
    plan = running.plan(allow())
    running.apply(plan, "k")
    running.apply(running.plan(allow("SR-000300", source="10.1.2.10", ports="22")), "k3")
    with network.connected(443) as works, network.connected(22) as other:
        assert works(PATIENCE)
        running.apply(running.plan(allow("SR-000200", source="10.1.2.10")), "k2")
        running.revert(plan, "k")
        assert works(PATIENCE), "another rule allows it"
        lines = running.apply(running.plan(remove("SR-000200")), "k4").lines
        assert not works(BRIEFLY)
        assert other(PATIENCE)
    assert not [line for line in lines if "go on until" in line.text]


def test_without_conntrack_the_outcome_says_that_open_connections_go_on(
    running, network, repository, clock, tmp_path
):
    """A folder of tools with all but conntrack."""
    for name in ("nft", "ip"):
        (tmp_path / name).symlink_to(str(shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")))
    firewall = FirewallConnector(repository, clock=clock, kernel=Kernel(network.prefix, str(tmp_path)))
    plan = firewall.plan(allow())
    firewall.apply(plan, "k")
    outcome = firewall.revert(plan, "k")
    assert "Connections that are open already go on until they end: conntrack did not answer" in [
        line.text for line in outcome.lines
    ]


def test_the_kernel_holds_exactly_what_is_rendered(running, repository, kernel):
    both = {"source": "10.1.2.0/24, 10.1.4.0/23, fd00:10:1::/64", "destination": "10.9.0.10, fd00:10:9::10"}
    running.apply(running.plan(allow(**both, ports="443, 8000-8010")), "k")
    running.apply(running.plan(allow("SR-000124", **both, protocol="icmp", ports="")), "k2")
    rendered = read_nftables(shown(repository, "rendered/edge.nft"))
    assert kernel.read() == rendered
    assert len(rendered.openings) == 7
    assert rendered.foreign == ()


def test_what_is_put_into_the_kernel_by_hand_is_live_without_a_request_and_goes_with_the_next_change(
    running, network
):
    running.apply(running.plan(allow()), "k")
    network.nft("insert", "rule", "ip", "filtering_policies", "root0", "tcp", "dport", "22", "accept")
    assert network.passes(22)
    found = [live for live in running.live() if live.key.startswith("firewall:kernel:")]
    assert [live.reference for live in found] == [""]
    assert found[0].facts["line"] == "tcp dport 22 accept"
    plan = running.plan(allow("SR-000200", ports="8443"))
    assert "put there by hand" in plan.warnings[0]
    running.apply(plan, "k2")
    assert network.blocks(22)
    assert network.passes(443)


def test_a_rule_that_is_gone_from_the_kernel_is_drift_and_applying_again_brings_it_back(running, network):
    plan = running.plan(allow())
    running.apply(plan, "k")
    network.nft("flush", "chain", "ip", "filtering_policies", "SR-000123-v4")
    assert network.blocks(443)
    assert not running.read_back(plan, "k").present
    assert not running.plan(allow()).already_true
    live = {found.key: found for found in running.live()}["firewall:SR-000123"]
    assert live.facts["passes"] == "kernel: nothing"
    assert running.expected_facts(plan)["passes"] != live.facts["passes"]
    running.apply(plan, "k")
    assert network.passes(443)
    assert running.read_back(plan, "k").present


@pytest.mark.parametrize(
    "by_hand",
    [
        ["insert", "rule", "ip", "filtering_policies", "root0", "drop"],
        ["insert", "rule", "ip", "filtering_policies", "SR-000123-v4", "drop"],
        ["delete", "table", "ip", "filtering_policies"],
        ["add", "chain", "ip", "filtering_policies", "root0", "{ policy accept ; }"],
    ],
    ids=["drop first", "drop in its chain", "no table", "accept by default"],
)
def test_a_kernel_that_somebody_changed_never_reads_as_it_should_be(
    running, network, kernel, repository, by_hand
):
    running.apply(running.plan(allow()), "k")
    assert kernel.read() == read_nftables(shown(repository, "rendered/edge.nft"))
    network.nft(*by_hand)
    assert kernel.read() != read_nftables(shown(repository, "rendered/edge.nft"))
    assert [live for live in running.live() if live.key.startswith("firewall:kernel:")]
    running.load()
    assert kernel.read() == read_nftables(shown(repository, "rendered/edge.nft"))


def test_tables_of_others_are_left_alone(running, network):
    network.nft("add", "table", "inet", "somebody_else")
    running.apply(running.plan(allow()), "k")
    assert "somebody_else" in network.nft("list", "tables")


def test_a_kernel_that_cannot_be_asked_is_a_passing_error_and_nothing_is_committed(
    repository, clock, running
):
    plan = running.plan(allow())
    away = FirewallConnector(repository, clock=clock, kernel=Kernel(("ip", "netns", "exec", "cs-nowhere")))
    for call in (
        lambda: away.plan(allow()),
        lambda: away.apply(plan, "k"),
        lambda: away.read_back(plan, "k"),
        lambda: list(away.live()),
    ):
        with pytest.raises(ConnectorError, match="did not answer") as refusal:
            call()
        assert not refusal.value.permanent
    assert len(commits(repository)) == 1


def test_a_policy_that_the_kernel_does_not_take_is_taken_back_and_the_old_rules_go_on(
    running, network, repository, clock, tmp_path
):
    """A program of ours in the place of nft, that loses every rule of one request as it loads."""
    running.apply(running.plan(allow("SR-000100", ports="22")), "k")
    odd = tmp_path / "nft"
    odd.write_text(
        f'#!/bin/sh\n[ "$*" = "-f -" ] || exec {shutil.which("nft", path="/usr/sbin:/usr/bin")} "$@"\n'
        f'grep -v "jump SR-000123-v4" | exec {shutil.which("nft", path="/usr/sbin:/usr/bin")} -f -\n'
    )
    odd.chmod(0o755)
    odd_tools = f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"
    firewall = FirewallConnector(repository, clock=clock, kernel=Kernel(network.prefix, odd_tools))
    plan = firewall.plan(allow())
    with pytest.raises(ConnectorError, match="did not take the policy") as refusal:
        firewall.apply(plan, "k2")
    assert refusal.value.permanent
    assert commits(repository)[:2] == [
        "SR-000123: take back allow TCP 443 from office to dmz",
        "SR-000123: allow TCP 443 from office to dmz",
    ]
    assert "SR-000123" not in shown(repository, "rendered/edge.nft")
    assert network.passes(22)
    assert network.blocks(443)
    assert not firewall.read_back(plan, "k2").present
    running.apply(plan, "k2")
    assert network.passes(443), "the same key goes again once the kernel is well"
    assert git(repository, "status", "--porcelain") == ""


def test_without_a_kernel_there_is_nothing_to_load(firewall: FirewallConnector, repository: Path):
    with pytest.raises(ConnectorError, match="does not load") as refusal:
        firewall.load()
    assert refusal.value.permanent
