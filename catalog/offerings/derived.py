"""Facts that follow from an answer by its kind: what is in a CSR, how wide networks are, who owns a role.

One table from a kind of field to its facts and how they are found. Answers have been checked before; one that
cannot be read all the same gives the empty facts, because rules also run on answers of long ago.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import re2

from catalog.fulfilment.connectors.ca.csr import CsrError, read_csr
from catalog.offerings.fields import FormField, OneOfField, TableField
from catalog.offerings.language import OfferingDocument
from catalog.offerings.route import Resource
from catalog.offerings.words import duration_text, span_of
from portal.core.language import SOURCE, speaking
from portal.core.network_sets import address_count
from portal.core.networks import Network, classify, parse_networks
from portal.core.ports import parse_ports
from portal.core.spans import size

Type = Literal["string", "int", "double", "bool", "timestamp", "list"]
#: What an empty answer is to an expression.
EMPTY: Mapping[Type, Any] = {"string": "", "int": 0, "double": 0.0, "bool": False, "list": []}
#: Beyond this a count is this: CEL counts in 64 bits, IPv6 in 128.
MANY = 2**53


@dataclass(frozen=True, slots=True)
class Derivation:
    """The facts of one kind, by name and type, and the function that finds them; it may raise ValueError."""

    facts: Mapping[str, Type]
    find: Callable[[Any], Mapping[str, Any]]


def _csr(pem: str) -> Mapping[str, Any]:
    csr = read_csr(pem)
    return {
        "names": list(csr.names),
        "name": csr.names[0] if csr.names else "",
        "count": len(csr.names),
        "wildcard": csr.wildcard,
        "addresses": list(csr.ip_addresses),
        "key_kind": csr.key_kind,
        "key_bits": csr.key_bits,
        "key": csr.spki_sha256,
    }


def _networks(texts: Sequence[str]) -> Mapping[str, Any]:
    networks = parse_networks(texts)
    return {
        "count": len(networks),
        "addresses": min(address_count(networks), MANY),
        "widest": min(_as_ipv4_prefix(network) for network in networks),
        "anywhere": any(network.prefixlen == 0 for network in networks),
        "outside": any(classify(network) in {"any", "mixed", "global"} for network in networks),
    }


def _as_ipv4_prefix(network: Network) -> int:
    """A prefix length on IPv4's scale: one IPv6 site (/48) weighs like a /24 and one host like a host."""
    return network.prefixlen if network.version == 4 else min(network.prefixlen // 2, 32)  # noqa: PLR2004


def _ports(text: str) -> Mapping[str, Any]:
    return {"count": size(parse_ports(text))}


def _asset(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was known of the asset when it was asked for; its owner also as a rule of a route."""
    return {name: value for name, value in answer.items() if name != "id"}


def _duration(text: str) -> Mapping[str, Any]:
    with speaking(SOURCE):  # rules compare the label
        return {"minutes": span_of(text), "label": duration_text(text)}


_BY_KIND: Mapping[str, Derivation] = {
    "csr": Derivation(
        {
            "names": "list",
            "name": "string",
            "count": "int",
            "wildcard": "bool",
            "addresses": "list",
            "key_kind": "string",
            "key_bits": "int",
            "key": "string",
        },
        _csr,
    ),
    "networks": Derivation(
        {"count": "int", "addresses": "int", "widest": "int", "anywhere": "bool", "outside": "bool"},
        _networks,
    ),
    "ports": Derivation({"count": "int"}, _ports),
    "asset": Derivation(
        {
            "name": "string",
            "kind": "string",
            "owner": "string",
            "owner_kind": "string",
            "criticality": "string",
            "zone": "string",
            "unit": "string",
            "addresses": "list",
        },
        _asset,
    ),
    "file": Derivation({"count": "int"}, lambda files: {"count": len(files)}),
    "duration": Derivation({"minutes": "int", "label": "string"}, _duration),
    "table": Derivation({"count": "int"}, lambda rows: {"count": len(rows)}),
}
_OF_A_RESOURCE: Mapping[str, Type] = {"resource": "string", "owner": "string", "sensitivity": "string"}
_OF_A_CHOICE: Mapping[str, Type] = {"label": "string", "points": "int"}


def derived_names(field: FormField, *, has_resources: bool) -> dict[str, Type]:
    """The names and types of the facts that follow from this field's answer."""
    names = dict(_BY_KIND[field.kind].facts) if field.kind in _BY_KIND else {}
    if isinstance(field, OneOfField):
        names |= _OF_A_CHOICE
    if isinstance(field, TableField):
        names |= {column.name: "list" for column in field.columns}
    if has_resources:
        names |= _OF_A_RESOURCE
    return names


def derive(document: OfferingDocument, field: FormField, answer: Any) -> dict[str, Any]:
    """The facts that follow from one answer; the empty ones where there is no answer or it cannot be read."""
    names = derived_names(field, has_resources=field.name in document.resources)
    facts: dict[str, Any] = {name: EMPTY[kind] for name, kind in names.items()}
    if not answer:
        return facts
    if field.kind in _BY_KIND:
        try:
            facts |= _BY_KIND[field.kind].find(answer)
        except (ValueError, CsrError):
            return facts
    if isinstance(field, OneOfField):
        facts["label"] = next((choice.label for choice in field.choices if choice.value == answer), answer)
        facts["points"] = next((c.points or 0 for c in field.choices if c.value == answer), 0)
    if isinstance(field, TableField):
        facts |= {
            column.name: [str(row[column.name]) for row in answer if column.name in row]
            for column in field.columns
        }
    resource = find_resource(document, field.name, answer) if isinstance(answer, str) else None
    if resource is not None:
        facts |= {"resource": resource.name, "owner": resource.owner, "sensitivity": resource.sensitivity}
    return facts


def find_resource(document: OfferingDocument, field: str, value: str) -> Resource | None:
    """The first resource of the field that this value belongs to, or None."""
    for resource in document.resources.get(field, ()):
        if _fits(resource.values, value):
            return resource
    return None


@lru_cache(maxsize=4096)
def _fits(patterns: tuple[str, ...], value: str) -> bool:
    return any(_pattern(pattern).fullmatch(value) for pattern in patterns)


@lru_cache(maxsize=4096)
def _pattern(text: str) -> Any:
    """The pattern, compiled once: the library looks its options up again on every call, which costs more than matching."""
    return re2.compile(text)
