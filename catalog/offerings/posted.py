"""What a browser sent, as a draft keeps it: nothing is checked yet, and nothing is kept that must never be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from catalog.fulfilment.connectors.ca.csr import LARGEST, CsrError, read_csr_bytes
from catalog.offerings.fields import TableField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.tables import MORE_ROWS, PASTE_SUFFIX, ROWS_ADDED, rows_posted
from portal.core.errors import FieldError
from portal.core.language import _, spoken
from portal.core.text import with_line_feeds

#: A CSR may be uploaded as `<field>_file` instead of being pasted.
FILE_SUFFIX = "_file"
#: Kinds whose answers are one value each, sent under one name.
SEVERAL = frozenset({"some_of", "file"})
_NEVER_KEPT = "PRIVATE KEY-----"


class Sent(Protocol):
    """A posted form, as the web framework gives it."""

    def lists(self) -> Iterable[tuple[str, list[str]]]:
        """Every name with all its values."""
        ...


@dataclass(frozen=True, slots=True)
class Posted:
    """`raw` is a text for one value and a list for several; `errors` are about files that could not be taken."""

    raw: dict[str, Any]
    errors: tuple[FieldError, ...] = ()
    #: The table whose button “add rows” was pressed; empty when the form was sent to be checked.
    more_rows: str = ""


def posted(
    document: OfferingDocument,
    form: Sent,
    files: Mapping[str, Any] | None = None,
) -> Posted:
    """What was typed and uploaded; `files` have a `filename` and a binary `stream`.

    Names that the form does not have are kept, so that checking refuses them; `csrf_token` and names that begin
    with an underscore belong to the page and are left out. Lines end in LF, however they were sent, so that the same
    answers are the same. A private key is never kept, wherever it was pasted.
    """
    raw, cells, more = _sorted_out(document, form)
    errors = _tables(document, cells, more, raw)
    errors += _uploads(document, files or {}, raw)
    for name, value in raw.items():
        if _NEVER_KEPT in str(value):
            raw[name] = ""
            message = _(
                "This held a private key, which was not kept. Never give it to anybody: treat it as disclosed "
                "and make a new one."
            )
            errors.append(FieldError(name, message))
    return Posted(raw, tuple(errors), more_rows=more)


def _sorted_out(document: OfferingDocument, form: Sent) -> tuple[dict[str, Any], dict[str, str], str]:
    """Answers by field, cells of tables by their own names, and the table that wants more rows."""
    several = {field.name for field in document.fields if field.kind in SEVERAL}
    tables = tuple(field.name + "-" for field in document.fields if field.kind == "table")
    raw: dict[str, Any] = {}
    cells: dict[str, str] = {}
    more = ""
    for name, sent in form.lists():
        values = [with_line_feeds(value) for value in sent]
        if name.startswith(MORE_ROWS):
            more = name.removeprefix(MORE_ROWS)
        elif tables and name.startswith(tables):
            cells[name] = values[0]
        elif name != "csrf_token" and not name.startswith("_"):
            raw[name] = values if name in several or len(values) > 1 else values[0]
    return raw, cells, more


def _tables(
    document: OfferingDocument, cells: Mapping[str, str], more: str, raw: dict[str, Any]
) -> list[FieldError]:
    errors = []
    for table in document.fields:
        if not isinstance(table, TableField):
            continue
        try:
            rows = rows_posted(table, cells)
        except ValueError as error:
            rows = rows_posted(table, {**cells, table.name + PASTE_SUFFIX: ""})
            errors.append(FieldError(table.name, str(error)))
        if more == table.name:
            rows = [*rows, *({} for _ in range(ROWS_ADDED))][: table.at_most]
        raw[table.name] = rows
    return errors


def _uploads(document: OfferingDocument, files: Mapping[str, Any], raw: dict[str, Any]) -> list[FieldError]:
    errors = []
    for field in document.fields:
        upload = files.get(field.name + FILE_SUFFIX) if field.kind == "csr" else None
        if upload is not None and upload.filename:
            try:
                raw[field.name] = read_csr_bytes(upload.stream.read(LARGEST + 1)).pem
            except CsrError as error:
                raw[field.name] = ""
                errors.append(FieldError(field.name, spoken(error.message)))
    return errors


def as_sent(document: OfferingDocument, raw: Mapping[str, Any]) -> dict[str, list[str]]:
    """What was typed, or answers that were checked before, as a browser would send them."""
    form: dict[str, list[str]] = {}
    for field in document.fields:
        value = raw.get(field.name)
        if field.kind in {"table", "file"}:
            continue  # its rows are shown from what was typed itself
        if field.kind == "date_time" and isinstance(value, str):
            value = value[:16]  # a browser's field takes no offset; the person's own zone is meant
        if value is None or value is False:
            if field.kind not in {"boolean", "some_of"}:
                form[field.name] = [""]  # sent and empty, or the default would be shown again
            continue
        if isinstance(value, dict):
            form[field.name] = [f"{value.get('name', '')} ({value.get('id', '')})"]
        elif isinstance(value, list | tuple):
            texts = [str(item) for item in value]
            form[field.name] = texts if field.kind == "some_of" else ["\n".join(texts)]
        else:
            form[field.name] = ["y" if value is True else str(value)]
    return form
