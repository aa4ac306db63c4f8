"""The story of fulfilment: each step and each thing that became live, as the ledger and as the facts tell it."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.requests import tags
from portal.core.canonical import canonical_json
from reports.evidence.document import EntryPart, Evidence, StepPart, english
from reports.evidence.terms import EntitlementPart
from reports.evidence.verify.entries import Entries, differs, facts, opened, paired, timely

#: As catalog.fulfilment.effects has it; a verifier starts without what needs a database.
BY_HAND = "by-hand"
_APPLIED = frozenset({"applied", "done"})


def carrying_problems(evidence: Evidence, entries: Entries) -> Iterator[str]:
    """A sentence for each disagreement."""
    yield from _started(evidence, entries)
    yield from _applied(evidence, entries)
    yield from _read_back(evidence, entries)
    yield from _undone(evidence, entries)
    yield from _granted(evidence, entries)


def _named(step: StepPart) -> str:
    return f"step {step.position} “{english(step.name)}”"


def _started(evidence: Evidence, entries: Entries) -> Iterator[str]:
    seals = {sealing.seal for sealing in evidence.sealings}
    for entry in entries.tagged(tags.FULFILMENT_STARTED, tags.FULFILLED, tags.FAILED):
        if facts(entry).get("seal") not in seals:
            yield f"Entry {entry.number} tells of work on a seal that the facts leave out."
    first = {tag: min((entry.number for entry in entries.tagged(tag)), default=0) for tag in _ORDER}
    known = [first[tag] for tag in _ORDER if first[tag]]
    if known != sorted(known):
        yield "The entries tell of work that began before it was approved, or ended before it began."


_ORDER = (
    tags.SUBMITTED,
    "request:sealed",
    tags.FULFILMENT_STARTED,
    tags.STEP_APPLIED,
    tags.STEP_READ_BACK,
    tags.FULFILLED,
)


def _applied(evidence: Evidence, entries: Entries) -> Iterator[str]:
    """What is found in place and gone again later is applied a second time, so the last entry of a key counts."""
    latest: dict[str, EntryPart] = {}
    for entry in entries.tagged(tags.STEP_APPLIED):
        latest[str(facts(entry).get("key"))] = entry
    known = {step.key: step for step in evidence.steps}
    for key, entry in latest.items():
        if key not in known:
            yield f"Entry {entry.number} tells of a step that the facts leave out."
    for step in evidence.steps:
        told = latest.get(step.key)
        if told is None:
            if step.state in _APPLIED or step.outcome:
                yield f"No entry of the ledger tells that {_named(step)} was applied."
            continue
        if not step.outcome:
            yield f"Entry {told.number} tells that {_named(step)} was applied, but the facts do not."
            continue
        sealing = next((one for one in evidence.sealings if one.revision == step.revision), None)
        wanted = {
            "step": step.position,
            "connector": step.connector,
            "seal": sealing.seal if sealing else None,
            "found": step.outcome.get("found"),
        }
        yield from differs(told, _named(step), wanted)
        yield from opened(
            told, "outcome", _named(step), canonical_json(step.outcome.get("facts", {})).decode()
        )


def _read_back(evidence: Evidence, entries: Entries) -> Iterator[str]:
    pairs, problems = paired(
        {step.key: step for step in evidence.steps if step.read_back},
        entries.tagged(tags.STEP_READ_BACK),
        lambda entry: str(facts(entry).get("key")),
        lambda step: f"reading back {_named(step)}",
    )
    yield from problems
    for step, entry in pairs:
        yield from differs(entry, _named(step), {"step": step.position})
        yield from opened(
            entry, "read", _named(step), canonical_json(step.read_back.get("facts", {})).decode()
        )
        if step.outcome.get("found") == BY_HAND:
            yield from _by_hand(step, entries)
        elif step.read_back.get("present") is not True:
            yield f"The target did not show what {_named(step)} did."


def _by_hand(step: StepPart, entries: Entries) -> Iterator[str]:
    """What a target need not show was confirmed by a second person, as the ledger tells."""
    told = step.outcome.get("by_hand") or {}
    first, second = told.get("by"), told.get("confirmed_by")
    confirmed = any(
        entry.body.get("actor") == second
        and facts(entry).get("claimed_by") == first
        and (facts(entry).get("step"), facts(entry).get("undone")) == (step.position, False)
        for entry in entries.tagged(tags.BY_HAND_CONFIRMED)
    )
    if not first or first == second or not confirmed:
        yield f"No second person confirmed that {_named(step)} was done by hand."


def _left_behind(evidence: Evidence, entries: Entries) -> Iterator[str]:
    """What could not be undone may have been undone later; the last entry of a key counts."""
    latest = {str(facts(entry).get("key")): entry for entry in entries.tagged(tags.STEP_NOT_REVERTED)}
    for step in evidence.steps:
        entry = latest.pop(step.key, None)
        if entry is None:
            if step.state == "not-reverted":
                yield f"No entry of the ledger tells that {_named(step)} could not be undone."
        elif step.state == "not-reverted":
            yield from opened(entry, "why", _named(step), english(step.error))
        elif step.state not in {"reverted", "undoing"} and "not-reverted" not in step.outcome:
            yield f"Entry {entry.number} tells that {_named(step)} could not be undone, but the facts do not."
    for entry in latest.values():
        yield f"Entry {entry.number} tells of a step that the facts leave out."


def _undone(evidence: Evidence, entries: Entries) -> Iterator[str]:
    failed = [step for step in evidence.steps if step.state == "failed"]
    pairs, problems = paired(
        {step.key: step for step in failed},
        entries.tagged(tags.STEP_FAILED),
        lambda entry: str(facts(entry).get("key")),
        lambda step: f"{_named(step)} failing",
    )
    yield from problems
    for step, entry in pairs:
        yield from opened(entry, "why", _named(step), english(step.error))
    yield from _left_behind(evidence, entries)
    pairs, problems = paired(
        {step.key: step for step in evidence.steps if step.state == "reverted"},
        entries.tagged(tags.STEP_REVERTED),
        lambda entry: str(facts(entry).get("key")),
        lambda step: f"undoing {_named(step)}",
    )
    yield from problems


def _last_moves(entries: Entries) -> dict[int, EntryPart]:
    """By entitlement, the entry that says last when it is to end; only for those whose end was moved."""
    told = entries.tagged(*tags.MOVES_OF_AN_END)
    return {int(facts(entry).get("entitlement", 0)): entry for entry in sorted(told, key=_number)}


def _number(entry: EntryPart) -> int:
    return entry.number


def _granted(evidence: Evidence, entries: Entries) -> Iterator[str]:
    def named(entitlement: EntitlementPart) -> str:
        return f"“{english(entitlement.label)}”"

    steps = {step.key: step for step in evidence.steps}
    known = {entitlement.id: entitlement for entitlement in evidence.entitlements}
    pairs, problems = paired(
        known,
        entries.tagged(tags.ENTITLEMENT_GRANTED),
        lambda entry: int(facts(entry).get("entitlement", 0)),
        named,
    )
    yield from problems
    moved = _last_moves(entries)
    for number in moved:
        if number not in known:
            yield f"Entry {moved[number].number} tells of a moved end of something that the facts leave out."
    for entitlement, entry in pairs:
        step = steps.get(entitlement.step_key)
        wanted = {
            "step": step.position if step else None,
            "connector": entitlement.connector,
            "holder": entitlement.holder,
        }
        yield from differs(entry, named(entitlement), wanted)
        last = moved.get(entitlement.id, entry)
        yield from differs(last, f"the end of {named(entitlement)}", {"ends_at": entitlement.ends_at})
        yield from opened(entry, "key", named(entitlement), entitlement.key)
        yield from timely(entry, named(entitlement), entitlement.granted_at)
    pairs, problems = paired(
        {number: entitlement for number, entitlement in known.items() if entitlement.ended_at},
        entries.tagged(tags.ENTITLEMENT_ENDED),
        lambda entry: int(facts(entry).get("entitlement", 0)),
        lambda entitlement: f"the end of {named(entitlement)}",
    )
    yield from problems
    for entitlement, entry in pairs:
        yield from differs(
            entry, named(entitlement), {"why": english(entitlement.end_reason), "holder": entitlement.holder}
        )
        yield from timely(entry, f"the end of {named(entitlement)}", entitlement.ended_at)
