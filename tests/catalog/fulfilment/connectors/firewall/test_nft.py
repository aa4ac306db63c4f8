"""Asking nft where it may run, where it may not, and where it is missing."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.firewall import nft
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from tests.catalog.fulfilment.connectors.firewall.orders import allow, commits

Tools = Callable[..., str]


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    """A folder with programs of ours in the place of nft and unshare."""

    def make(**scripts: str) -> str:
        folder = tmp_path / "tools"
        folder.mkdir()
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        return f"{folder}"

    return make


def test_without_nft_the_verdict_says_so(tools):
    assert nft.check(b"", tools()) == nft.Verdict("unchecked", "nft is not installed")


def test_nothing_is_loaded_by_asking():
    assert nft.check(b"table ip countersign_never_loaded { }").answer == "accepted"
    if os.geteuid() == 0:
        tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
        assert "countersign_never_loaded" not in tables


def test_where_neither_namespaces_nor_nft_are_permitted_the_verdict_says_so(tools):
    folder = tools(unshare="exit 1", nft="echo 'netlink: Error: Operation not permitted' >&2; exit 1")
    verdict = nft.check(b"table ip x { }", folder)
    assert verdict == nft.Verdict("unchecked", "nft may not run here: it needs namespaces or root")


def test_where_only_namespaces_are_not_permitted_nft_runs_directly(tools):
    assert nft.check(b"", tools(unshare="exit 1", nft='[ "$*" = "-c -f -" ]')).answer == "accepted"


def test_a_user_without_rights_gets_a_verdict_too():
    """As nobody, in a child, when the tests run as root; as whoever runs the tests otherwise."""
    if os.geteuid() != 0:
        assert nft.check(b"table ip x { }").answer == "accepted"
        return
    nobody = pwd.getpwnam("nobody")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        verdicts = (nft.check(b"table ip x { }").answer, nft.check(b"tabel ip x { }").answer)
        os.write(writing, " ".join(verdicts).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"accepted refused"
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b'include "/etc/shadow"\n', b"flush ruleset\n" * 3, b"\xff\xfe"]
)
def test_any_content_gets_a_verdict(content):
    assert nft.check(content).answer in {"accepted", "refused"}


def test_what_nft_refuses_is_never_committed(repository, clock, tools):
    folder = tools(unshare="exit 1", nft="echo 'edge.nft:7:1-5: Error: syntax error' >&2; exit 1")
    firewall = FirewallConnector(repository, clock=clock, tools=folder)
    before = commits(repository)
    with pytest.raises(ConnectorError, match=r"nft refuses the rendered policy: edge\.nft:7") as refusal:
        firewall.apply(firewall.plan(allow()), "k")
    assert refusal.value.permanent
    assert commits(repository) == before


def test_where_nft_is_missing_the_rule_is_committed_and_the_outcome_says_that_nobody_asked(
    repository, clock, tools
):
    firewall = FirewallConnector(repository, clock=clock, tools=tools())
    outcome = firewall.apply(firewall.plan(allow()), "k")
    assert outcome.lines[1].text == "nft -c: unchecked (nft is not installed)"
    assert commits(repository)[0] == "SR-000123: allow TCP 443 from office to dmz"
