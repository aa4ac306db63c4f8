"""Nothing that a person typed, or that somebody pushed, ever becomes a statement of a rendered file."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from catalog.fulfilment.connectors.contract import Beneficiary, ConnectorError, Plan
from tests.catalog.fulfilment.connectors.firewall.orders import allow, commits, git, push, shown

HOSTILE = [
    'x" ; ip saddr 0.0.0.0/0 accept comment "y',
    'x"\n        accept\n        comment "y',
    "0.0.0.0/0 accept #",
    "} \n add rule ip filter forward accept",
    "443 accept; tcp dport 22",
    "{ 1-65535 }",
    "$(touch /tmp/x)",
    "`id`",
    "--output=/tmp/x",
    "../../../etc/passwd",
    "]]></member><member>any</member>",
    "permit ip any any\n",
    "SR-000123\nRequest: SR-000001",
    "{{7*7}}",
    "\u202eaccept",
    "\x00",
]


@pytest.mark.parametrize(
    "field", ["source_zone", "destination_zone", "source", "destination", "protocol", "ports"]
)
def test_hostile_answers_are_refused_and_leave_no_trace(firewall, repository, field):
    for hostile in HOSTILE:
        for value in (hostile, [hostile]):
            with pytest.raises(ConnectorError) as refusal:
                firewall.plan(allow(**{field: value}))
            assert refusal.value.permanent
            assert refusal.value.message.isprintable()
    assert len(commits(repository)) == 1


def test_a_hostile_reference_never_makes_a_commit(firewall, repository):
    for hostile in HOSTILE:
        with pytest.raises(ConnectorError, match="no request's reference") as refusal:
            firewall.plan(allow(hostile))
        assert refusal.value.permanent
    assert len(commits(repository)) == 1


def test_the_beneficiary_is_in_no_file_and_no_message(firewall, repository):
    order = replace(
        allow(), beneficiary=Beneficiary('x" accept', "<b>Mallory</b>", "mallory@meridian.example")
    )
    firewall.apply(firewall.plan(order), "k")
    everything = git(repository, "log", "-p", "--format=%B", "main")
    assert "allory" not in everything
    assert 'x" accept' not in everything


@pytest.mark.parametrize("place", ["reference", "source_zone", "sources", "ports", "protocol", "ends_at"])
def test_a_plan_that_was_changed_in_the_database_is_refused(firewall, repository, place):
    kept = firewall.plan(allow()).to_json()
    rule = kept["document"]["rule"]
    for hostile in HOSTILE:
        changed = rule | {place: [hostile] if isinstance(rule[place], list) else hostile}
        with pytest.raises(ConnectorError) as refusal:
            firewall.apply(
                Plan.from_json(kept | {"document": {"reference": "SR-000123", "rule": changed}}), "k"
            )
        assert refusal.value.permanent
    assert len(commits(repository)) == 1


def test_a_plan_that_was_widened_in_the_database_is_still_checked(firewall, repository):
    kept = firewall.plan(allow()).to_json()
    kept["document"]["rule"]["sources"] = ["0.0.0.0/0"]
    with pytest.raises(ConnectorError, match="is not inside the zone office"):
        firewall.apply(Plan.from_json(kept), "k")
    assert len(commits(repository)) == 1


@pytest.mark.parametrize("hostile", HOSTILE[:2], ids=["in one line", "over lines"])
@pytest.mark.parametrize("place", ["reference", "source_zone", "sources", "ports", "protocol"])
def test_a_rule_file_pushed_by_hand_is_refused_by_name_and_never_rendered(
    firewall, repository, tmp_path, place, hostile
):
    rule = dict(firewall.plan(allow("SR-000666")).document["rule"])
    rule[place] = [hostile] if isinstance(rule[place], list) else hostile
    git(repository.parent, "clone", "-q", str(repository), str(tmp_path / "clone"))
    (tmp_path / "clone/policy/rules").mkdir()
    plan = firewall.plan(allow())
    push(repository, tmp_path / "clone", "policy/rules/SR-000666.yaml", yaml.safe_dump(rule))
    for call in (
        lambda: firewall.plan(allow()),
        lambda: firewall.apply(plan, "k"),
        lambda: list(firewall.live()),
    ):
        with pytest.raises(
            ConnectorError, match=r"policy/rules/SR-000666\.yaml in the firewall policy cannot be read"
        ):
            call()
    assert commits(repository)[0] == "By hand"


@pytest.mark.parametrize(
    "content",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "!!python/object/apply:os.system ['touch /tmp/x']\n",
        "- 1\n",
        "office: {label: x, networks: ['0.0.0.0/0'], interface: 'x\" accept #'}\n",
        "'x\" accept': {label: x, networks: ['10.0.0.0/8'], interface: eth0}\n",
        "office: {label: 'x\ny', networks: ['10.0.0.1/8'], interface: eth0}\n",
        "{",
        "x" * 300_000,
    ],
    ids=lambda content: content[:30],
)
def test_zones_pushed_by_hand_are_read_strictly(firewall, repository, tmp_path, content):
    push(repository, tmp_path / "clone", "policy/zones.yaml", content)
    with pytest.raises(
        ConnectorError, match=r"policy/zones\.yaml in the firewall policy cannot be read"
    ) as refusal:
        firewall.plan(allow())
    assert refusal.value.permanent


def test_a_rendered_file_changed_by_hand_is_found_as_live_and_mended_with_the_next_change(
    firewall, repository, tmp_path
):
    text = shown(repository, "rendered/edge.nft")
    evil = text.replace(
        "    chain default-deny {\n",
        "    chain hidden {\n        accept\n    }\n    chain default-deny {\n",
        1,
    )
    push(repository, tmp_path / "clone", "rendered/edge.nft", evil)
    unexplained = [found for found in firewall.live() if found.key.startswith("firewall:rendered:")]
    assert [found.label for found in unexplained] == ["Rendered without a rule: accept"]
    assert unexplained[0].reference == ""
    firewall.apply(firewall.plan(allow()), "k")
    assert "hidden" not in shown(repository, "rendered/edge.nft")
    assert not [found for found in firewall.live() if found.key.startswith("firewall:rendered:")]
