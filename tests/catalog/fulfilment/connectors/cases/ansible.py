"""The Ansible connector over a host that is a folder of this machine, by the real ansible-playbook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.fulfilment.connectors.contract import Order
from tests.catalog.fulfilment.connectors.ansible.stage import set_up
from tests.catalog.fulfilment.connectors.case import ConnectorCase


@contextmanager
def _case(folder: Path) -> Iterator[ConnectorCase]:
    stage = set_up(folder)
    order = stage.order()

    def but(**changed: Any) -> Order:
        return replace(order, parameters={**order.parameters, **changed})

    yield ConnectorCase(
        connector=stage.connector(),
        order=order,
        bad_orders=(
            but(playbook="../agent.yml"),
            but(playbook="/etc/agent.yml"),
            but(playbook="-agent.yml"),
            but(playbook="agent.sh"),
            but(playbook="no-such.yml"),
            but(undo=""),
            but(undo="no-such.yml"),
            but(commit="main"),
            but(commit="0" * 40),
            but(host="all"),
            but(host="localhost"),
            but(host="app1.freight.example,app2.freight.example"),
            but(host="app*"),
            but(host="@/etc/passwd"),
            but(host=["app1.freight.example"]),
            but(ansible_connection="ssh"),
            but(inventory_hostname="app2.freight.example"),
            but(owner={"__ansible_vault": "x"}),
            but(**{"an owner": "x"}),
            but(owner="x" * 70_000),
        ),
        snapshot=stage.content,
        take_target_away=lambda: stage.repository.rename(folder / "away") and None,
    )


CASES = {"ansible": _case}
