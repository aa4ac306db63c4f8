"""The policy as files: zones, the rules from before any request, and one file for each request's rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import yaml

from catalog.fulfilment.connectors.firewall.rules import (
    BASELINE,
    REFERENCE,
    Rule,
    Zone,
    read_rule,
    read_zone,
    zone_document,
)
from portal.core.language import say

ZONES_PATH = "policy/zones.yaml"
BASELINE_PATH = "policy/baseline.yaml"
RULES_FOLDER = "policy/rules/"
LONGEST_FILE = 256 * 1024
_Value = TypeVar("_Value")


class PolicyError(ValueError):
    """A file of the policy cannot be read; the message names it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that the rendered files follow from. Rules are by reference, in order."""

    zones: Mapping[str, Zone]
    baseline: Mapping[str, Rule]
    rules: Mapping[str, Rule]

    def open_rules(self, now: datetime) -> Iterator[Rule]:
        """Every rule whose time is not over, those from before any request first."""
        for rule in (*self.baseline.values(), *self.rules.values()):
            if not rule.ended(now):
                yield rule


def rule_path(reference: str) -> str:
    """Where the rule of this request stands. Raises ValueError for what is not a reference."""
    if not REFERENCE.fullmatch(reference):
        raise ValueError("That is not a request's reference.")
    return f"{RULES_FOLDER}{reference}.yaml"


def read_policy(files: Mapping[str, bytes]) -> Policy:
    """The policy in these files by path. Raises PolicyError naming the file that is missing or wrong."""
    for path in (ZONES_PATH, BASELINE_PATH):
        if path not in files:
            raise PolicyError(say("The firewall policy has no %(path)s.", path=path))
    zones = {zone.name: zone for zone in _read(ZONES_PATH, files[ZONES_PATH], _zones)}
    baseline = {rule.reference: rule for rule in _read(BASELINE_PATH, files[BASELINE_PATH], _baseline)}
    rules = {}
    for path in sorted(files):
        if path.startswith(RULES_FOLDER):
            rule = _read(path, files[path], _request_rule)
            if path != rule_path(rule.reference):
                raise PolicyError(
                    say("%(path)s in the firewall policy holds the rule of another request.", path=path)
                )
            rules[rule.reference] = rule
    for rule in (*baseline.values(), *rules.values()):
        for name in (rule.source_zone, rule.destination_zone):
            if name not in zones:
                raise PolicyError(
                    say(
                        "%(reference)s in the firewall policy names %(zone)s, which is no zone.",
                        reference=rule.reference,
                        zone=name,
                    )
                )
    return Policy(zones, baseline, rules)


def load_rule(content: bytes) -> Rule:
    """The rule in one rule file. Raises PolicyError."""
    return _read(say("A rule of earlier"), content, read_rule)


def rule_file(rule: Rule) -> bytes:
    """The rule as its file holds it."""
    return _dump(rule.to_document())


def zones_file(zones: Mapping[str, Zone]) -> bytes:
    """`policy/zones.yaml`."""
    return _dump({name: zone_document(zone) for name, zone in zones.items()})


def baseline_file(baseline: Mapping[str, Rule]) -> bytes:
    """`policy/baseline.yaml`."""
    return _dump({reference: rule.to_document() for reference, rule in baseline.items()})


def _dump(document: Mapping[str, Any]) -> bytes:
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=110).encode()


def _read(path: str, content: bytes, parse: Callable[[object], _Value]) -> _Value:
    try:
        return parse(_load(content))
    except (ValueError, yaml.YAMLError) as error:
        raise PolicyError(
            say("%(path)s in the firewall policy cannot be read: %(words)s", path=path, words=error)
        ) from error


def _load(content: bytes) -> object:
    if len(content) > LONGEST_FILE:
        raise ValueError("It is larger than 256 KiB.")
    # 332 bytes of aliases can unfold to gigabytes; an alias starts with a star, so most files need no second look.
    if b"*" in content and any(isinstance(token, yaml.AliasToken) for token in yaml.scan(content)):
        raise ValueError("It uses YAML aliases.")
    document: object = yaml.load(content, Loader=yaml.CSafeLoader)
    return document


def _zones(document: object) -> list[Zone]:
    return [read_zone(name, fields) for name, fields in _pairs(document)]


def _baseline(document: object) -> list[Rule]:
    rules = [read_rule(fields) for _, fields in _pairs(document)]
    if not all(BASELINE.fullmatch(rule.reference) for rule in rules):
        raise ValueError("A rule from before any request is named baseline-….")
    return rules


def _request_rule(document: object) -> Rule:
    rule = read_rule(document)
    rule_path(rule.reference)
    return rule


def _pairs(document: object) -> list[tuple[object, object]]:
    if not isinstance(document, dict):
        raise ValueError("A mapping is expected.")  # noqa: TRY004 - a wrong file, not a wrong call
    return list(document.items())
