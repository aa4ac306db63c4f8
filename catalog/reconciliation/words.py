"""What each kind of target is called where people read of it."""

from __future__ import annotations

from collections.abc import Mapping

from portal.core.language import N_, _

_CALLED: Mapping[str, str] = {
    "acme": N_("External certificate authority"),
    "ansible": N_("Servers by Ansible"),
    "ca": N_("Built-in certificate authority"),
    "firewall": N_("Firewall policy"),
    "http": N_("Automation tools"),
    "ldap": N_("Directory by LDAP"),
    "manual": N_("Work done by hand"),
    "postgresql": N_("Database roles"),
    "scim": N_("Directory by SCIM"),
    "ssh": N_("SSH certificates"),
}


def called(kind: str) -> str:
    """The target of the connector of this kind, in the language that is spoken; an unknown one by its kind."""
    return _(_CALLED[kind]) if kind in _CALLED else kind
