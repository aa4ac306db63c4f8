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
from catalog.fulfilment.connectors.firewall.render import render_nftables
from catalog.fulfilment.connectors.firewall.starting_policy import ZONES
from tests.catalog.fulfilment.connectors.firewall.orders import allow, commits, rule

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


def _as_nobody(*contents: bytes) -> list[str]:
    """What nft says to a user without rights: nobody, in a child, when the tests run as root."""
    if os.geteuid() != 0:
        return [nft.check(content).answer for content in contents]
    nobody = pwd.getpwnam("nobody")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        os.write(writing, " ".join(nft.check(content).answer for content in contents).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        return pipe.read().decode().split()


@pytest.fixture(scope="module")
def long_file() -> bytes:
    """More rules than one transaction may hold in a user namespace."""
    rules = [
        rule(f"SR-{number:06d}", source=f"10.1.{number % 250}.{number // 250}") for number in range(1, 601)
    ]
    return render_nftables(ZONES, rules).encode()


def test_a_user_without_rights_gets_a_verdict_too():
    assert _as_nobody(b"table ip x { }", b"tabel ip x { }") == ["accepted", "refused"]


def test_a_long_policy_is_checked_whole_by_root_and_in_parts_by_others(long_file):
    last = long_file.rindex(b"tcp dport 443")
    broken = long_file[:last] + b"tcp dprt 443" + long_file[last + len("tcp dport 443") :]
    assert _as_nobody(long_file, broken) == ["accepted", "refused"]
    assert nft.check(long_file).answer == "accepted"
    assert nft.check(broken).answer == "refused"


def test_the_parts_of_a_file_hold_each_of_its_statements_and_the_jumps_to_them(long_file):
    whole = long_file.decode()
    found = list(nft.parts(whole, 100))
    assert len(found) == 8, "601 chains for IPv4 and one for IPv6"
    assert (
        sum(part.count("ct state new accept") for part in found) == whole.count("ct state new accept") == 600
    )
    assert sum(part.count("jump ") for part in found) == whole.count("jump ")
    assert all(part.count("policy drop;") == 1 for part in found)
    assert all(part.count("jump ") == part.count("    chain ") - 1 for part in found)


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
