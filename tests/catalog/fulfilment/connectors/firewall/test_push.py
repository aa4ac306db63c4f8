"""A change is done once the remote has its commit: real bare repositories, and nothing is ever forced."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.remote import Remote
from tests.catalog.fulfilment.connectors.firewall.orders import allow, commits, git, push, shown


@pytest.fixture
def bare(tmp_path: Path, repository: Path) -> Path:
    """The remote, with the policy as it starts."""
    path = tmp_path / "remote.git"
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(path))
    return path


@pytest.fixture
def pushing(repository: Path, bare: Path, clock):
    def make(**options: object) -> FirewallConnector:
        return FirewallConnector(repository, clock=clock, remote=Remote(str(bare)), **options)

    return make


def test_a_change_is_at_the_remote_when_it_is_done(pushing, repository, bare):
    firewall = pushing()
    plan = firewall.plan(allow())
    outcome = firewall.apply(plan, "k")
    assert commits(bare)[0] == "SR-000123: allow TCP 443 from office to dmz"
    assert git(bare, "rev-parse", "main").strip() == outcome.facts["commit"]
    assert git(repository, "rev-parse", "main") == git(bare, "rev-parse", "main")
    assert firewall.read_back(plan, "k").present
    firewall.revert(plan, "k")
    assert not firewall.read_back(plan, "k").present
    assert len(commits(bare)) == 3


def test_a_new_remote_gets_the_whole_policy_with_the_first_change(repository, clock, tmp_path):
    empty = tmp_path / "empty.git"
    git(tmp_path, "init", "-q", "--bare", str(empty))
    firewall = FirewallConnector(repository, clock=clock, remote=Remote(str(empty)))
    plan = firewall.plan(allow())
    assert not firewall.read_back(plan, "k").present
    firewall.apply(plan, "k")
    assert commits(empty) == ["SR-000123: allow TCP 443 from office to dmz", "Start the firewall policy"]
    assert firewall.read_back(plan, "k").present


def test_a_commit_that_only_stands_here_is_not_done(pushing, firewall, bare):
    plan = firewall.plan(allow())
    firewall.apply(plan, "k")
    assert firewall.read_back(plan, "k").present, "without a remote it would be"
    assert not pushing().read_back(plan, "k").present
    pushing().apply(plan, "k")
    assert pushing().read_back(plan, "k").present
    assert len(commits(bare)) == 2


def test_a_push_that_comes_too_late_is_planned_again_on_what_the_remote_has(
    pushing, repository, bare, tmp_path
):
    stops = ["written"]

    def on_step(step: str) -> None:
        if step in stops:
            stops.remove(step)
            theirs = FirewallConnector(tmp_path / "theirs", remote=Remote(str(bare)))
            theirs.apply(theirs.plan(allow("SR-000200", ports="22", ends_at=None)), "theirs")

    git(tmp_path, "clone", "-q", str(bare), "theirs")
    firewall = pushing(on_step=on_step)
    plan = firewall.plan(allow())
    firewall.apply(plan, "mine")
    assert [subject[:9] for subject in commits(bare)[:2]] == ["SR-000123", "SR-000200"]
    assert git(bare, "rev-list", "--count", "--merges", "main").strip() == "0"
    rendered = shown(bare, "rendered/edge.nft")
    assert 'comment "SR-000123"' in rendered
    assert 'comment "SR-000200"' in rendered
    assert firewall.read_back(plan, "mine").present


def test_a_remote_that_keeps_moving_is_a_passing_error_and_nothing_is_kept_here(
    pushing, repository, bare, tmp_path
):
    turns = iter(range(1, 100))

    def on_step(step: str) -> None:
        if step == "written":
            push(bare, tmp_path / "clone", "notes.txt", f"turn {next(turns)}\n")

    firewall = pushing(on_step=on_step)
    with pytest.raises(ConnectorError, match="has to wait") as refusal:
        firewall.apply(firewall.plan(allow()), "k")
    assert not refusal.value.permanent
    assert not any("SR-000123" in subject for subject in [*commits(bare), *commits(repository)])


def test_a_remote_that_is_away_is_a_passing_error_and_leaves_the_policy_as_it_was(pushing, repository, bare):
    firewall = pushing()
    plan = firewall.plan(allow())
    bare.rename(bare.with_name("gone"))
    for call in (
        lambda: firewall.plan(allow()),
        lambda: firewall.apply(plan, "k"),
        lambda: firewall.read_back(plan, "k"),
        lambda: firewall.revert(plan, "k"),
        lambda: list(firewall.live()),
    ):
        with pytest.raises(ConnectorError, match="did not answer") as refusal:
            call()
        assert not refusal.value.permanent
        assert str(bare) not in refusal.value.message, "an address may hold a token"
    assert len(commits(repository)) == 1
    assert firewall.choices("zones"), "forms go on with what was read last"


def test_a_worker_that_dies_between_the_push_and_the_end_has_done_it(pushing, repository, bare):
    class Cut(Exception):
        pass

    def on_step(step: str) -> None:
        if step == "pushed":
            raise Cut

    cut = pushing(on_step=on_step)
    plan = cut.plan(allow())
    with pytest.raises(Cut):
        cut.apply(plan, "k")
    assert git(repository, "rev-parse", "main") != git(bare, "rev-parse", "main")
    successor = pushing()
    assert successor.read_back(plan, "k").present
    outcome = successor.apply(plan, "k")
    assert outcome.facts["commit"] == git(bare, "rev-parse", "main").strip()
    assert len(commits(bare)) == 2


def test_a_remote_whose_history_was_rewritten_is_never_overwritten(pushing, repository, bare, tmp_path):
    firewall = pushing()
    firewall.apply(firewall.plan(allow()), "k")
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@meridian.example"]
    other = git(bare, *author, "commit-tree", "-m", "Another past", "main^{tree}").strip()
    git(bare, "update-ref", "refs/heads/main", other)
    for call in (lambda: firewall.plan(allow()), lambda: firewall.apply(firewall.plan(allow()), "k2")):
        with pytest.raises(ConnectorError, match="went different ways") as refusal:
            call()
        assert not refusal.value.permanent
    assert git(bare, "rev-parse", "main").strip() == other
    assert commits(repository)[0].startswith("SR-000123")


def test_a_remote_that_refuses_the_commit_is_a_permanent_error_in_its_words(pushing, repository, bare):
    hook = bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'Changes are frozen.' >&2\nexit 1\n")
    hook.chmod(0o755)
    firewall = pushing()
    plan = firewall.plan(allow())
    with pytest.raises(ConnectorError, match=r"(?s)refuses the change: .*Changes are frozen") as refusal:
        firewall.apply(plan, "k")
    assert refusal.value.permanent
    assert len(commits(bare)) == len(commits(repository)) == 1


def test_what_is_put_in_at_the_remote_by_hand_is_live_without_a_request(pushing, bare, tmp_path):
    firewall = pushing()
    firewall.apply(firewall.plan(allow()), "k")
    by_hand = shown(bare, "rendered/edge.nft").replace("SR-000123", "SR-000999")
    push(bare, tmp_path / "clone", "rendered/edge.nft", by_hand)
    live = {found.key: found for found in firewall.live()}
    assert live["firewall:rendered:SR-000999"].reference == ""
    plan = firewall.plan(allow())
    expected = firewall.expected_facts(plan)
    found = live["firewall:SR-000123"].facts
    assert {name for name in expected if found[name] != expected[name]} == {"passes"}
    assert found["passes"] == "rendered: nothing"
    assert "put there by hand" in plan.warnings[0]
