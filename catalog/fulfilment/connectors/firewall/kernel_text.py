"""The kernel's tables, listed by `nft -j`, written the way that the rendered file is written.

So one reader serves both: what it does not know in the one it does not know in the other. The form is that of
libnftables-json(5).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, summarize_address_range
from typing import Any

from catalog.fulfilment.connectors.firewall.render import TABLE

_STATE = {"new": "ct state new", "established,related": "ct state established,related"}


def text_of(family: str, listing: Iterable[dict[str, Any]]) -> str:
    """One table in the rendered file's words; a statement that no rule becomes stands there as JSON."""
    chains: dict[str, list[str]] = {}
    hooked = False
    for item in listing:
        if "chain" in item:
            chain = item["chain"]
            lines = chains.setdefault(chain["name"], [])
            if "hook" in chain:
                hooked = True
                lines.append(
                    f"type {chain['type']} hook {chain['hook']} priority {chain['prio']}; "
                    f"policy {chain.get('policy', 'accept')};"
                )
        elif "rule" in item:
            rule = item["rule"]
            chains.setdefault(rule["chain"], []).append(_statement(rule))
        elif "table" not in item and "metainfo" not in item:
            chains.setdefault("", []).append(json.dumps(item, sort_keys=True))
    if not hooked:
        chains.setdefault("", []).append(f"the table for {family} is not in force")
    text = [f"table {family} {TABLE} {{\n"]
    for name, lines in chains.items():
        text.append(f"    chain {name or 'none'} {{\n")
        text += [f"        {line}\n" for line in lines]
        text.append("    }\n")
    return "".join([*text, "}\n"])


def _statement(rule: dict[str, Any]) -> str:
    expressions = rule["expr"]
    if "comment" not in rule:
        words = [_expression(expression) for expression in expressions]
        if all(words):
            return " ".join(words)
    said = f"{rule.get('comment', '')} {json.dumps(expressions, sort_keys=True)}".strip()
    return f"{rule['chain']}: {said}"


def _expression(expression: dict[str, Any]) -> str:
    """The expression in words, or nothing when it is none that a rule becomes."""
    ((kind, content),) = expression.items()
    if kind in {"accept", "drop"}:
        return str(kind)
    if kind == "jump":
        return f"jump {content['target']}"
    if kind == "match" and content["op"] in {"==", "in"}:
        return _match(content["left"], content["right"], content["op"])
    return ""


def _match(left: dict[str, Any], right: Any, op: str) -> str:
    ((kind, content),) = left.items()
    if kind == "ct" and content.get("key") == "state" and op == "in":
        states = [right] if isinstance(right, str) else sorted(right)
        return _STATE.get(",".join(states), "")
    if op != "==":
        return ""
    if kind == "meta" and content["key"] in {"iifname", "oifname"} and isinstance(right, str):
        return f'{content["key"]} "{right}"'
    if kind == "meta" and content["key"] == "l4proto" and right in {"ipv6-icmp", "icmpv6"}:
        return "meta l4proto icmpv6"
    if kind == "payload" and set(content) == {"protocol", "field"}:
        values = list(_values(right))
        if values and all(values):
            several = len(values) > 1
            written = f"{{ {', '.join(values)} }}" if several else values[0]
            return f"{content['protocol']} {content['field']} {written}"
    return ""


def _values(right: Any) -> Iterator[str]:
    """Addresses, networks, ports and ranges, one by one; a range of addresses as the networks that it is.

    What else there may be is empty, so that nothing is passed over.
    """
    if isinstance(right, str | int):
        yield str(right)
    elif "prefix" in right:
        yield f"{right['prefix']['addr']}/{right['prefix']['len']}"
    elif "range" in right:
        first, last = right["range"]
        if isinstance(first, int):
            yield f"{first}-{last}"
        else:
            ends: Any = (ip_address(first), ip_address(last))
            yield from (str(network) for network in summarize_address_range(*ends))
    elif "set" in right:
        for item in right["set"]:
            yield from _values(item)
    else:
        yield ""
