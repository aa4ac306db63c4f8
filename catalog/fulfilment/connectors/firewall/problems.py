"""What is wrong with a firewall rule, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from portal.core.language import every_language, spoken


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a rule; the message is in every language where `say` made it.

    `stop` refuses it; `wide` refuses it unless the offering sends it past one more approver.
    """

    field: str
    message: str
    severity: Literal["stop", "wide"] = "stop"


class RuleError(ValueError):
    """These answers make no rule; `problems` says why, field by field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.message = every_language(lambda: " ".join(str(spoken(problem.message)) for problem in problems))
        super().__init__(str(self.message))
        self.problems = tuple(problems)
