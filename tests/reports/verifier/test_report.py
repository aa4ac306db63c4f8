"""An insider with every key may sign other facts: whatever of an audit is edited disagrees with the ledger, or with itself."""

from __future__ import annotations

import base64
import copy
import html
import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import TypeAdapter, ValidationError

from portal.audit.notes import read_head, sign_head, verifier_key
from reports.audits.document import SCHEMA_FILE, Rule, read_audit
from reports.audits.html import pages_of
from reports.audits.pages.cover import claim_of
from reports.audits.pages.words import KINDS, PROMISES
from reports.audits.sampling import sample_size
from reports.evidence.verify import story
from reports.evidence.words import STATES
from reports.verifier import recount
from reports.verifier import verify as single
from reports.verifier.recount import Recount, control_problems
from reports.verifier.verify import (
    Opened,
    Pdf,
    Result,
    Signed,
    Trusted,
    check_ledger,
    check_report,
    run_check,
)
from tests.reports.audits.sections.told import told as made_up
from tests.reports.verifier.conftest import GenuineBundle

Told = dict[str, Any]


def judged(bundle: GenuineBundle, told: Told, *keys: str) -> set[str]:
    """The checks that fail for these facts beside the genuine ledger and pages."""
    result = Result("edited")
    opened = Opened(
        Signed(b"", None), Pdf(bundle.members["report.pdf"]), "audit.json", told, {"audit.json": b""}
    )
    check_report(opened, Trusted.of(keys), result)
    lines = bundle.members["ledger.jsonl"].splitlines()
    run_check("ledger", lambda: check_ledger(lines, told, {}, result), result)
    recount = Recount(told)
    recount.read(lines)
    for name in ("rows", "duties"):
        result.judge(name, name, getattr(recount, name)())
    result.judge("controls", "controls", control_problems(told))
    return {name for name, holds, _ in result.checks if holds is False} - {"pages", "certificate"}


def row(told: Told, number: int = 0) -> Told:
    found: Told = told["population"]["rows"][number]
    return found


def settled(told: Told) -> None:
    """As an insider would: count, digest, completeness and sample made to fit the rows again."""
    rows = told["population"]["rows"]
    told["population"].update(count=len(rows), digest=single.digest(rows))
    sample = told["sample"]
    seed = bytes.fromhex(sample["seed"])
    ranked = sorted(
        (one["reference"] for one in rows),
        key=lambda one: single.hashlib.sha256(seed + one.encode()).digest(),
    )
    sample.update(size=min(2, len(rows)), references=ranked[:2])


def left_out(told: Told) -> None:
    told["population"]["rows"].pop(1)
    settled(told)


def left_out_as_outside_of_the_filter(told: Told) -> None:
    left_out(told)
    told["completeness"]["outside_filter"] += 1


def with_a_shorter_period(told: Told) -> None:
    told["query"].update(first_day="2026-11-19")


def drawn_by_another_word(told: Told) -> None:
    nonce = "the insider's"
    seed = single.hashlib.sha256(base64.b64decode(told["sample"]["root"]) + nonce.encode()).digest()
    told["sample"].update(nonce=nonce, seed=seed.hex())
    settled(told)


def ordered(told: Told) -> Told:
    return next(entry for entry in told["ledger"]["entries"] if entry["body"]["tag"] == "audit:ordered")


