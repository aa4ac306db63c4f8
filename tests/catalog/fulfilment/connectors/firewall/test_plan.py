"""What people and machines read before anything changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.fulfilment.connectors.contract import ConnectorError
from tests.catalog.fulfilment.connectors.firewall.orders import allow, commits, git, remove, shown


def _texts(plan, change=None):
    return [line.text for line in plan.lines if change in (None, line.change)]


def test_a_plan_says_in_words_what_would_be_opened(firewall):
    plan = firewall.plan(allow())
    assert plan.lines[0].change == "add"
    assert plan.lines[0].text == (
        "Allow TCP 443 from 10.1.2.0/24 (office) to 10.9.0.10/32 (dmz) until 2027-01-31 16:00 UTC"
    )
    assert plan.lines[1].text == "256 addresses can reach 1 address on 1 port"
    assert plan.target == "the edge firewall"
    assert plan.warnings == ()


def test_the_nftables_lines_of_a_plan_are_exactly_those_that_the_commit_adds(firewall, repository):
    order = allow(
        source="10.1.2.0/24, fd00:10:1:2::/64", destination="10.9.0.10, fd00:10:9::10", ports="443, 8000-8010"
    )
    plan = firewall.plan(order)
    planned = [
        text.removeprefix("nftables: ") for text in _texts(plan, "add") if text.startswith("nftables: ")
    ]
    firewall.apply(plan, "k")
    diff = git(repository, "diff", "main^", "main", "--", "rendered/edge.nft")
    added = [line[1:] for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert len(planned) == 10
    assert sorted(added) == sorted(planned)
    assert not [line for line in diff.splitlines() if line.startswith("-") and not line.startswith("---")]


def test_a_plan_names_the_files_that_change(firewall, repository):
    plan = firewall.plan(allow())
    named = {text for text in _texts(plan) if text.startswith(("policy/", "rendered/"))}
    outcome = firewall.apply(plan, "k")
    assert named == set(outcome.facts["files"])
    assert named == set(git(repository, "diff", "--name-only", "main^", "main").split())


def test_the_document_is_the_rule_in_normal_form_and_nothing_of_the_repository(firewall, applied):
    order = allow(source="10.1.3.0/24,10.1.2.0/24", ports="444,443,80", protocol="TCP")
    document = firewall.plan(order).document
    assert document == {
        "reference": "SR-000123",
        "rule": {
            "reference": "SR-000123",
            "source_zone": "office",
            "destination_zone": "dmz",
            "sources": ["10.1.2.0/23"],
            "destinations": ["10.9.0.10/32"],
            "protocol": "tcp",
            "ports": ["80", "443-444"],
            "ends_at": "2027-01-31T16:00:00Z",
        },
    }
    effect = firewall.plan(order).effect
    applied("SR-000200", ports="22")
    assert firewall.plan(order).effect == effect, "another request's commit is no change of this plan"


def test_planning_again_after_applying_says_that_it_is_true(firewall, applied):
    order = applied()
    plan = firewall.plan(order)
    assert plan.already_true
    assert [line.change for line in plan.lines] == ["keep", "note"]


def test_the_same_traffic_allowed_by_another_request_is_a_warning_and_not_already_true(firewall, applied):
    applied("SR-000100")
    plan = firewall.plan(allow("SR-000123"))
    assert not plan.already_true
    assert plan.warnings == (
        "This is already allowed by SR-000100 (until 2027-01-31), so a new rule would change nothing.",
    )


def test_a_part_that_is_allowed_already_is_a_note(firewall, applied):
    applied("SR-000100", source="10.1.2.0/25")
    plan = firewall.plan(allow("SR-000123"))
    assert "Part of this is already allowed by SR-000100 (until 2027-01-31)" in _texts(plan, "note")
    assert plan.warnings == ()


def test_a_rule_from_before_any_request_counts_as_allowing(firewall):
    order = allow(destination_zone="internet", destination="198.51.100.7", ports="443")
    assert "already allowed by baseline-web-out" in firewall.plan(order).warnings[0]


def test_a_preview_before_submitting_shows_the_rule_under_a_placeholder(firewall):
    plan = firewall.plan(allow(""))
    assert 'nftables:         comment "SR-PREVIEW"' in _texts(plan)
    assert plan.document["reference"] == ""
    with pytest.raises(ConnectorError, match="names no rule of a request") as refusal:
        firewall.apply(plan, "k")
    assert refusal.value.permanent


def test_a_wide_rule_is_refused_unless_the_offering_sends_it_past_one_more_approver(firewall):
    order = allow(source_zone="internet", source="0.0.0.0/0")
    with pytest.raises(ConnectorError, match="wider than a /16") as refusal:
        firewall.plan(order)
    assert refusal.value.permanent
    for almost in ("true", 1, "yes"):
        with pytest.raises(ConnectorError, match="wider than a /16"):
            firewall.plan(replace(order, parameters=order.parameters | {"allow_wide": almost}))
    plan = firewall.plan(replace(order, parameters=order.parameters | {"allow_wide": True}))
    assert plan.warnings == ("The source is wider than a /16. Name smaller networks.",)


def test_any_to_any_is_refused_whatever_the_offering_says(firewall):
    for version in ("0.0.0.0/0", "::/0", "0.0.0.0/1,128.0.0.0/1"):
        order = allow(
            source_zone="internet",
            source=version,
            destination_zone="internet",
            destination=version,
            allow_wide=True,
        )
        with pytest.raises(ConnectorError) as refusal:
            firewall.plan(order)
        assert refusal.value.permanent


def test_an_end_that_has_passed_is_refused(firewall, clock):
    clock.now = allow().ends_at
    with pytest.raises(ConnectorError, match="would end before it starts") as refusal:
        firewall.plan(allow())
    assert refusal.value.permanent


def test_a_parameter_that_the_firewall_does_not_know_is_refused_by_name(firewall):
    with pytest.raises(ConnectorError, match="does not know comment, prots; it takes allow_wide"):
        firewall.plan(allow(comment="x", prots="443"))


def test_another_rule_under_the_same_reference_is_refused(firewall, applied):
    applied()
    with pytest.raises(ConnectorError, match="has a rule in the policy already") as refusal:
        firewall.plan(allow(ports="22"))
    assert refusal.value.permanent


def test_removing_says_what_goes_and_what_stays_open(firewall, applied):
    applied("SR-000100")
    applied("SR-000200", source="10.1.2.0/25")
    plan = firewall.plan(remove("SR-000100"))
    assert plan.lines[0].change == "remove"
    assert plan.lines[0].text.startswith("Stop allowing TCP 443 from 10.1.2.0/24 (office)")
    assert "Part of this stays allowed by SR-000200 (until 2027-01-31)" in _texts(plan)
    assert plan.document["rule"]["reference"] == "SR-000100"
    assert firewall.entitlement_key(plan) == ""


def test_planning_a_removal_again_after_it_is_done_says_the_same(firewall, applied):
    applied("SR-000100")
    before = firewall.plan(remove("SR-000100"))
    firewall.apply(before, "SR-000900/1")
    after = firewall.plan(remove("SR-000100"))
    assert after.effect == before.effect
    assert after.already_true


@pytest.mark.parametrize(
    "name", ["SR-999999", "baseline-web-out", "", "../zones", "SR-000100\n", "sr-000100"]
)
def test_only_a_rule_that_a_request_brought_can_be_removed(firewall, name):
    with pytest.raises(ConnectorError) as refusal:
        firewall.plan(remove(name))
    assert refusal.value.permanent


def test_the_lists_for_a_form_come_from_the_policy(firewall, applied):
    applied()
    zones = {choice.value: choice for choice in firewall.choices("zones")}
    assert zones["office"].hint == "10.1.0.0/16, fd00:10:1::/48"
    assert [choice.value for choice in firewall.choices("rules")] == ["SR-000123"]


def test_planning_never_makes_a_commit(firewall, repository):
    before = commits(repository)
    firewall.plan(allow())
    assert commits(repository) == before
    assert shown(repository, "policy/zones.yaml")


def test_a_rule_that_leaves_an_earlier_or_a_later_one_nothing_to_allow_says_so(firewall, applied):
    applied("SR-000100", source="10.1.2.0/25")
    applied("SR-000300", ports="443", destination="10.9.0.10", source="10.1.2.128/26")
    applied("SR-000301", ports="22")
    plan = firewall.plan(allow("SR-000200"))
    assert (
        "This hides SR-000100 (until 2027-01-31) and SR-000300 (until 2027-01-31): all that is allowed there passes "
        "by the new rule too, as long as it stands" in _texts(plan, "note")
    )
    firewall.apply(plan, "k")
    assert not [text for text in _texts(firewall.plan(allow("SR-000200"))) if "hides" in text]


def test_a_rule_that_only_reaches_into_another_hides_nothing(firewall, applied):
    applied("SR-000100", destination="10.9.0.8/30")
    plan = firewall.plan(allow("SR-000200", ports="443-444", destination="10.9.0.10"))
    assert not [text for text in _texts(plan) if "hides" in text]
    assert "Part of this is already allowed by SR-000100 (until 2027-01-31)" in _texts(plan, "note")
    assert plan.warnings == ()
