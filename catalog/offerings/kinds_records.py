"""How answers that point at a record are checked: files that were uploaded, an asset of the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from catalog.attachments.references import read_reference
from catalog.offerings.field_records import AssetField, FileField
from catalog.offerings.form_context import FormContext
from catalog.offerings.typed import cut, one
from portal.core.language import _


def _file(field: FileField, typed: Any, context: FormContext) -> list[str]:
    texts = [typed] if isinstance(typed, str) else typed
    files = list(dict.fromkeys(read_reference(str(text)) for text in texts if str(text).strip()))
    if len(files) > field.at_most:
        raise ValueError(
            _(
                "These are %(count)s files; at most %(most)s fit here. Take some away.",
                count=len(files),
                most=field.at_most,
            )
        )
    for file in files:
        kind = context.files(file)
        if kind is None:
            raise ValueError(
                _("“%(file)s” is not there any more. Choose the file again.", file=cut(file.name))
            )
        if kind not in field.kinds:
            raise ValueError(
                _(
                    "“%(file)s” is not of a kind that is taken here. Choose another file.",
                    file=cut(file.name),
                )
            )
    return [str(file) for file in files]


def _asset(field: AssetField, typed: Any, context: FormContext) -> dict[str, Any]:
    asset = context.assets.find(str(typed["id"]) if isinstance(typed, dict) and "id" in typed else one(typed))
    if field.kinds and asset.kind not in field.kinds:
        raise ValueError(
            _(
                "“%(asset)s” is of the kind %(kind)s; choose one of %(kinds)s.",
                asset=asset.name,
                kind=asset.kind,
                kinds=", ".join(field.kinds),
            )
        )
    return asset.to_json()


RECORD_CHECKS: Mapping[str, Callable[[Any, Any, FormContext], Any]] = {"file": _file, "asset": _asset}