EDITS: dict[str, tuple[Callable[[Told], object], set[str]]] = {
    "a request left out": (left_out, {"sample", "completeness"}),
    "one left out as outside of the filter": (left_out_as_outside_of_the_filter, {"sample", "completeness"}),
    "one invented": (
        lambda t: (t["population"]["rows"].append({**row(t), "reference": "SR-000099"}), settled(t)),
        {"sample", "completeness"},
    ),
    "two rows exchanged": (lambda t: t["population"]["rows"].reverse(), {"population"}),
    "another count": (lambda t: t["population"].update(count=7), {"population", "sample"}),
    "another state": (lambda t: (row(t, 1).update(state="fulfilled"), settled(t)), {"sample", "rows"}),
    "another requester": (
        lambda t: (row(t).update(requester="person:4"), settled(t)),
        {"sample", "completeness", "duties"},
    ),
    "another kind": (lambda t: (row(t).update(kind="standard"), settled(t)), {"sample", "rows"}),
    "another beneficiary": (
        lambda t: (row(t).update(beneficiary="person:5"), settled(t)),
        {"sample", "rows"},
    ),
    "an approval more": (lambda t: (row(t).update(approvals=9), settled(t)), {"sample", "rows"}),
    "no denial": (lambda t: (row(t, 1).update(denials=0), settled(t)), {"sample", "rows"}),
    "fulfilled earlier": (
        lambda t: (row(t).update(fulfilled_at="2026-11-18T08:00:00+00:00"), settled(t)),
        {"sample", "rows"},
    ),
    "decided at another time": (
        lambda t: (row(t).update(decided_at="2026-11-18T08:00:00+00:00"), settled(t)),
        {"sample", "rows"},
    ),
    "a promise kept that was not": (
        lambda t: (row(t, 4).update(promise="kept"), settled(t)),
        {"sample", "rows"},
    ),
    "another seal": (lambda t: (row(t).update(seal="sha256:" + "0" * 64), settled(t)), {"sample", "rows"}),
    "other controls": (
        lambda t: (row(t).update(controls=["SOC 2 TSC 2017 CC9.9"]), settled(t)),
        {"controls", "sample"},
    ),
    "another sample": (lambda t: t["sample"]["references"].reverse(), {"sample"}),
    "a smaller sample": (
        lambda t: t["sample"].update(size=1, references=t["sample"]["references"][:1]),
        {"sample"},
    ),
    "another seed": (lambda t: t["sample"].update(seed="0" * 64), {"sample"}),
    "another word": (drawn_by_another_word, {"sample"}),
    "an earlier draw kept back": (lambda t: t["sample"].update(draw=1, earlier=[]), {"sample"}),
    "another root": (lambda t: t["sample"].update(root=base64.b64encode(b"0" * 32).decode()), {"sample"}),
    "another rule": (lambda t: t["sample"].update(rule={"kind": "fixed", "size": 3}), {"query", "sample"}),
    "another period": (with_a_shorter_period, {"query"}),
    "a period that is not over": (
        lambda t: t["query"].update(until="2027-01-01T00:00:00+00:00"),
        {"query"},
    ),
    "units that were not asked for": (
        lambda t: t["query"].update(units=["nowhere"]),
        {"completeness", "query"},
    ),
    "a submission more": (lambda t: t["completeness"].update(submissions=6), {"completeness"}),
    "an earlier reference": (lambda t: t["completeness"].update(previous="SR-000007"), {"completeness"}),
    "an entry edited": (lambda t: ordered(t)["body"].update(at="2026-12-01T00:00:00+00:00"), {"inclusion"}),
    "the order left out": (lambda t: t["ledger"]["entries"].remove(ordered(t)), {"query"}),
    "the counting left out": (
        lambda t: t["ledger"].update(
            entries=[e for e in t["ledger"]["entries"] if e["body"]["tag"] != "audit:counted"]
        ),
        {"sample"},
    ),
    "no consistency": (lambda t: t["ledger"]["consistency"].update(after_made=[]), {"consistency"}),
    "an edge that is none": (
        lambda t: t["ledger"]["before"].update(edge=["AAAA"] * 40),
        {"checkpoint", "ledger"},
    ),
    "another size": (lambda t: t["ledger"]["after"].update(size=3), {"checkpoint", "query"}),
    "lines said to be withheld": (lambda t: t.update(withheld=3), {"completeness"}),
}


@pytest.mark.parametrize("what", EDITS)
def test_facts_that_were_edited_are_found(bundle: GenuineBundle, what: str) -> None:
    told = json.loads(bundle.members["audit.json"])
    assert judged(bundle, copy.deepcopy(told)) == set()
    edit, wanted = EDITS[what]
    edit(told)
    assert judged(bundle, told) == wanted


def test_a_true_key_that_is_only_listed_proves_nothing(bundle: GenuineBundle) -> None:
    """A forger signs with a key of their own and puts the ledger's public key beside it."""
    told = json.loads(bundle.members["audit.json"])
    key = Ed25519PrivateKey.generate()
    name = told["ledger"]["origin"]
    for part in ("after", "made"):
        head = read_head(told["ledger"][part]["checkpoint"])
        told["ledger"][part]["checkpoint"] = sign_head(head, name, key)
    # The chain of keys that leads to the true one would only be in the way.
    listed = [verifier_key(name, key.public_key()), *told["ledger"]["verifiers"]]
    told["ledger"].update(verifiers=listed, rotations=[])
    assert judged(bundle, told) == set()
    assert judged(bundle, told, bundle.verifier) == {"ledger-key"}


@pytest.mark.parametrize("count", [0, 1, 19, 59, 60, 400, 10_000])
@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "fixed", "size": 25},
        {"kind": "percent", "percent": "10", "least": 5, "most": 60},
        {"kind": "percent", "percent": "0.1", "least": 1, "most": 60},
        {"kind": "attribute", "confidence": "0.95", "tolerable": "0.05"},
        {"kind": "attribute", "confidence": "0.99", "tolerable": "0.001"},
    ],
    ids=str,
)
def test_the_size_of_a_sample_is_the_portals(rule: Told, count: int) -> None:
    assert single.sample_size(rule, count) == sample_size(TypeAdapter(Rule).validate_python(rule), count)


def test_the_words_that_it_looks_for_are_those_that_the_pages_use() -> None:
    assert recount.PROMISES == PROMISES
    assert {code: single.WORDS[code] for code in STATES} == STATES
    assert {code: code.capitalize() for code in KINDS} == KINDS
    assert recount.STATES == story._STATES


