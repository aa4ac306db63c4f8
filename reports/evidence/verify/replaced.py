"""What signing added behind a file: it may carry the signature and nothing that takes the place of a page."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import pypdf

from reports.verifier import recount

#: What signing adds to the catalog, and to the page that carries the signature's field.
_OF_CATALOG, _OF_PAGE = {"AcroForm", "Extensions", "DSS", "Version"}, {"Annots"}
#: A number that no object has.
FREE = 0


def replaced(signed: recount.Pdf, plain: recount.Pdf) -> Iterator[str]:
    """What was put in the place of an object of the plain file, beside the field that carries the signature."""
    root = signed.trailer.get("Root")
    if root != plain.trailer.get("Root"):
        yield "Behind the pages other pages were added that stand in their place."
        return
    pages = {page["Contents"] for page in map(_hashable, plain.pages)}
    for number, place in plain.places.items():
        if place[0] == FREE or signed.places.get(number) == place:
            continue
        reference = recount.Ref(number)
        before, after = plain.get(reference), signed.get(reference)
        if reference == root:
            same = _without(before, _OF_CATALOG) == _without(after, _OF_CATALOG)
        elif isinstance(before, dict) and before.get("Type") == "Page":
            same = _without(before, _OF_PAGE) == _without(after, _OF_PAGE)
        else:
            same = before == after
        if not same:
            yield f"What was added when the file was signed replaces a part of it (object {number})."
    if pages != {page["Contents"] for page in map(_hashable, signed.pages)}:
        yield "What was added when the file was signed replaces pages of it."


def _hashable(page: Mapping[str, Any]) -> dict[str, str]:
    return {"Contents": repr(page.get("Contents"))}


def _without(one: Any, names: set[str]) -> Any:
    return {name: value for name, value in one.items() if name not in names} if isinstance(one, dict) else one


def made_with(content: bytes) -> str:
    """The programs that laid the file out, as it says itself."""
    found = pypdf.PdfReader(io.BytesIO(content)).metadata
    return f"{found.creator} {found.producer}" if found else ""
