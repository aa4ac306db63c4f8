"""Looking at the targets themselves: the directory, the certificate, the firewall's repository."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import requests

from catalog.fulfilment.connectors.firewall.nft import check
from portal.core.settings import Settings
from portal.demo.visitor import TIMEOUT_SECONDS, StoryFailed

RUN_SECONDS = 30


def has_role(settings: Settings, user_name: str, role: str) -> bool:
    """Whether the directory has the person in the group of this name now."""
    user = _find(settings, "Users", f'userName eq "{user_name}"')
    group = _find(settings, "Groups", f'displayName eq "{role}"')
    if user is None or group is None:
        return False
    return any(member.get("value") == user["id"] for member in group.get("members", []))


def verify_certificate(folder: Path, root: bytes, certificate: bytes, chain: bytes) -> str:
    """What `openssl verify` says. Raises StoryFailed when it does not accept the certificate."""
    (folder / "root.pem").write_bytes(root)
    (folder / "chain.pem").write_bytes(chain)
    (folder / "certificate.pem").write_bytes(certificate)
    return run(
        "openssl", "verify", "-x509_strict", "-purpose", "sslserver",
        "-CAfile", str(folder / "root.pem"), "-untrusted", str(folder / "chain.pem"), str(folder / "certificate.pem"),
    )  # fmt: skip


def commit_of(settings: Settings, reference: str) -> str:
    """The one commit that carries the reference, as git shows it. Raises StoryFailed."""
    repository = str(settings.firewall_repository)
    found = run(
        "git", "-C", repository, "log", "--all", "--format=%H %s", f"--grep=^Request: {reference}$"
    ).splitlines()
    if len(found) != 1:
        message = f"The firewall's repository has {len(found)} commits with {reference}, not one"
        raise StoryFailed(message)
    return found[0]


def check_nftables(settings: Settings, folder: Path) -> None:
    """`nft -c` must accept the rendered policy. Raises StoryFailed."""
    rendered = run("git", "-C", str(settings.firewall_repository), "show", "HEAD:rendered/edge.nft")
    (folder / "edge.nft").write_text(rendered, encoding="utf-8")
    verdict = check(rendered.encode())
    if verdict.answer != "accepted":
        message = f"nft -c: {verdict.answer}: {verdict.words}"
        raise StoryFailed(message)


def run(*command: str) -> str:
    """What the program prints. Raises StoryFailed with its own words when it fails or is missing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    except FileNotFoundError as error:
        message = f"{command[0]} is not installed"
        raise StoryFailed(message) from error
    if done.returncode:
        message = f"{' '.join(command[:2])} failed: {(done.stderr or done.stdout).strip()}"
        raise StoryFailed(message)
    return done.stdout.strip()


def _find(settings: Settings, kind: str, query: str) -> dict[str, Any] | None:
    answer = requests.get(
        f"{settings.scim_url}/{kind}",
        params={"filter": query},
        headers={"Authorization": f"Bearer {settings.scim_token}"},
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    found = answer.json().get("Resources", [])
    return found[0] if found else None
