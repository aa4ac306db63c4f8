"""What counts as less of the same, by the kind of the field."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from approvals.conversation.narrower import not_narrower
from catalog.offerings.language import OfferingDocument
from tests.approvals.conftest import MANAGER_STAGE, offering_text

KINDS: dict[str, dict[str, Any]] = {
    "text": {},
    "number": {"minimum": 0, "maximum": 100},
    "date": {},
    "duration": {},
    "some_of": {"choices": [{"value": value, "label": value} for value in ("a", "b", "c")]},
    "one_of": {"choices": [{"value": value, "label": value} for value in ("a", "b")]},
    "host_names": {},
    "host_name": {},
    "networks": {},
    "ports": {},
    "boolean": {},
    "table": {
        "columns": [
            {"kind": "text", "name": "what", "label": "What"},
            {"kind": "number", "name": "pieces", "label": "Pieces", "minimum": 0, "maximum": 9},
        ]
    },
}


def document(**changed: Any) -> OfferingDocument:
    content = yaml.safe_load(offering_text([MANAGER_STAGE], **changed))
    content["form"]["sections"][0]["fields"] += [
        {"kind": kind, "name": f"a_{kind}", "label": kind, "required": False, **more}
        for kind, more in KINDS.items()
    ]
    return OfferingDocument.model_validate_json(json.dumps(content))


@pytest.mark.parametrize(
    ("kind", "before", "after", "narrower"),
    [
        ("text", "crm", "erp", False),
        ("one_of", "a", "b", False),
        ("host_name", "db1.example", "db2.example", False),
        ("boolean", True, False, False),
        ("number", 10, 9, True),
        ("number", 10, 11, False),
        ("number", None, 1, False),
        ("duration", "4h", "90m", True),
        ("duration", "4h", "1d", False),
        ("date", "2026-12-01", "2026-11-30", True),
        ("date", "2026-12-01", "2026-12-02", False),
        ("date", "2026-12-01", None, False),
        ("date", None, "2026-12-01", True),
        ("some_of", ["a", "b"], ["b"], True),
        ("some_of", ["a", "b"], ["c"], False),
        ("host_names", ["a.example", "b.example"], ["a.example"], True),
        ("host_names", ["a.example"], ["b.example"], False),
        ("networks", ["10.1.0.0/16"], ["10.1.2.0/24"], True),
        ("networks", ["10.1.0.0/16"], ["10.2.0.0/24"], False),
        ("networks", ["10.1.0.0/16"], None, False),
        ("ports", "443, 8000-8010", "8001-8002", True),
        ("ports", "443", "22", False),
        ("table", [{"what": "x", "pieces": 3}], [{"what": "x", "pieces": 2}], True),
        ("table", [{"what": "x", "pieces": 3}], [{"what": "y", "pieces": 3}], False),
        ("table", [{"what": "x", "pieces": 3}], [{"what": "x", "pieces": 3}] * 2, False),
    ],
)
def test_only_less_of_the_same_is_narrower(kind: str, before: Any, after: Any, narrower: bool) -> None:
    found = not_narrower(document(ends={"date": "a_date"}), {f"a_{kind}": [before, after]})
    assert found == (() if narrower else (f"a_{kind}",))


def test_a_day_that_is_not_the_end_stays_and_the_reason_may_be_rewritten() -> None:
    changes = {"a_date": ["2026-12-01", "2026-11-30"], "reason": ["Closing", "Quarter"], "gone": [1, None]}
    assert not_narrower(document(), changes) == ("a_date", "gone")
