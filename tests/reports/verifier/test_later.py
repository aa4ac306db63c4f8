"""What happened between the head of the count and the making of the report: told, in its time, and nothing beside it."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import Any

import pytest

from reports.verifier import recount
from reports.verifier import verify as single
from reports.verifier.verify import EMPTY_ROOT, Edge, PeriodLedger, leaf_hash, moment
from tests.reports.verifier.conftest import GenuineBundle
from tests.reports.verifier.test_report import judged

Told = dict[str, Any]


@pytest.fixture
def told(bundle: GenuineBundle) -> Told:
    found: Told = json.loads(bundle.members["audit.json"])
    return found


def later(told: Told) -> list[Told]:
    """The entries after the head of the count."""
    return [one for one in told["ledger"]["entries"] if one["number"] > told["ledger"]["after"]["size"]]


def test_entries_between_the_count_and_the_report_are_held_to_the_reports_time(
    bundle: GenuineBundle, told: Told
) -> None:
    """The words of both draws, and the keys that were changed in between: later than the facts, and no fault of theirs."""
    between = [
        one["body"]["tag"]
        for one in later(told)
        if moment(told["as_of"]) < moment(one["body"]["at"]) <= moment(told["made_at"])
    ]
    assert {"ledger:key-rotated", "evidence:key-introduced"} <= set(between)
    assert [one["body"]["tag"] for one in later(told)].count("audit:nonce-given") == 2
    assert judged(bundle, copy.deepcopy(told)) == set()
    told["made_at"] = told["as_of"]
    assert "order" in judged(bundle, told)


def test_an_entry_with_a_time_after_the_report_is_found_although_the_ledger_has_it(
    bundle: GenuineBundle, told: Told
) -> None:
    """Its proof holds: whoever writes the ledger wrote it so, with a clock that ran ahead or a report dated back."""
    head, bodies = ledger_with(told, moment(told["made_at"]) + timedelta(seconds=1))
    found = single.Result("later")
    single.check_entries(bodies, head, told["made_at"], lambda _: True, found)
    assert [(name, sentence) for name, holds, sentence in found.checks if holds is False] == [
        ("order", f"Entry {head.size} is later than the time of which the file speaks.")
    ]
    head, bodies = ledger_with(told, moment(told["made_at"]))
    found = single.Result("in time")
    single.check_entries(bodies, head, told["made_at"], lambda _: True, found)
    assert found.holds


def ledger_with(told: Told, at: Any) -> tuple[single.Head, list[Told]]:
    """A ledger whose only entry says this time, and that entry as a report would carry it."""
    body = {"number": 1, "at": at.isoformat(), "tag": "audit:counted", "subject": "audit:AR-000001"}
    leaf = leaf_hash(single.canonical(body))
    edge = Edge(0, [])
    assert edge.root() == EMPTY_ROOT
    edge.append(leaf)
    head = single.Head(told["ledger"]["origin"], 1, edge.root())
    return head, [{"number": 1, "body": body, "personal": {}, "inclusion": []}]


def test_what_comes_after_the_count_is_in_no_row_and_in_no_line_of_the_ledger(
    bundle: GenuineBundle, told: Told
) -> None:
    """A submission that was written after the head of the count is of a later audit, whatever time it says."""
    numbers = [json.loads(line)["number"] for line in bundle.members["ledger.jsonl"].splitlines()]
    before, after = told["ledger"]["before"]["size"], told["ledger"]["after"]["size"]
    assert numbers == list(range(before + 1, after + 1))
    assert max(row["entry"] for row in told["population"]["rows"]) <= after < told["ledger"]["made"]["size"]
    more = {
        "number": after + 1,
        "at": told["as_of"],
        "tag": "request:submitted",
        "subject": "request:SR-000006",
    }
    with pytest.raises(single.Wrong, match="ends at entry"):
        PeriodLedger(told).read(
            [*bundle.members["ledger.jsonl"].splitlines(), single.canonical(more | {"actor": "person:1"})]
        )


def test_evidence_of_after_the_count_may_know_more_than_the_row(bundle: GenuineBundle, told: Told) -> None:
    """A request that went on after the head of the count: its row tells how it stood then, its evidence how it stands now."""
    reference = told["sample"]["references"][-1]
    (row,) = [row for row in told["population"]["rows"] if row["reference"] == reference]
    assert row["state"] == "rejected"
    evidence = {
        "reference": reference,
        "as_of": told["made_at"],
        "request": {"state": "withdrawn", "requester": row["requester"], "submitted_at": row["submitted_at"]},
        "offering": {"digest": row["offering_digest"]},
        "controls": {},
        "ledger": {**told["ledger"]["made"], "origin": told["ledger"]["origin"], "verifier": bundle.verifier},
    }
    for control in row["controls"]:
        framework, _, one = control.rpartition(" ")
        evidence["controls"].setdefault(framework, []).append(one)

    evidence["ledger"]["entries"] = []
    assert list(PeriodLedger(told).evidence_problems(reference, evidence)) == []
    assert list(recount.evidence_problems(row, evidence, told["as_of"])) == []
    assert list(recount.evidence_problems(row, {**evidence, "as_of": told["as_of"]}, told["as_of"])) == [
        f"The evidence of {reference} has another state than the row."
    ]
