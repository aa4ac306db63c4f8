"""However many rows a file has, a target is asked as often as for one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.repository import create_repository
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.connectors.scim import ScimConnector
from catalog.offerings.model import OfferingVersion
from catalog.offerings.reading import read_offering
from catalog.ordering.bulk.order import CheckedFile, check_file, keep_file
from portal.core.assets import services_folder
from portal.demo_targets import scim
from tests.catalog.fulfilment.connectors.directory import PEOPLE, TOKEN, serving
from tests.fixtures_requests import KEY, add_offering

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ROLES = "Application and role;Who needs the access?;What is it needed for?;Until when?\n"
RULES = (
    "Source zone;Source addresses;Destination zone;Destination addresses;Protocol;Destination ports;"
    "What is it needed for?;Rollback plan;Until when?\n"
)
MANY = 500


@contextmanager
def counting_directory(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A real SCIM server, and every request that came to it."""
    asked: list[str] = []
    application = scim.build(folder / "state.json", TOKEN, PEOPLE)

    def counted(environ: dict[str, Any], start_response: Any) -> Any:
        asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return application(environ, start_response)

    with serving(counted) as (url, _stop):
        yield f"{url}/v2", asked


@pytest.fixture
def check(db, cast, actor_of) -> Callable[[str, str, Connectors], CheckedFile]:
    """Has a file of a shipped offering checked, as its preview does."""

    def checked(slug: str, content: str, connectors: Connectors) -> CheckedFile:
        text = (services_folder() / f"{slug}.yaml").read_bytes()
        actor = actor_of(cast.requester)
        with db.transaction() as session:
            version_id = add_offering(session, read_offering(text, slug).to_json())
        with db.transaction() as session:
            version = session.get_one(OfferingVersion, version_id)
            kept = keep_file(
                session, actor, version, filename="orders.csv", content=content.encode(), key=KEY
            )
            return check_file(session, actor, kept, version, connectors)

    return checked


def test_a_file_with_500_rows_asks_the_directory_no_more_often_than_one_with_two(check, tmp_path):
    def rows(count: int) -> str:
        # Most of the roles are misspelled: those used to be looked up again for each row.
        roles = ("CRM – Reporting", *["CRM – Reportign"] * 9)  # noqa: RUF001
        return ROLES + "".join(
            f"{roles[number % 10]};Rosa Requester;Looks after order number {number}.;2026-12-20\n"
            for number in range(count)
        )

    with counting_directory(tmp_path) as (url, asked):
        few = check("application-access", rows(2), Connectors([ScimConnector(url, TOKEN)]))
        least = len(asked)
        asked.clear()
        many = check("application-access", rows(MANY), Connectors([ScimConnector(url, TOKEN)]))
        assert (few.count, many.count) == (2, MANY)
        assert sum("Reportign" in problem.message for problem in many.problems) == MANY * 9 // 10
        assert 0 < len(asked) == least


def test_a_directory_that_is_away_is_asked_once_for_a_whole_file(check):
    asked: list[str] = []

    def away(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"Not now."]

    content = ROLES + "CRM;Rosa Requester;For the quarter.;2026-12-20\n" * 20
    with serving(away) as (url, _stop):
        found = check("application-access", content, Connectors([ScimConnector(url, TOKEN)]))
    assert len({problem.row for problem in found.problems}) == 20
    # For the list as it was remembered, and for the list as it is now.
    assert 1 <= len(asked) <= 2


def test_a_file_of_firewall_rules_is_checked_by_one_reading_of_the_policy(check, tmp_path, monkeypatch):
    create_repository(tmp_path / "policy", zones=ZONES, baseline=BASELINE)
    log = tmp_path / "git.log"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {shutil.which("git")} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=os.pathsep)

    def commands(count: int) -> int:
        """How often git was started to check so many rows."""
        content = RULES + "".join(
            f"office;10.1.{number}.16/28;database;10.10.2.{10 + number};tcp;5432;"
            f"The order portal reads orders, part {number}.;On-call watches the queue for an hour.;2026-12-20\n"
            for number in range(count)
        )
        log.write_text("")
        found = check("firewall-rule", content, Connectors([FirewallConnector(tmp_path / "policy")]))
        assert (len(found.rows), found.problems) == (count, ())
        return len(log.read_text().splitlines())

    assert commands(2) > 0
    assert commands(40) == commands(2)
