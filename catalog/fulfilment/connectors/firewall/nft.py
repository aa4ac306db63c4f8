"""Asking nft itself whether a rendered file would load, without loading it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import Literal

TIMEOUT = 30.0
#: Where nft and unshare are looked for; services seldom have sbin on their PATH.
TOOLS = "/usr/sbin:/usr/bin:/sbin:/bin"
_NAMESPACE = ("--user", "--map-root-user", "--net")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`unchecked` when nft is missing or may not run here; `words` are nft's own, or why it was not asked."""

    answer: Literal["accepted", "refused", "unchecked"]
    words: str


def check(ruleset: bytes, tools: str = TOOLS) -> Verdict:
    """What `nft -c` says about this file. Changes nothing, on any host.

    nft needs CAP_NET_ADMIN even to check, so it runs in a user and network namespace of its own: any user may
    make one on Debian 12, and the host's own tables, empty there, have no say. Where namespaces are not allowed
    it runs directly, which needs root.
    """
    nft = shutil.which("nft", path=tools)
    if nft is None:
        return Verdict("unchecked", "nft is not installed")
    unshare = shutil.which("unshare", path=tools)
    if unshare is not None and _run([unshare, *_NAMESPACE, "true"], b"", tools)[0] == 0:
        command = [unshare, *_NAMESPACE, nft, "-c", "-f", "-"]
    else:
        command = [nft, "-c", "-f", "-"]
    code, words = _run(command, ruleset, tools)
    if code == 0:
        return Verdict("accepted", "")
    if "Operation not permitted" in words:
        return Verdict("unchecked", "nft may not run here: it needs namespaces or root")
    return Verdict("refused", words or f"nft ended with status {code}")


def _run(command: list[str], content: bytes, tools: str) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command,
            input=content,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            env={"PATH": tools, "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        return -1, f"nft did not answer within {TIMEOUT:.0f} s"
    return done.returncode, done.stderr.decode(errors="replace").strip()[:1_000]
