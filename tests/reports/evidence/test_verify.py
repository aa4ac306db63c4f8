"""Verifying evidence of every kind of outcome, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.evidence import make
from reports.evidence.document import Evidence
from reports.evidence.verify import Trusted, verify_file
from tests.reports.conftest import EvidenceWorld
from tests.reports.verifier.twice import read_twice

OUTCOMES: dict[str, tuple[Callable[[EvidenceWorld], str], str]] = {
    "fulfilled": (EvidenceWorld.fulfilled, "was carried out unchanged"),
    "rejected": (EvidenceWorld.rejected, "Olga Owner denied this request"),
    "withdrawn": (EvidenceWorld.withdrawn, "The requester withdrew this request"),
    "failed": (EvidenceWorld.failed, "what had been carried out was undone"),
    "replanned": (EvidenceWorld.replanned, "was carried out unchanged"),
    "edited": (EvidenceWorld.edited, "was carried out unchanged"),
    "ended": (EvidenceWorld.ended, "It has ended since."),
    "half there": (EvidenceWorld.half_there, "was carried out unchanged"),
    "by policy": (EvidenceWorld.by_policy, "What the published offering “Words on shelves” itself approves"),
    "refused": (EvidenceWorld.refused, "The portal refused this request"),
    "waiting": (EvidenceWorld.waiting, "was not finished by 23 November 2026; nothing was carried out."),
}


@pytest.mark.on_sqlite
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_evidence_of_every_outcome_holds_and_claims_it(world: EvidenceWorld, outcome: str) -> None:
    play, claim = OUTCOMES[outcome]
    file = world.file(play(world))
    result = verify_file(file, trusted=Trusted.of([world.bench.signer.verifier]))
    assert [check.line for check in result.checks if check.holds is not True] == []
    assert result.proven
    assert claim in result.claim
    # So say the two files that bundles carry; that nothing else stands on the pages they leave open.
    single = read_twice(file.read_bytes(), world.bench.signer.verifier)
    assert [name for name, holds, _ in single.checks if holds is not True] == ["pages", "further"]
    assert single.proven


DEVIATIONS: dict[str, tuple[Callable[[EvidenceWorld], str], list[str]]] = {
    "failed": (
        EvidenceWorld.failed,
        ["was carried out and undone", "failed: The rack refuses blue words", "ended early"],
    ),
    "replanned": (
        EvidenceWorld.replanned,
        ["sealed 2 times", "became void", "no longer as sealed", "stopped"],
    ),
    "edited": (EvidenceWorld.edited, ["sealed 2 times", "became void: The requester changed the answers."]),
    "half there": (EvidenceWorld.half_there, ["already had this effect"]),
    "by policy": (EvidenceWorld.by_policy, ["No approval stage applied"]),
    "waiting": (EvidenceWorld.waiting, ["is overdue by", "was not fulfilled by the promised time"]),
    "rejected": (EvidenceWorld.rejected, []),
}


@pytest.mark.parametrize("outcome", DEVIATIONS)
def test_what_did_not_go_as_planned_is_said(world: EvidenceWorld, outcome: str) -> None:
    play, wanted = DEVIATIONS[outcome]
    said = evidence_of(world, play(world)).deviations
    assert len(said) >= len(wanted)
    assert bool(said) == bool(wanted)
    for words in wanted:
        assert any(words in sentence for sentence in said), words


def evidence_of(world: EvidenceWorld, reference: str) -> Evidence:
    """The document without its pages, which take longer: how facts are read is the same on both databases."""
    evidence, _ = make._gather_now(world.bench, reference, world.key)
    return evidence
