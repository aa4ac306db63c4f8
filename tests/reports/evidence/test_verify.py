"""Verifying evidence of every kind of outcome, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.evidence.verify import Trusted, verify_file
from tests.reports.conftest import EvidenceWorld

OUTCOMES: dict[str, tuple[Callable[[EvidenceWorld], str], str]] = {
    "fulfilled": (EvidenceWorld.fulfilled, "was carried out unchanged"),
    "rejected": (EvidenceWorld.rejected, "Olga Owner denied this request"),
    "withdrawn": (EvidenceWorld.withdrawn, "The requester withdrew this request"),
    "failed": (EvidenceWorld.failed, "what had been carried out was undone"),
    "replanned": (EvidenceWorld.replanned, "was carried out unchanged"),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_evidence_of_every_outcome_holds_and_claims_it(world: EvidenceWorld, outcome: str) -> None:
    play, claim = OUTCOMES[outcome]
    file = world.file(play(world))
    result = verify_file(file, trusted=Trusted.of([world.bench.signer.verifier]))
    assert [check.line for check in result.checks if check.holds is not True] == []
    assert result.proven
    assert claim in result.claim
