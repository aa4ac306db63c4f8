"""The operator's file of targets: mistakes are told with their place, and nothing leads out of a target's address."""

from __future__ import annotations

import json

import pytest

from catalog.fulfilment.connectors.http import read_targets
from portal.core.errors import SettingsError
from tests.catalog.fulfilment.connectors.tool import SECRET

GOOD = {
    "title": "Build server",
    "url": "https://build.meridian.example/hooks",
    "mode": "poll",
    "actions": ["run_job"],
    "secret": SECRET,
    "paths": {"apply": "job/{action}", "status": "runs/{key}"},
}


def read(tmp_path, **changes):
    file = tmp_path / "targets.json"
    given = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    file.write_text(json.dumps({"targets": {"build": given}}))
    return read_targets(file)["build"]


def test_what_is_put_into_a_path_stays_in_its_place(tmp_path):
    target = read(tmp_path)
    assert target.address(target.paths.apply, action="run_job") == f"{GOOD['url']}/job/run_job"
    assert (
        target.address(target.paths.status, key="sha256:5e/../a1?x#y")
        == f"{GOOD['url']}/runs/sha256%3A5e%2F..%2Fa1%3Fx%23y"
    )


def test_a_secret_comes_from_a_file_and_is_in_no_representation(tmp_path):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    target = read(tmp_path, secret=None, secret_file=str(tmp_path / "secret"))
    assert target.keys == target.callback_keys
    assert SECRET not in repr(target)
    assert SECRET.removeprefix("whsec_") not in repr(read(tmp_path))


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://build.meridian.example/hooks"},
        {"url": "https://user@build.meridian.example/hooks"},
        {"url": "https://build.meridian.example/hooks/"},
        {"url": "https://build.meridian.example/hooks?x=1"},
        {"url": "https://2130706433/"},
        {"secret": None},
        {"secret": "whsec_c2hvcnQ="},
        {"secret": "whpk_" + "A" * 43 + "="},
        {"secret": None, "secret_file": "/no/such/file"},
        {"mode": "push"},
        {"actions": []},
        {"actions": ["run-job"]},
        {"paths": {"status": "runs"}},
        {"paths": {"status": "../{key}"}},
        {"paths": {"apply": "/absolute"}},
        {"paths": {"list": "live"}},
        {"paths": {"apply": "a//b"}},
        {"paths": {"apply": "https://evil.test/"}},
        {"paths": {"apply": "{other}"}},
        {"answer_within": "soon"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_mistake_is_told_with_its_place_and_without_the_secret(tmp_path, changes):
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, **changes)
    assert "targets.json: targets.build" in str(refused.value)
    for secret in (SECRET, "c2hvcnQ", "A" * 43):
        assert secret not in str(refused.value)


def test_a_file_that_is_missing_or_no_yaml_is_told(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_targets(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("targets: [")
    with pytest.raises(SettingsError, match=r"bad\.yaml:2:1:"):
        read_targets(tmp_path / "bad.yaml")


@pytest.mark.parametrize(
    "url",
    [
        "https://build.meridian.example/other",
        "https://build.meridian.example/hooks",
        "https://build.meridian.example/hooks-evil/1",
        "https://build.meridian.example/hooks/../admin",
        "https://build.meridian.example/hooks/%2e%2e/admin",
        "https://build.meridian.example/hooks/%252e%252e/admin",
        "https://build.meridian.example/hooks/..%2fadmin",
        "https://build.meridian.example:8443/hooks/1",
        "http://build.meridian.example/hooks/1",
        "https://evil.test/hooks/1",
        "https://build.meridian.example@evil.test/hooks/1",
        "https://169.254.169.254/hooks/1",
        "//evil.test/hooks/1",
        "hooks/1",
    ],
)
def test_a_status_address_elsewhere_is_not_below(tmp_path, url):
    assert not read(tmp_path).is_below(url)


def test_a_status_address_below_is(tmp_path):
    assert read(tmp_path).is_below(f"{GOOD['url']}/runs/7?full=1")


def test_a_tools_own_words_are_ours(tmp_path):
    target = read(tmp_path, statuses={"done": ["SUCCESS"], "failed": ["ABORTED", "UNSTABLE"]})
    assert [target.status_of(word) for word in ("success", " Done ", "aborted", "running", "odd")] == [
        "done",
        "done",
        "failed",
        "running",
        None,
    ]
