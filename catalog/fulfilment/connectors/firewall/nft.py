"""Asking nft itself whether a rendered file would load, without loading it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

TIMEOUT = 30.0
#: Where nft and unshare are looked for; services seldom have sbin on their PATH.
TOOLS = "/usr/sbin:/usr/bin:/sbin:/bin"
#: Chains in one part of a file that is too long to be checked at once.
CHAINS_IN_A_PART = 100
_CHAIN = re.compile(r"    chain (\S+) \{")
_TOO_LONG = "Message too long"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`unchecked` when nft is missing or may not run here; `words` are nft's own, or how it was asked."""

    answer: Literal["accepted", "refused", "unchecked"]
    words: str = ""


def check(ruleset: bytes, tools: str = TOOLS) -> Verdict:
    """What `nft -c` says about this file. Changes nothing, on any host.

    nft needs CAP_NET_ADMIN even to check, so it runs in a network namespace of its own, where this host's tables
    have no say: root may make one, and so may any user on Debian 12 inside a user namespace. Where neither is
    allowed nft runs directly, which needs root. In a user namespace the kernel limits how much one transaction may
    hold (some 300 rules), so a longer file is checked in parts there.
    """
    nft = shutil.which("nft", path=tools)
    if nft is None:
        return Verdict("unchecked", "nft is not installed")
    command = [*_namespace(tools), nft, "-c", "-f", "-"]
    code, words = run(command, ruleset, tools)
    if code == 0:
        return Verdict("accepted")
    if _TOO_LONG in words:
        return _check_parts(command, ruleset.decode(errors="replace"), tools)
    if "Operation not permitted" in words:
        return Verdict("unchecked", "nft may not run here: it needs namespaces or root")
    return Verdict("refused", words or f"nft ended with status {code}")


def _namespace(tools: str) -> list[str]:
    unshare = shutil.which("unshare", path=tools)
    if unshare is None:
        return []
    ways = [["--net"]] if os.geteuid() == 0 else []
    for way in [*ways, ["--user", "--map-root-user", "--net"]]:
        if run([unshare, *way, "true"], b"", tools)[0] == 0:
            return [unshare, *way]
    return []


def _check_parts(command: list[str], text: str, tools: str) -> Verdict:
    count = 0
    for part in parts(text, CHAINS_IN_A_PART):
        code, words = run(command, part.encode(), tools)
        if code != 0:
            return Verdict("refused", words or f"nft ended with status {code}")
        count += 1
    return Verdict("accepted", f"in {count} parts")


def parts(text: str, chains: int) -> Iterator[str]:
    """A rendered file as several, each with at most so many of its chains and the jumps to them."""
    head, _, _ = text.partition("{")
    head = head[: head.rindex("\n") + 1]
    table, names, blocks, block = "", list[str](), dict[str, list[str]](), list[str]()
    for line in text.splitlines()[head.count("\n") :]:
        chain = _CHAIN.fullmatch(line)
        if line.startswith("table "):
            table, blocks = line, {}
        elif chain is not None:
            block = blocks.setdefault(chain[1], [])
            block.append(line)
        elif line == "}":
            # The last chain is the base chain: the only one with jumps, to each of the others.
            base = blocks.popitem()[1]
            names = list(blocks)
            for start in range(0, len(names), chains):
                some = names[start : start + chains]
                kept = [each for each in base if not _jumps_elsewhere(each, some)]
                body = [*(each for name in some for each in blocks[name]), *kept]
                yield head + "\n".join([table, *body, "}"]) + "\n"
        elif block:
            block.append(line)


def _jumps_elsewhere(line: str, names: list[str]) -> bool:
    target = line.strip().removeprefix("jump ")
    return target != line.strip() and target not in names


def run(command: list[str], content: bytes, tools: str = TOOLS) -> tuple[int, str]:
    """The status and what was printed: on failure the complaint, cut to 1,000 characters. Status -1 is no answer."""
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
    except OSError as error:
        return -1, f"{command[0]} could not be started: {error.strerror}"
    if done.returncode == 0:
        return 0, done.stdout.decode(errors="replace")
    return done.returncode, done.stderr.decode(errors="replace").strip()[:1_000]
