"""Plans of calls: exactly the document that will be sent, for machines and for an approver."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan, PlanLine
from catalog.fulfilment.connectors.http.targets import Target
from portal.core.canonical import canonical_json, digest
from portal.core.language import N_, say

KIND = "http"
LARGEST = 32 * 1024
_DIGITS = 16
_TARGET = "target"


def document_of(order: Order, targets: Mapping[str, Target]) -> dict[str, Any]:
    """What the target will be sent, judged. Raises a permanent ConnectorError with a sentence."""
    name = order.parameters.get(_TARGET)
    target = targets.get(name) if isinstance(name, str) else None
    if target is None:
        raise _refusal(N_("This portal has no automation target “%(name)s”."), name=str(name or ""))
    if order.action not in target.actions:
        raise _refusal(N_("%(target)s has no action “%(action)s”."), target=target.title, action=order.action)
    if not order.beneficiary.user_name:
        raise _refusal(N_("The order names nobody for whom it is."))
    parameters = {key: value for key, value in order.parameters.items() if key != _TARGET}
    document = {
        "target": name,
        "action": order.action,
        "for": order.beneficiary.user_name,
        "parameters": parameters,
        "reference": order.reference,
    }
    try:
        size = len(canonical_json(document))
    except ValueError:
        raise _refusal(N_("The order holds a value that cannot be sent as JSON.")) from None
    if size > LARGEST:
        raise _refusal(N_("The order is larger than %(most)s bytes."), most=LARGEST)
    return document | {"entitlement": _entitlement(document, undoable=target.paths.undo is not None)}


def draw(target: Target, document: Mapping[str, Any], *, tried: Sequence[str], already: bool) -> Plan:
    """The plan of a call. `tried` is what the target said it would do."""
    undoable = target.paths.undo is not None
    what = say("%(target)s: %(action)s", target=target.title, action=document["action"])
    lines = [
        PlanLine("keep", say("%(what)s, which is so already", what=what))
        if already
        else PlanLine("add", what)
    ]
    lines += [
        PlanLine("note", say("%(name)s: %(value)s", name=name, value=_shown(value)))
        for name, value in sorted(document["parameters"].items())
    ]
    lines += [PlanLine("add", say("It says what it would do: %(what)s", what=line)) for line in tried]
    lines.append(
        PlanLine("note", say("The tool undoes it when it ends"))
        if undoable
        else PlanLine("note", say("Nothing is undone when it ends"))
    )
    lines.append(PlanLine("note", canonical_json(dict(document)).decode(), technical=True))
    return Plan(
        connector=KIND,
        action=document["action"],
        target=document["target"],
        lines=tuple(lines),
        document=dict(document),
        inverse={"undo": document["action"] if undoable else ""},
        already_true=already,
    )


def _entitlement(document: Mapping[str, Any], *, undoable: bool) -> str:
    """What is brought to life is one thing whoever asks for it; what only happens, happens for each request."""
    told = {name: value for name, value in document.items() if name != "reference" or not undoable}
    return f"{KIND}:{document['target']}:{digest(told).removeprefix('sha256:')[: 2 * _DIGITS]}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _refusal(sentence: str, **values: object) -> ConnectorError:
    return ConnectorError(say(sentence, **values), permanent=True)