def test_a_row_of_another_language_names_once_who_asked_for_themselves() -> None:
    audit = made_up(language="de")
    assert any(row.requester == row.beneficiary for row in audit.population.rows)
    register = html.unescape(re.sub(r"<[^>]*>", "", list(pages_of(audit))[-1]))
    opened = Opened(
        Signed(b"", None),
        cast("Pdf", SimpleNamespace(language="de")),
        "audit.json",
        audit.model_dump(mode="json"),
        {"audit.json": b""},
    )
    values = list(recount.report_values(opened))
    rows = values[values.index(f"{audit.sample.seed}") + 1 + 4 * audit.sample.size :]
    assert len(rows) >= 3 * audit.population.count
    assert list(recount.values_missing([single.compact(register)], rows)) == []


def test_in_another_language_the_second_reading_looks_for_seals_and_files_of_the_sample() -> None:
    audit = made_up(language="de")
    pages = single.compact(html.unescape(re.sub(r"<[^>]*>", "", "".join(pages_of(audit)))))
    told = audit.model_dump(mode="json")
    opened = Opened(
        Signed(b"", None),
        cast("Pdf", SimpleNamespace(language="de")),
        "audit.json",
        told,
        {"audit.json": audit.to_json()},
    )
    drawn = {row["reference"]: row for row in told["population"]["rows"]}[told["sample"]["references"][0]]
    assert list(recount.values_missing([pages], recount.report_values(opened))) == []
    drawn["seal"] = f"sha256:{0:064}"
    assert list(recount.values_missing([pages], recount.report_values(opened))) == [f"{0:064}"]


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_population_of_any_size_is_looked_for_in_the_words_of_the_pages(
    bundle: GenuineBundle, count: int
) -> None:
    """One is no plural, and of none nothing is listed."""
    told = json.loads(bundle.members["audit.json"])
    told["population"].update(rows=told["population"]["rows"][:count], count=count)
    told["sample"].update(references=[], size=0)
    opened = Opened(
        Signed(b"", None), Pdf(bundle.members["report.pdf"]), "audit.json", told, {"audit.json": b""}
    )
    said = claim_of(read_audit(json.dumps(told).encode()), {}).sentence
    (looked_for,) = [
        value for value in recount.report_values(opened) if "in scope w" in value or "in scope t" in value
    ]
    assert looked_for in said


def test_on_pages_of_another_language_who_asks_for_themselves_is_named_once(bundle: GenuineBundle) -> None:
    told = json.loads(bundle.members["audit.json"])
    pdf = Pdf(bundle.members["report.pdf"])
    pdf.language = "de"
    opened = Opened(Signed(b"", None), pdf, "audit.json", told, {"audit.json": b""})
    one, other = row(told, 0), row(told, 1)
    one["beneficiary"] = one["requester"]
    other["beneficiary"] = next(who for who in told["people"] if who != other["requester"])
    values = list(recount.report_values(opened))
    for which, people in ((one, {one["requester"]}), (other, {other["requester"], other["beneficiary"]})):
        begins = next(
            at for at, value in enumerate(values) if value.startswith(f"{which['reference']}{which['entry']}")
        )
        ends = begins + 1 + len(people)
        assert set(values[begins + 1 : ends]) == {told["people"][person]["name"] for person in people}
        assert values[ends] == f"{which['approvals']} / {which['denials']}"


def test_the_small_validator_agrees_with_the_one_that_made_the_schema(bundle: GenuineBundle) -> None:
    schema = json.loads(SCHEMA_FILE.read_bytes())
    told = json.loads(bundle.members["audit.json"])
    assert single.schema_problem(told, schema) == ""
    bends: list[Callable[[Told], object]] = [
        lambda t: t.update(extra=1),
        lambda t: t.pop("as_of"),
        lambda t: t.update(as_of="2026-11-18 09:00"),
        lambda t: t.update(as_of=t["as_of"] + "\n"),
        lambda t: t.update(reference="AR-1"),
        lambda t: t["query"].update(first_day="20261101"),
        lambda t: t.update(disclosure="some"),
        lambda t: t.update(withheld=-1),
        lambda t: t.update(withheld=True),
        lambda t: t.update(withheld="0"),
        lambda t: row(t).update(entry=0),
        lambda t: row(t).update(state=None),
        lambda t: row(t).update(closed_at=3),
        lambda t: row(t).update(controls="x"),
        lambda t: t["sample"].update(rule={"kind": "fixed"}),
        lambda t: t["sample"].update(rule={"kind": "other", "size": 1}),
        lambda t: t["sample"].update(nonce="abc"),
        lambda t: t["ledger"].update(verifiers=[]),
        lambda t: t["population"].update(rows={}),
    ]
    for number, bend in enumerate(bends):
        other = copy.deepcopy(told)
        bend(other)
        assert single.schema_problem(other, schema), number
        with pytest.raises(ValidationError):
            read_audit(json.dumps(other).encode())
