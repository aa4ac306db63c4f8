"""The schema inside a file is one that was published: whoever signs a file could put one in that allows all, or never ends."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest

from reports.access_reviews import document as access_review
from reports.audits import document as audit
from reports.evidence import document as evidence
from reports.evidence.html import SCHEMA_NAME, attachments_of, to_html
from reports.evidence.verify import verify_content
from reports.pdf.render import render
from reports.pdf.signing import sign
from reports.verifier import verify as single
from tests.reports.conftest import Genuine

HOSTILE = {
    "one that allows everything": b"{}",
    "one that leads into itself": b'{"$ref": "#"}',
    "a pattern that goes back and back": json.dumps(
        {
            "properties": {
                "format": {"pattern": "^(([a-z-/0-9])+)+x$"},
                "reference": {"pattern": "(.*)*(.*)*x"},
            }
        }
    ).encode(),
    "a million properties": b'{"properties": {%s}}' % b",".join(b'"%d": {}' % at for at in range(1_000_000)),
    "a deep one": b'{"items": ' * 100_000 + b"{}" + b"}" * 100_000,
}


def with_schema(genuine: Genuine, schema: bytes) -> bytes:
    """The genuine pages and facts with another schema beside them, signed by the true key again."""
    at = datetime.fromisoformat(genuine.evidence.as_of)
    laid_out = render(
        to_html(genuine.evidence),
        attachments=[
            replace(one, content=schema) if one.name == SCHEMA_NAME else one
            for one in attachments_of(genuine.evidence)
        ],
        identifier=b"0" * 32,
        created=at,
        title="Evidence",
        lang="en",
    )
    return sign(laid_out, genuine.key, at=at, reason="x")


def test_a_schema_that_was_never_published_is_not_read(genuine: Genuine) -> None:
    """By the single file and by countersign verify, in the same words; nothing else in the file counts then."""
    for what, schema in HOSTILE.items():
        content = with_schema(genuine, schema)
        found = single.Result("file.pdf")
        assert single.check_pdf(content, single.Trusted.of([genuine.verifier]), found) is None
        assert ("attachments", False, single.UNKNOWN_SCHEMA) in found.checks, what
        assert [name for name, holds, _ in found.checks if not holds] == ["attachments"], what
        strong = verify_content(content, trusted=genuine.trusted)
        assert [(one.name, one.sentence) for one in strong.checks if not one.holds] == [
            ("attachments", single.UNKNOWN_SCHEMA)
        ], what


def test_the_same_file_holds_with_its_own_schema(genuine: Genuine) -> None:
    content = with_schema(genuine, evidence.SCHEMA_FILE.read_bytes())
    found = single.Result("file.pdf")
    single.check_pdf(content, single.Trusted.of([genuine.verifier]), found)
    assert ("attachments", True) in [(name, holds) for name, holds, _ in found.checks]


@pytest.mark.parametrize("document", [evidence, access_review, audit], ids=lambda one: str(one.FORMAT))
def test_every_schema_that_is_attached_is_published_and_known(document: ModuleType) -> None:
    """Who changes a form adds its schema's digest to SCHEMAS; files of before keep theirs."""
    attached = document.SCHEMA_FILE.read_bytes()
    assert attached == document.schema().encode()
    assert single.sha256(attached) in single.SCHEMAS[document.FILE_NAME]
    # Every keyword in it is one that the small validator knows.
    assert single.schema_problem({}, json.loads(attached)) != ""


#: What the small validator reads beside each type, and where there is none.
READ = {
    "": {"$ref", "anyOf", "oneOf"},
    "string": {"type", "const", "enum", "pattern", "minLength", "maxLength"},
    "integer": {"type", "minimum", "maximum"},
    "boolean": {"type"},
    "null": {"type"},
    "array": {"type", "items", "minItems"},
    "object": {"type", "properties", "required", "additionalProperties", "patternProperties"},
}
#: Keywords that say nothing about what is valid.
NOTES = {"$schema", "$defs", "title", "description", "default", "format", "discriminator"}


@pytest.mark.parametrize("document", [evidence, access_review, audit], ids=lambda one: str(one.FORMAT))
def test_every_keyword_of_a_published_schema_is_one_that_the_small_validator_reads(
    document: ModuleType,
) -> None:
    """It refuses no other, because a schema that was never published is not read at all."""

    def look(schema: Any) -> None:
        if isinstance(schema, bool):
            return
        used = schema.keys() - NOTES
        assert used <= READ[schema.get("type", "")], used
        assert "type" in schema or len(used) <= 1, used
        assert "oneOf" not in schema or "discriminator" in schema, "one of its forms at most fits"
        assert re.fullmatch(r"\^[^^$|]*\$", schema.get("pattern", "^$")), "anchored on both sides"
        named = ("$defs", "properties", "patternProperties")
        for inner in [
            *(one for keyword in named for one in schema.get(keyword, {}).values()),
            *schema.get("anyOf", []),
            *schema.get("oneOf", []),
            *(schema[keyword] for keyword in ("items", "additionalProperties") if keyword in schema),
        ]:
            look(inner)

    look(json.loads(document.SCHEMA_FILE.read_bytes()))
