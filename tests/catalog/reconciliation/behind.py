"""Changing something live on each real target behind the portal's back, so that it is no longer what was sealed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.contract import Connector, Live, Plan
from catalog.fulfilment.connectors.firewall.policy import rule_file, rule_path
from catalog.fulfilment.connectors.firewall.rules import read_rule
from catalog.fulfilment.connectors.manual.model import ManualTask
from tests.catalog.fulfilment.connectors.cases import ldap, postgresql
from tests.catalog.fulfilment.connectors.directory import TOKEN


def _scim(connector: Any, plan: Plan, folder: Path) -> None:
    group = plan.document["role"]["id"]
    answer = httpx.patch(
        f"{connector._base_url}/Groups/{group}",
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/scim+json"},
        json={
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "displayName", "value": "Another role"}],
        },
        trust_env=False,
    )
    assert answer.status_code in {200, 204}, answer.text


def _ldap(connector: Any, plan: Plan, folder: Path) -> None:
    with ldap._server().open() as connection:
        if plan.action == "disable":
            connection.modify_dn(f"uid=beatriz.sousa,ou=people,{ldap.BASE}", "uid=somebody.else")
            return
        connection.search(ldap.BASE, "(objectClass=groupOfNames)", attributes=["cn"])
        name = plan.document["group"]["name"]
        dn = next(entry.entry_dn for entry in connection.entries if name in entry.cn.values)
        connection.modify_dn(dn, "cn=Another group")


def _postgresql(connector: Any, plan: Plan, folder: Path) -> None:
    name = plan.document["role"]["name"].replace('"', '""')
    postgresql._server().execute_many(f'ALTER ROLE "{name}" RENAME TO "another role"')


def _ssh(connector: Any, plan: Plan, folder: Path) -> None:
    _edit(folder / "ssh" / "signed", {"principals": ["crm-admin", "deploy"]})


def _ca(connector: Any, plan: Plan, folder: Path) -> Connector:
    _edit(folder / "ca", {"profile": "tls-client"})
    # What never changes is kept in memory; another process reads it anew.
    authority = CertificateAuthority(folder / "ca", "https://portal.meridian.example")
    authority.create_if_missing()
    return CaConnector(authority)


def _edit(records: Path, changed: dict[str, Any]) -> None:
    files = [file for file in records.rglob("*.json") if next(iter(changed)) in json.loads(file.read_text())]
    assert files
    for file in files:
        file.chmod(0o600)
        file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def _firewall(connector: Any, plan: Plan, folder: Path) -> None:
    repository = connector.repository
    rule = read_rule(plan.document["rule"])
    wider = replace(rule, ends_at=None) if rule.ends_at else replace(rule, sources=rule.destinations)
    (repository / rule_path(rule.reference)).write_bytes(rule_file(wider))
    as_somebody = ("-c", "user.name=Mallory", "-c", "user.email=mallory@meridian.example")
    subprocess.run(
        ["git", "-C", repository, *as_somebody, "commit", "-qam", "Only a small change"], check=True
    )
    if connector.place.remote is not None:
        subprocess.run(["git", "-C", repository, "push", "-q", folder / "remote.git", "main"], check=True)


def _manual(connector: Any, plan: Plan, folder: Path) -> None:
    with connector.db.transaction() as session:
        for task in session.scalars(select(ManualTask).order_by(ManualTask.id)).all():
            task.plan = {**task.plan, "document": {**task.plan["document"], "checklist": ["Something else"]}}


#: By the connector's kind; gives the connector that reads it from then on, if not the same one.
CHANGED: dict[str, Callable[[Any, Plan, Path], Connector | None]] = {
    "scim": _scim,
    "ldap": _ldap,
    "postgresql": _postgresql,
    "ssh": _ssh,
    "ca": _ca,
    "firewall": _firewall,
    "manual": _manual,
}


class Disguised:
    """A connector whose target shows other facts of everything: for a target that has no hand but the connector's."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def live(self) -> list[Live]:
        return [
            replace(live, facts={name: ["changed", value] for name, value in live.facts.items()})
            for live in self._connector.live()
        ]
