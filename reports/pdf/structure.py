"""The tags of a part, made lighter: what WeasyPrint writes for every cell would be most of a long register's file.

WeasyPrint gives each piece of text an element of its own inside that of its paragraph or cell, and each cell a list
of the names of its headers, without the tree that these names need (ISO 32000-1 §14.7.2, /IDTree). Here the text
belongs to the paragraph or cell itself, and a header says whether it heads its row or its column (/Scope), which
readers follow as well (ISO 14289-1 §7.5).
"""

from __future__ import annotations

import re
from typing import Any

import pydyf
from weasyprint.formatting_structure import boxes

_PARENT = re.compile(rb"(\d+) 0 R")


def lighten(pdf: Any, pages: Any) -> None:
    """Take the elements that only hold a piece of text out of the tree, and name what each header heads."""
    moved: dict[bytes, tuple[bytes, int]] = {}
    elements: list[Any] = [
        item for item in pdf.objects if isinstance(item, dict) and item.get("Type") == "/StructElem"
    ]
    for element in elements:
        kids = element["K"]
        if element["S"] == "/Span" and len(kids) == 1 and type(kids[0]) is int and "A" not in element:
            moved[element.reference] = (element["P"], kids[0])
    for element in elements:
        element["K"] = pydyf.Array(moved[kid][1] if kid in moved else kid for kid in element["K"])
    tree = pdf.objects[_number(pdf.objects[_number(pdf.catalog["StructTreeRoot"])]["ParentTree"])]
    for value in tree["Nums"][1::2]:
        if isinstance(value, list):
            value[:] = [moved[kid][0] if kid in moved else kid for kid in value]
    for page in pages:
        _name_headers(page._page_box)  # noqa: SLF001  (WeasyPrint's own tagging goes over the same boxes)
    for element in elements:
        attributes = element.get("A")
        if element["S"] in {"/TD", "/TH"} and attributes is not None:
            element.pop("ID", None)
            attributes.pop("Headers", None)
            if set(attributes) == {"O"}:
                del element["A"]


def _name_headers(page: Any) -> None:
    for box in page.descendants():
        if isinstance(box, boxes.TableCellBox) and box.element is not None and box.element_tag == "th":
            scope = "/Row" if box.element.get("scope") == "row" else "/Column"
            box.mark["A"]["Scope"] = scope


def _number(reference: bytes) -> int:
    found = _PARENT.fullmatch(reference)
    if found is None:
        message = f"{reference!r} is no reference"
        raise ValueError(message)
    return int(found[1])
