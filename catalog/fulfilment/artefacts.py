"""Artefacts: the files that fulfilment brings, kept with the step that made them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import PlanLine
from catalog.fulfilment.model import Artefact, Step
from portal.core.errors import NotFound
from portal.core.language import _

_TYPES = {
    ".pem": "application/x-pem-file",
    ".crt": "application/x-pem-file",
    ".pub": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".diff": "text/x-diff; charset=utf-8",
    ".json": "application/json",
}


def keep_artefacts(session: Session, step: Step, files: Mapping[str, bytes]) -> None:
    """Keep the files under their names; one that the step brought before is replaced, never doubled."""
    known = {
        artefact.name: artefact
        for artefact in session.scalars(select(Artefact).where(Artefact.step_id == step.id))
    }
    for name, content in files.items():
        artefact = known.get(name)
        if artefact is None:
            artefact = Artefact(request_id=step.request_id, step_id=step.id, name=name)
            session.add(artefact)
        artefact.content = content
        artefact.digest = "sha256:" + hashlib.sha256(content).hexdigest()


def get_artefact(session: Session, request_id: int, name: str) -> Artefact:
    """The request's file of this name, the latest if several attempts brought one. Raises NotFound."""
    statement = select(Artefact).where(Artefact.request_id == request_id, Artefact.name == name)
    artefact = session.scalars(statement.order_by(Artefact.id.desc()).limit(1)).one_or_none()
    if artefact is None:
        raise NotFound(_("There is no such file."))
    return artefact


def media_type_of(name: str) -> str:
    """What a browser is told of the file; nothing is ever shown inline."""
    return next((kind for end, kind in _TYPES.items() if name.endswith(end)), "application/octet-stream")


def lines_json(lines: Iterable[PlanLine]) -> list[dict[str, Any]]:
    """Lines as a JSON column keeps them."""
    return [line.to_json() for line in lines]
