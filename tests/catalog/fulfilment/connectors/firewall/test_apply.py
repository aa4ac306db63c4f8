"""A change of the policy is one commit, made once."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
import yaml

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from tests.catalog.fulfilment.connectors.firewall.orders import allow, commits, git, push, remove, shown


def test_a_rule_becomes_one_commit_that_names_its_request(firewall, repository):
    plan = firewall.plan(allow())
    before = commits(repository)
    outcome = firewall.apply(plan, "SR-000123/1/sha256:5ea1")
    assert commits(repository) == ["SR-000123: allow TCP 443 from office to dmz", *before]
    author, committer, body = git(
        repository, "show", "-s", "--format=%an <%ae>%n%cn <%ce>%n%b", "main"
    ).split("\n", 2)
    assert author == committer == "Countersign <countersign@localhost>"
    trailers = git(repository, "show", "-s", "--format=%(trailers:unfold)", "main").split("\n")
    assert trailers[:4] == [
        "Request: SR-000123",
        "Operation: apply",
        "Idempotency-Key: SR-000123/1/sha256:5ea1",
        f"Effect: {plan.effect}",
    ]
    assert outcome.facts["commit"] == git(repository, "rev-parse", "main").strip()
    assert yaml.safe_load(shown(repository, "policy/rules/SR-000123.yaml")) == plan.document["rule"]
    assert 'comment "SR-000123"' in shown(repository, "rendered/edge.nft")
    assert body


def test_the_work_tree_shows_the_commit(firewall, repository):
    firewall.apply(firewall.plan(allow()), "k")
    assert (repository / "rendered/edge.nft").read_text() == shown(repository, "rendered/edge.nft")
    assert git(repository, "status", "--porcelain") == ""


def test_the_outcome_carries_the_commit_as_a_diff_that_applies(firewall, repository, tmp_path):
    outcome = firewall.apply(firewall.plan(allow()), "k")
    diff = outcome.artefacts["change.diff"]
    assert b"+reference: SR-000123" in diff
    git(tmp_path, "clone", "-q", str(repository), "copy")
    git(tmp_path / "copy", "checkout", "-q", "HEAD^")
    subprocess.run(["git", "-C", tmp_path / "copy", "apply", "--index", "-"], input=diff, check=True)
    assert git(tmp_path / "copy", "write-tree") == git(repository, "rev-parse", "main^{tree}")


def test_an_expired_attempt_with_a_new_key_finds_the_rule_in_force_and_makes_no_commit(firewall, repository):
    plan = firewall.plan(allow())
    first = firewall.apply(plan, "attempt-1")
    second = firewall.apply(plan, "attempt-2")
    assert second.facts == first.facts
    assert len([subject for subject in commits(repository) if "SR-000123" in subject]) == 1


def test_a_rule_can_be_taken_back_and_asked_for_again(firewall, repository):
    plan = firewall.plan(allow())
    start = git(repository, "rev-parse", "main^{tree}")
    firewall.apply(plan, "attempt-1")
    firewall.revert(plan, "attempt-1")
    assert git(repository, "rev-parse", "main^{tree}") == start, "nothing is left of it"
    firewall.apply(plan, "attempt-2")
    assert firewall.read_back(plan, "attempt-2").present
    assert commits(repository)[:3] == [
        "SR-000123: allow TCP 443 from office to dmz",
        "SR-000123: remove TCP 443 from office to dmz",
        "SR-000123: allow TCP 443 from office to dmz",
    ]


def test_a_removal_takes_the_rule_away_and_reverting_it_puts_it_back(firewall, repository, applied):
    order = applied("SR-000100")
    live = [found.key for found in firewall.live()]
    plan = firewall.plan(remove("SR-000100"))
    firewall.apply(plan, "SR-000900/1")
    assert commits(repository)[0] == "SR-000900: remove TCP 443 from office to dmz"
    assert firewall.read_back(plan, "SR-000900/1").present
    assert not firewall.plan(order).already_true
    assert "SR-000100" not in shown(repository, "rendered/edge.nft")
    firewall.revert(plan, "SR-000900/1")
    assert not firewall.read_back(plan, "SR-000900/1").present
    assert firewall.plan(order).already_true
    assert [found.key for found in firewall.live()] == live


def test_a_plan_for_another_target_is_refused(firewall, repository):
    plan = firewall.plan(allow())
    for other in (replace(plan, target="the core firewall"), replace(plan, connector="scim")):
        with pytest.raises(ConnectorError, match="another target") as refusal:
            firewall.apply(other, "k")
        assert refusal.value.permanent


@pytest.mark.parametrize("key", ["", "two\nlines", "a key", "x" * 201, "ключ"])
def test_a_key_that_could_not_stand_in_a_commit_is_refused(firewall, repository, key):
    before = commits(repository)
    with pytest.raises(ConnectorError, match="no usable key"):
        firewall.apply(firewall.plan(allow()), key)
    assert commits(repository) == before


def test_a_key_that_another_key_begins_with_is_another_key(firewall, repository):
    firewall.apply(firewall.plan(allow("SR-000123")), "key-1")
    firewall.apply(firewall.plan(allow("SR-000124")), "key-12")
    firewall.apply(firewall.plan(allow("SR-000125")), "key")
    assert firewall.apply(firewall.plan(allow("SR-000124")), "key-12").facts["rule"] == "SR-000124"
    assert (
        firewall.apply(firewall.plan(allow("SR-000125")), "key").facts["files"][0]
        == "policy/rules/SR-000125.yaml"
    )
    assert len(commits(repository)) == 4


def test_what_somebody_else_pushed_is_kept_and_planned_on(firewall, repository, tmp_path):
    plan = firewall.plan(allow())
    zones = shown(repository, "policy/zones.yaml").replace("Head office workstations", "Head office")
    push(repository, tmp_path / "clone", "policy/zones.yaml", zones)
    firewall.apply(plan, "k")
    assert commits(repository)[:2] == ["SR-000123: allow TCP 443 from office to dmz", "By hand"]
    assert {choice.value: choice.label for choice in firewall.choices("zones")}["office"] == "Head office"


def test_a_push_between_reading_and_moving_the_branch_is_read_and_planned_on(repository, clock, tmp_path):
    clone = tmp_path / "clone"
    pushed = []

    def on_step(step: str) -> None:
        if step == "written" and len(pushed) < 2:
            pushed.append(step)
            push(repository, clone, "NOTES", f"note {len(pushed)}\n")

    firewall = FirewallConnector(repository, clock=clock, on_step=on_step)
    outcome = firewall.apply(firewall.plan(allow()), "k")
    assert commits(repository)[:3] == ["SR-000123: allow TCP 443 from office to dmz", "By hand", "By hand"]
    assert outcome.facts["files"] == [
        "policy/rules/SR-000123.yaml",
        "rendered/edge.asa",
        "rendered/edge.nft",
        "rendered/edge.palo.xml",
    ]
    assert shown(repository, "NOTES") == "note 2\n"


def test_a_push_that_takes_the_zone_away_stops_the_rule(repository, clock, tmp_path):
    def on_step(step: str) -> None:
        if step == "written" and len(commits(repository)) == 1:
            zones = yaml.safe_load(shown(repository, "policy/zones.yaml"))
            zones["office"]["networks"] = ["10.77.0.0/16"]
            push(repository, tmp_path / "clone", "policy/zones.yaml", yaml.safe_dump(zones, sort_keys=False))

    firewall = FirewallConnector(repository, clock=clock, on_step=on_step)
    with pytest.raises(ConnectorError, match=r"10\.1\.2\.0/24 is not inside the zone office") as refusal:
        firewall.apply(firewall.plan(allow()), "k")
    assert refusal.value.permanent
    assert commits(repository)[0] == "By hand"


def test_others_who_never_stop_pushing_make_a_passing_error(repository, clock, tmp_path):
    count = iter(range(100))

    def on_step(step: str) -> None:
        if step == "written":
            push(repository, tmp_path / "clone", "NOTES", f"{next(count)}\n")

    firewall = FirewallConnector(repository, clock=clock, on_step=on_step)
    with pytest.raises(ConnectorError, match="under way") as refusal:
        firewall.apply(firewall.plan(allow()), "k")
    assert not refusal.value.permanent
    assert "SR-000123" not in "".join(commits(repository))


def test_a_dirty_work_tree_neither_enters_a_commit_nor_survives_it(firewall, repository):
    (repository / "policy/zones.yaml").write_text("moon: {}\n")
    (repository / "policy/rules").mkdir(exist_ok=True)
    (repository / "policy/rules/SR-000666.yaml").write_text("reference: SR-000666\n")
    git(repository, "add", "-A")
    (repository / "rendered/edge.nft").unlink()
    firewall.apply(firewall.plan(allow()), "k")
    assert git(repository, "diff", "--name-only", "main^", "main").split() == [
        "policy/rules/SR-000123.yaml",
        "rendered/edge.asa",
        "rendered/edge.nft",
        "rendered/edge.palo.xml",
    ]
    assert git(repository, "status", "--porcelain", "--ignored") == ""


def test_hooks_and_settings_of_the_user_have_no_part(firewall, repository, tmp_path, monkeypatch):
    touched = tmp_path / "touched"
    for hook in (
        "pre-commit",
        "commit-msg",
        "post-commit",
        "reference-transaction",
        "post-index-change",
        "post-checkout",
    ):
        path = repository / ".git/hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {touched}\n")
        path.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\nname = Mallory\n[commit]\ngpgsign = true\n[init]\ndefaultBranch = trunk\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Mallory")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    firewall.apply(firewall.plan(allow()), "k")
    monkeypatch.undo()
    assert not touched.exists()
    assert (
        git(repository, "show", "-s", "--format=%an %cn %G?", "main").strip() == "Countersign Countersign N"
    )


def test_a_rule_that_outlives_its_end_is_never_rendered_again(firewall, repository, applied, clock):
    short = applied("SR-000100", ports="22")
    clock.now = short.ends_at
    live = {found.key for found in firewall.live()}
    assert "firewall:SR-000100" in live, "its file is there until the portal takes it back"
    later = allow("SR-000200", ends_at=None)
    firewall.apply(firewall.plan(later), "k2")
    assert "SR-000100" not in shown(repository, "rendered/edge.nft")
    assert "Ended: SR-000100" in git(repository, "show", "-s", "--format=%B", "main")
    assert firewall.read_back(firewall.plan(later), "x").facts["commit"]


def test_an_ended_rule_allows_nothing_and_can_still_be_taken_back(firewall, applied, clock):
    order = applied("SR-000100")
    plan = firewall.plan(order)
    assert firewall.plan(allow("SR-000200")).warnings
    clock.now = order.ends_at
    assert firewall.plan(allow("SR-000200", ends_at=None)).warnings == ()
    assert not firewall.read_back(plan, "SR-000100/1").present
    firewall.revert(plan, "SR-000100/1/end")
    assert "firewall:SR-000100" not in {found.key for found in firewall.live()}


def test_a_plan_whose_end_has_passed_is_not_brought_into_force(firewall, clock, repository):
    plan = firewall.plan(allow())
    clock.now = allow().ends_at
    with pytest.raises(ConnectorError, match="time is over") as refusal:
        firewall.apply(plan, "k")
    assert refusal.value.permanent
    assert len(commits(repository)) == 1
