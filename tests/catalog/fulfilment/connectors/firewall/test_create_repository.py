"""The policy's repository is made once and then kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from catalog.fulfilment.connectors.firewall.place import Place, read
from catalog.fulfilment.connectors.firewall.repository import create_repository
from catalog.fulfilment.connectors.firewall.rules import zone_document
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from tests.catalog.fulfilment.connectors.firewall.orders import commits, git, push

ROOT = Path(__file__).parents[5]


def test_a_new_repository_holds_the_zones_the_baseline_and_its_rendering(repository):
    assert commits(repository) == ["Start the firewall policy"]
    policy = read(Place(repository)).policy
    assert {name: zone_document(zone) for name, zone in policy.zones.items()} == {
        name: zone_document(zone) for name, zone in ZONES.items()
    }
    assert policy.baseline == dict(BASELINE)
    assert (repository / "rendered/edge.nft").exists()
    assert git(repository, "status", "--porcelain") == ""


def test_making_it_again_changes_nothing_even_with_other_zones(repository, firewall, applied):
    applied()
    before = git(repository, "rev-parse", "main")
    create_repository(repository, zones={"dmz": ZONES["dmz"]})
    assert git(repository, "rev-parse", "main") == before
    assert set(read(Place(repository)).policy.zones) == set(ZONES)


def test_a_stray_start_that_never_committed_is_finished(tmp_path):
    path = tmp_path / "policy"
    path.mkdir()
    git(path, "init", "-q", "-b", "trunk")
    create_repository(path, zones=ZONES)
    assert commits(path) == ["Start the firewall policy"]
    assert git(path, "symbolic-ref", "HEAD").strip() == "refs/heads/main"


def test_several_that_start_at_once_make_one_policy(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from catalog.fulfilment.connectors.firewall.repository import create_repository\n"
        "from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES\n"
        "create_repository(Path(sys.argv[1]), zones=ZONES, baseline=BASELINE)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "policy")]
    starts = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for start in starts:
        _, errors = start.communicate(timeout=60)
        assert start.returncode == 0, errors
    assert commits(tmp_path / "policy") == ["Start the firewall policy"]


def test_history_cannot_be_rewritten_by_a_push(repository, firewall, applied, tmp_path):
    applied()
    push(repository, tmp_path / "clone", "NOTES", "hello\n")
    git(tmp_path / "clone", "reset", "-q", "--hard", "HEAD~2")
    with pytest.raises(subprocess.CalledProcessError):
        git(tmp_path / "clone", "push", "-q", "--force", "origin", "HEAD:main")
    with pytest.raises(subprocess.CalledProcessError):
        git(tmp_path / "clone", "push", "-q", "origin", ":main")
    assert commits(repository)[0] == "By hand"
