"""What an order asks of Ansible: which playbook at which commit, on which host, with which values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError, Order
from portal.core.canonical import digest
from portal.core.language import say

KIND = "ansible"
RUN = "run"
#: Bytes of all values together, as JSON.
LONGEST = 64 * 1024
_PARAMETERS = {"playbook", "undo", "commit", "host"}
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(/[A-Za-z0-9_][A-Za-z0-9_-]*)*\.ya?ml")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?")
#: Names that mean several hosts to Ansible, or the machine that it runs on.
_NO_HOSTS = frozenset({"all", "ungrouped", "localhost", "127.0.0.1"})
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
#: Names that Ansible itself gives a meaning; a value must not change whom a playbook reaches, or how.
_TAKEN = frozenset(
    {
        "environment", "group_names", "groups", "hostvars", "inventory_dir", "inventory_file", "inventory_hostname",
        "inventory_hostname_short", "omit", "play_hosts", "playbook_dir", "role_name", "role_names", "role_path", "vars",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One playbook for one host, and the one that undoes it, both as they stand in the commit."""

    playbook: str
    undo: str
    commit: str
    host: str
    variables: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What identifies the effect: the same playbook and values on the same host, whatever the commit."""
        short = digest(dict(self.variables)).removeprefix("sha256:")[:16]
        return f"{KIND}:{self.host}:{self.playbook}:{short}"


def wanted(order: Order) -> Job:
    """What the order asks for: beside the parameters that are known, each is a value for the playbook by its name.

    Raises a permanent ConnectorError for what can never be run.
    """
    if order.action != RUN:
        raise _refusal(say("Ansible cannot “%(action)s”; it can run a playbook.", action=order.action))
    fields = {name: value for name, value in order.parameters.items() if name in _PARAMETERS}
    values = {name: value for name, value in order.parameters.items() if name not in _PARAMETERS}
    return read_job({**fields, "variables": values})


def read_job(fields: Mapping[str, Any]) -> Job:
    """The job that an order or a kept plan describes. Raises a permanent ConnectorError."""
    for name in ("playbook", "undo"):
        if not _matches(_PATH, fields.get(name)):
            raise _refusal(
                say(
                    "The offering names no usable path under “%(name)s”, such as playbooks/agent.yml.",
                    name=name,
                )
            )
    if not _matches(_COMMIT, fields.get("commit")):
        raise _refusal(say("The offering pins its playbook to no commit: name all 40 characters of it."))
    host = fields.get("host")
    if not _matches(_HOST, host) or str(host).lower() in _NO_HOSTS:
        raise _refusal(say("That is not the name of one host. Choose one from the inventory."))
    variables = fields.get("variables", {})
    if not isinstance(variables, Mapping):
        raise _refusal(say("The values for a playbook are a list of names, each with its value."))
    for name in variables:
        if not _matches(_VARIABLE, name) or name in _TAKEN or str(name).startswith("ansible_"):
            raise _refusal(say("A playbook is given no value called “%(name)s”.", name=str(name)[:80]))
    if len(json.dumps(_plain(variables))) > LONGEST:
        raise _refusal(say("The values for the playbook are longer than 64 KiB together."))
    return Job(
        playbook=str(fields["playbook"]),
        undo=str(fields["undo"]),
        commit=str(fields["commit"]),
        host=str(host),
        variables=_plain(variables),
    )


def as_extra_variables(variables: Mapping[str, Any]) -> bytes:
    """The values as a JSON file for ansible-playbook, each text marked as data.

    Ansible never looks for templates in a text under `__ansible_unsafe`, however the playbook uses it.
    """
    return json.dumps(_marked(dict(variables)), ensure_ascii=True).encode()


def _marked(value: Any) -> Any:
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, Mapping):
        return {name: _marked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """The value with plain containers. Raises a permanent ConnectorError for what JSON cannot hold, or marks of ours."""
    if isinstance(value, Mapping):
        for name in value:
            # A mapping with such a name would be read as one of Ansible's own marks.
            if not isinstance(name, str) or name.startswith("__ansible"):
                raise _refusal(say("A playbook is given no value called “%(name)s”.", name=str(name)[:80]))
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return str(value) if isinstance(value, str) else value
    raise _refusal(say("A value for the playbook is neither text, number, list nor yes or no."))


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _refusal(sentence: str) -> ConnectorError:
    return ConnectorError(sentence, permanent=True)
