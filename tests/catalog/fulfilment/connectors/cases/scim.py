"""The SCIM connector over scim2-server: once for an account that is there, once for one that is not yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from catalog.fulfilment.connectors.contract import Beneficiary, Order
from catalog.fulfilment.connectors.scim import ScimConnector
from tests.catalog.fulfilment.connectors.case import ConnectorCase
from tests.catalog.fulfilment.connectors.directory import TOKEN, running

KNOWN = Beneficiary("beatriz.sousa", "Beatriz Sousa", "beatriz.sousa@meridian.example")
NEW = Beneficiary("tiago.ferreira", "Tiago Ferreira", "tiago.ferreira@meridian.example")


@contextmanager
def _case(folder: Path, *, beneficiary: Beneficiary) -> Iterator[ConnectorCase]:
    with running(folder) as directory:
        order = Order("SR-000007", "grant", {"role": "CRM – Sales user"}, beneficiary)  # noqa: RUF001
        yield ConnectorCase(
            connector=ScimConnector(directory.url, TOKEN, timeout=5.0),
            order=order,
            bad_orders=(
                replace(order, parameters={"role": "No such role"}),
                replace(order, parameters={"role": ""}),
                replace(order, parameters={"role": 7}),
                replace(order, parameters={"role": "../Users"}),
                replace(order, parameters={"role": ".."}),
                replace(order, parameters={"role": '" or displayName pr or displayName eq "'}),
                replace(order, beneficiary=Beneficiary("", "Nobody", "")),
            ),
            snapshot=directory.content,
            take_target_away=directory.stop,
            patience=3.0,
        )


CASES = {
    "scim-account": partial(_case, beneficiary=KNOWN),
    "scim-no-account": partial(_case, beneficiary=NEW),
}
