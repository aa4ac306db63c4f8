"""The controls that an offering may name: the list shipped beside the offerings."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache

from portal.core.assets import services_folder


@lru_cache(maxsize=1)
def known_controls() -> Mapping[str, frozenset[str]]:
    """The identifiers by framework."""
    found: dict[str, set[str]] = {}
    with (services_folder() / "controls.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["framework"], set()).update(
                identifier.strip() for identifier in row["identifiers"].split(";")
            )
    return {framework: frozenset(identifiers) for framework, identifiers in found.items()}
