"""The format of the audit report's facts."""

from __future__ import annotations

from reports.audits.document import SCHEMA_FILE, schema


def test_the_published_schema_is_that_of_the_facts() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema()
