"""What was checked: one line each, and the verdict that follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SIGNS = {True: "✓", False: "✗", None: "?"}


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `holds` is None where it could not be told, or proves nothing without a key to compare."""

    name: str
    holds: bool | None
    sentence: str

    @property
    def line(self) -> str:
        """As it is printed."""
        return f"{SIGNS[self.holds]} {self.sentence}"


@dataclass(slots=True)
class Verification:
    """Everything that was checked in one file."""

    file: str
    reference: str = ""
    claim: str = ""
    checks: list[Check] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing that could be checked fails. It says nothing of who signed: see `proven`."""
        return bool(self.checks) and all(check.holds is not False for check in self.checks)

    @property
    def proven(self) -> bool:
        """Whether it holds and the signer is the one whose key was given."""
        return self.holds and any(check.name == "ledger-key" and check.holds for check in self.checks)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if not self.holds:
            return "This file does not hold. Do not rely on it."
        if not self.proven:
            return (
                "Everything that can be checked holds, but who signed it remains unproved: compare the fingerprints "
                "with those that you were given by another way, or give the ledger's key with --key."
            )
        return "Everything holds, and the ledger's key is the one that you gave."

    def good(self, name: str, sentence: str) -> None:
        """Something holds."""
        self.checks.append(Check(name, True, sentence))  # noqa: FBT003

    def bad(self, name: str, sentence: str) -> None:
        """Something does not hold."""
        self.checks.append(Check(name, False, sentence))  # noqa: FBT003

    def open(self, name: str, sentence: str) -> None:
        """Something cannot be told."""
        self.checks.append(Check(name, None, sentence))

    def judge(self, name: str, sentence: str, problems: Iterable[str]) -> bool:
        """The sentence holds unless there are problems; then each of them is said instead."""
        found = list(dict.fromkeys(problems))
        for problem in found:
            self.bad(name, problem)
        if not found:
            self.good(name, sentence)
        return not found

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "file": self.file,
            "reference": self.reference,
            "claim": self.claim,
            "holds": self.holds,
            "proven": self.proven,
            "verdict": self.verdict,
            "checks": [
                {"name": check.name, "holds": check.holds, "sentence": check.sentence}
                for check in self.checks
            ],
        }
