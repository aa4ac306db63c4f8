"""Orders and rules that the firewall's tests ask for."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from catalog.fulfilment.connectors.contract import Beneficiary, Order
from catalog.fulfilment.connectors.firewall.checks import rule_from_answers
from catalog.fulfilment.connectors.firewall.rules import Rule

ANNA = Beneficiary("anna.berg", "Anna Berg", "anna.berg@meridian.example")
ENDS = datetime(2027, 1, 31, 16, tzinfo=UTC)
WEB: dict[str, object] = {
    "source_zone": "office",
    "destination_zone": "dmz",
    "source": "10.1.2.0/24",
    "destination": "10.9.0.10/32",
    "protocol": "tcp",
    "ports": "443",
}


def allow(reference: str = "SR-000123", *, ends_at: datetime | None = ENDS, **parameters: object) -> Order:
    """An order to allow web traffic, changed where said."""
    return Order(reference, "allow", WEB | parameters, ANNA, ends_at)


def remove(rule: str, reference: str = "SR-000900") -> Order:
    """An order to remove a request's rule."""
    return Order(reference, "remove", {"rule": rule}, ANNA)


def rule(reference: str = "SR-000123", **answers: object) -> Rule:
    """A rule for web traffic, changed where said."""
    return rule_from_answers(WEB | answers, reference=reference)


def git(repository: Path, *arguments: str) -> str:
    """What git itself says."""
    done = subprocess.run(["git", "-C", repository, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def commits(repository: Path) -> list[str]:
    """The subjects of all commits, the newest first."""
    return git(repository, "log", "--format=%s", "main").splitlines()


def shown(repository: Path, path: str) -> str:
    """A file as the branch has it."""
    return git(repository, "show", f"main:{path}")


def push(repository: Path, elsewhere: Path, path: str, content: str) -> None:
    """Somebody else changes a file in a clone and pushes it."""
    if not elsewhere.exists():
        git(repository.parent, "clone", "-q", str(repository), str(elsewhere))
    git(elsewhere, "pull", "-q", "--ff-only")
    (elsewhere / path).write_text(content)
    git(elsewhere, "add", "--", path)
    author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@meridian.example"]
    git(elsewhere, *author, "commit", "-q", "-m", "By hand")
    git(elsewhere, "push", "-q", "origin", "HEAD:main")
