"""Targets in a sentence: plans name them as machines do, since the seal covers the name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from portal.core.language import N_, say

_CALLED: Mapping[str, str] = {
    r"directory": N_("Directory"),
    r"the (?P<name>\S+) firewall": N_("The %(name)s firewall"),
    r"the host (?P<name>\S+)": N_("The host %(name)s"),
    r"the work of the group (?P<name>\S+)": N_("The work of the group %(name)s"),
    r"the portal's record of entitlements": N_("The portal's record of entitlements"),
}


def called(target: str) -> str:
    """The target where a sentence begins, in every language; one that is not known here is called by its name."""
    for pattern, message in _CALLED.items():
        if found := re.fullmatch(pattern, target):
            return say(message, **found.groupdict())
    return target[:1].upper() + target[1:]
