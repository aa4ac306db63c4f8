"""What a bundle carries, both files of it: verify.py and, where that finds nothing wrong, the second reading beside it."""

from __future__ import annotations

from typing import Any

from reports.verifier import recount, verify
from reports.verifier.verify import Result, Trusted


def read_twice(content: bytes, *keys: str) -> Result:
    """A PDF of evidence, by both."""
    result, trusted = Result("file.pdf"), Trusted.of(keys)
    verify.check_pdf(content, trusted, result)
    if result.holds:
        recount.check_pdf(content, result)
    return result


def wrong_at_first(told: dict[str, Any]) -> list[str]:
    """What verify.py finds wrong with one request's facts, without their pages and proofs."""
    evidence = verify.Evidence(told)
    rules = (
        verify.offering_problems,
        verify.entry_problems,
        verify.seal_problems,
        verify.decision_problems,
        verify.step_problems,
        verify.signature_problems,
    )
    return [problem for rule in rules for problem in rule(evidence)]


def wrong_in_the_end(told: dict[str, Any]) -> list[str]:
    """What the second reading finds wrong with them."""
    story = recount.Story(told)
    return [problem for rule in recount.CHECKS.values() for problem in rule(story)]
