"""Further targets in the doctor's table: each answers or is said to be in the way, and nothing is changed or sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.core.settings import Settings
from portal.doctor import State
from portal.doctor.targets import check_targets
from tests.catalog.fulfilment.connectors.cases import postgresql
from tests.catalog.fulfilment.connectors.tool import running, targets_file


@pytest.fixture
def settings(tmp_path):
    return Settings.from_environment({"COUNTERSIGN_HOME": str(tmp_path / "home")})


def test_a_portal_without_further_targets_has_no_line_for_them(settings):
    assert list(check_targets(settings)) == []


def test_a_database_that_answers_is_well_and_one_that_does_not_is_in_the_way(settings):
    with postgresql.running() as (_server, conninfo):
        (check,) = check_targets(replace(settings, postgresql_target=conninfo))
        assert (check.state, check.finding) == (State.OK, "it answers and offers 2 roles")
    (check,) = check_targets(replace(settings, postgresql_target="host=/nowhere dbname=none"))
    assert check.state is State.FAIL
    assert "POSTGRESQL_TARGET" in check.mend


def test_a_directory_without_an_address_is_in_the_way(settings):
    (check,) = check_targets(replace(settings, ldap_url="http://directory.example"))
    assert check.state is State.FAIL
    assert "LDAP_URL" in check.finding


def test_the_ssh_authority_says_for_whom_it_signs(settings):
    (check,) = check_targets(replace(settings, ssh_principals=("deploy",)))
    assert check.state is State.OK
    assert "signs for deploy" in check.finding
    assert not settings.home.exists()


def test_a_tool_may_be_called_only_where_its_network_is_listed_and_is_sent_nothing(settings, tmp_path):
    with running() as tool:
        told = replace(settings, http_targets=targets_file(tmp_path, tool))
        (check,) = check_targets(told)
        assert check.state is State.FAIL
        assert "not a public address" in check.finding
        assert "OUTGOING_NETWORKS" in check.mend
        (check,) = check_targets(replace(told, outgoing_networks=("127.0.0.1/32",)))
        assert check.state is State.OK
        assert tool.asked == []
    (tmp_path / "targets.yaml").write_text("targets: {}\nmore: 1\n")
    (check,) = check_targets(told)
    assert (check.name, check.state) == ("Automation targets", State.FAIL)
