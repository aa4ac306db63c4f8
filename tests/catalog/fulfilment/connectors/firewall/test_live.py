"""Who allowed this? Everything live has an answer, or is shown as having none."""

from __future__ import annotations

from tests.catalog.fulfilment.connectors.firewall.orders import allow, push, shown


def test_every_rule_is_live_under_its_request_and_what_was_there_before_under_the_baseline(firewall, applied):
    order = applied()
    live = {found.key: found for found in firewall.live()}
    mine = live[firewall.entitlement_key(firewall.plan(order))]
    assert mine.reference == "SR-000123"
    assert mine.label.startswith("TCP 443 from 10.1.2.0/24 (office)")
    assert mine.facts["destinations"] == ["10.9.0.10/32"]
    assert live["firewall:baseline-web-out"].reference == "baseline"
    assert len(live) == 6


def test_a_rule_whose_rendering_was_widened_by_hand_is_not_in_force(firewall, repository, applied, tmp_path):
    plan = firewall.plan(applied())
    wider = shown(repository, "rendered/edge.nft").replace("ip saddr 10.1.2.0/24", "ip saddr 10.1.0.0/16", 1)
    push(repository, tmp_path / "clone", "rendered/edge.nft", wider)
    read = firewall.read_back(plan, "SR-000123/1")
    assert not read.present
    assert read.lines[0].text.startswith("Not in force: TCP 443")
    assert not firewall.plan(allow()).already_true


def test_a_rule_whose_chain_nothing_jumps_to_is_not_in_force(firewall, repository, applied, tmp_path):
    plan = firewall.plan(applied())
    cut = shown(repository, "rendered/edge.nft").replace("        jump SR-000123-v4\n", "")
    push(repository, tmp_path / "clone", "rendered/edge.nft", cut)
    assert not firewall.read_back(plan, "SR-000123/1").present


def test_reading_back_names_the_commit_and_brings_its_diff(firewall, applied, repository):
    plan = firewall.plan(applied())
    applied("SR-000124", ports="22")
    read = firewall.read_back(plan, "SR-000123/1")
    assert read.present
    assert read.facts["commit"] != read.facts["head"]
    assert b"SR-000123" in read.artefacts["change.diff"]
    assert b"SR-000124.yaml" not in read.artefacts["change.diff"]
