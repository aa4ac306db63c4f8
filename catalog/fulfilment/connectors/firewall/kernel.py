"""The running firewall: loading the rendered file with nft, and reading back from the kernel what is in force.

The table is Countersign's alone: the file declares, deletes and defines it in one transaction, so a packet meets the
old rules or the new ones, and whatever else was put into the table goes. Other tables are never touched.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from catalog.fulfilment.connectors.firewall import nft
from catalog.fulfilment.connectors.firewall.connections import end_connections
from catalog.fulfilment.connectors.firewall.kernel_text import text_of
from catalog.fulfilment.connectors.firewall.render import TABLE
from catalog.fulfilment.connectors.firewall.rendered import Rendering, read_nftables

FAMILIES = ("ip", "ip6")
_NO_TABLE = "No such file or directory"


class KernelAway(Exception):
    """nft could not be asked: it is missing, not permitted, or its network namespace is gone."""


class KernelRefused(Exception):
    """nft will not load the file, or the kernel holds something else after it did."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """How nft is run: `prefix` comes before it (`ip netns exec edge`, `sudo -n`); `tools` is where both are found."""

    prefix: tuple[str, ...] = ()
    tools: str = nft.TOOLS

    def check(self, ruleset: bytes) -> nft.Verdict:
        """What nft says of the file where it would be loaded; changes nothing. Raises KernelAway."""
        code, words = self._run(["-c", "-f", "-"], ruleset)
        return nft.Verdict("accepted") if code == 0 else nft.Verdict("refused", words)

    def read(self) -> Rendering:
        """What the kernel lets pass by our table, in the rules' own terms. Raises KernelAway."""
        return read_nftables("".join(text_of(family, self._listed(family)) for family in FAMILIES))

    def load(self, ruleset: str) -> bool:
        """Make the kernel hold exactly this file's rules; what it held before is put back when it does not.

        True when connections that only a closed rule had let through were ended too. Raises KernelRefused, KernelAway.
        """
        wanted, held = read_nftables(ruleset), self.read()
        if held == wanted:
            return True
        before = self._saved()
        code, words = self._run(["-f", "-"], ruleset.encode())
        if code != 0:
            raise KernelRefused(words)
        if self.read() != wanted:
            self._run(["-f", "-"], before.encode())
            raise KernelRefused("the kernel holds other rules than those that were loaded")
        return end_connections(held, wanted, self._conntrack)

    def _conntrack(self, arguments: list[str]) -> tuple[int, str]:
        return nft.run([*self.prefix, "conntrack", *arguments], b"", self.tools)

    def _saved(self) -> str:
        """Our tables as a file that brings them back, or takes them away where there are none."""
        parts = []
        for family in FAMILIES:
            parts.append(f"table {family} {TABLE}\ndelete table {family} {TABLE}\n")
            code, words = self._run(["-s", "list", "table", family, TABLE])
            if code == 0:
                parts.append(words + "\n")
            elif _NO_TABLE not in words:
                raise KernelAway(words)
        return "".join(parts)

    def _listed(self, family: str) -> list[dict[str, Any]]:
        code, words = self._run(["-j", "list", "table", family, TABLE])
        if code != 0:
            if _NO_TABLE in words:
                return []
            raise KernelAway(words)
        listing: list[dict[str, Any]] = json.loads(words)["nftables"]
        return listing

    def _run(self, arguments: list[str], content: bytes = b"") -> tuple[int, str]:
        """Nft's status and words: what it prints when all is well, what it complains of otherwise."""
        code, words = nft.run([*self.prefix, "nft", *arguments], content, self.tools)
        if code != 0 and (code < 0 or _away(words)):
            raise KernelAway(words or f"nft ended with status {code}")
        return code, words


def _away(words: str) -> bool:
    """Whether the words are about reaching nft and not about the rules."""
    return any(
        sign in words
        for sign in (
            "Operation not permitted",
            "Permission denied",
            "Cannot open network namespace",
            "password is required",
        )
    )
