"""The story: what the facts tell and what the ledger's entries tell must be the same, in both directions."""

from __future__ import annotations

from collections.abc import Iterator

from approvals import tags as approval
from approvals.timing import tags as timing
from catalog.offerings.tags import PUBLISHED
from catalog.requests import tags
from portal.core.canonical import digest
from reports.evidence.document import DecisionPart, Evidence, SealingPart, StagePart, english
from reports.evidence.verify.carrying import carrying_problems
from reports.evidence.verify.entries import Entries, differs, facts, opened, paired, timely
from reports.evidence.verify.erased import record_erased
from reports.evidence.verify.result import Verification

#: The state in which each entry leaves a request.
_STATES = {
    tags.SUBMITTED: "preparing",
    approval.SEALED: "pending",
    approval.APPROVED_BY_POLICY: "scheduled",
    tags.REFUSED: "refused",
    tags.WITHDRAWN: "withdrawn",
    tags.EDITED: "preparing",
    tags.STOPPED: "preparing",
    approval.STAGE_REJECTED: "rejected",
    timing.EXPIRED: "rejected",
    timing.CANCELLED: "rejected",
    tags.FULFILMENT_STARTED: "fulfilling",
    tags.FULFILLED: "fulfilled",
    tags.FAILED: "failed",
    tags.ENDED: "ended",
}


def check_story(evidence: Evidence, result: Verification) -> None:
    """Submitting, sealing, stages, decisions, fulfilment and what became live, entry by entry."""
    entries = Entries(evidence)
    if record_erased(evidence) is not None:
        result.judge(
            "story-approval",
            "The ledger tells the same of every stage and every decision, and of no other.",
            _approval(evidence, entries),
        )
        return
    result.judge(
        "story-request",
        "The ledger tells the same of submitting, of the seals and of the outcome.",
        _request(evidence, entries),
    )
    result.judge(
        "story-approval",
        "The ledger tells the same of every stage and every decision, and of no other.",
        _approval(evidence, entries),
    )
    result.judge(
        "story-fulfilment",
        "The ledger tells the same of every step and of everything that became live, and of nothing else.",
        carrying_problems(evidence, entries),
    )


def _request(evidence: Evidence, entries: Entries) -> Iterator[str]:
    request = evidence.request
    entry = entries.one(tags.SUBMITTED)
    if entry is None or entries.all[0] is not entry:
        yield "The first entry about the request is not its one submission."
        return
    yield from differs(
        entry,
        "the submission",
        {
            "offering": evidence.offering.slug,
            "version": evidence.offering.version,
            "offering_digest": evidence.offering.digest,
            "requester": request.requester,
        },
    )
    yield from timely(entry, "submitting", request.submitted_at)
    edits = entries.tagged(tags.EDITED)
    # What was asked for is in the last edit, where there is one; the end and the answers are under the last seal.
    asked = edits[-1] if edits else entry
    yield from differs(asked, "the request", {"beneficiary": request.beneficiary})
    yield from opened(asked, "title", "the request", english(request.title))
    yield from opened(asked, "reason", "the request", request.reason)
    if not edits:
        yield from differs(entry, "the request", {"ends_at": request.ends_at})
        if evidence.sealings:
            answers = digest(evidence.sealings[-1].document.get("answers"))
            yield from opened(entry, "answers", "the request", answers)
    if request.editor != str(asked.body.get("actor")):
        yield "The ledger names somebody else as the one who wrote the answers last."
    yield from _published(evidence)
    yield from _sealings(evidence, entries)
    yield from _state(evidence, entries)


def _published(evidence: Evidence) -> Iterator[str]:
    wanted = {"version": evidence.offering.version, "digest": evidence.offering.digest}.items()
    actors = {
        str(entry.body.get("actor"))
        for entry in evidence.ledger.entries
        if entry.body.get("tag") == PUBLISHED and wanted <= facts(entry).items()
    }
    if not actors:
        yield "No entry of the ledger tells that this version of the offering was published."
    elif (evidence.offering.publisher or "portal") not in actors:
        yield "The ledger names another publisher of this version of the offering."


def _sealings(evidence: Evidence, entries: Entries) -> Iterator[str]:
    sealings = {sealing.revision: sealing for sealing in evidence.sealings}

    def named(sealing: SealingPart) -> str:
        return f"seal {sealing.revision}"

    pairs, problems = paired(
        sealings, entries.tagged(approval.SEALED), lambda entry: facts(entry).get("revision", 0), named
    )
    yield from problems
    for sealing, entry in pairs:
        slugs = [stage.get("slug") for stage in sealing.document.get("route", [])]
        yield from differs(entry, named(sealing), {"seal": sealing.seal, "stages": slugs})
        yield from timely(entry, named(sealing), sealing.sealed_at)
    pairs, problems = paired(
        sealings, entries.tagged(tags.PREPARED), lambda entry: facts(entry).get("revision", 0), named
    )
    yield from problems
    for sealing, entry in pairs:
        risk, plan = sealing.document.get("risk", {}), sealing.document.get("plan", [])
        if facts(entry).get("risk") != risk.get("level") or facts(entry).get("steps") != len(plan):
            yield f"Entry {entry.number} tells another risk or number of steps of seal {sealing.revision}."


def _state(evidence: Evidence, entries: Entries) -> Iterator[str]:
    state = "preparing"
    for entry in entries.all:
        tag = str(entry.body.get("tag"))
        if tag == tags.RETRIED and "task" not in facts(entry):
            state = "scheduled"
        state = _STATES.get(tag, state)
        if state == "pending" and _all_approved(evidence, entries, entry.number):
            state = "scheduled"
    if state != evidence.request.state:
        yield f"The ledger's last word is “{state}”, but the facts state “{evidence.request.state}”."
    for tag, moment in (
        (tags.FULFILLED, evidence.request.fulfilled_at),
        (tags.WITHDRAWN, evidence.request.closed_at),
    ):
        found = entries.tagged(tag)
        if found:
            yield from timely(found[-1], "its end", moment)
        elif tag == tags.FULFILLED and moment:
            yield "No entry of the ledger tells that the request was fulfilled."


def _all_approved(evidence: Evidence, entries: Entries, until: int) -> bool:
    stages = {stage.slug for stage in evidence.stages if stage.revision == evidence.request.revision}
    approved = {
        facts(entry).get("stage")
        for entry in entries.tagged(approval.STAGE_APPROVED)
        if facts(entry).get("revision") == evidence.request.revision and entry.number <= until
    }
    return bool(stages) and stages == approved


def _approval(evidence: Evidence, entries: Entries) -> Iterator[str]:
    yield from _decisions(evidence, entries)
    seals = {sealing.revision: sealing.seal for sealing in evidence.sealings}
    for tag, wanted in (
        (approval.STAGE_OPENED, [stage for stage in evidence.stages if stage.opened_at]),
        (approval.STAGE_REJECTED, [stage for stage in evidence.stages if stage.state == "rejected"]),
        (
            approval.STAGE_CLOSED,
            [stage for stage in evidence.stages if stage.state == "closed" and stage.opened_at],
        ),
    ):
        pairs, problems = paired(
            {(stage.revision, stage.slug): stage for stage in wanted},
            entries.tagged(tag),
            lambda entry: (facts(entry).get("revision", 0), str(facts(entry).get("stage"))),
            lambda stage: f"the stage “{english(stage.name)}”",
        )
        yield from problems
        for stage, entry in pairs:
            yield from differs(
                entry, f"the stage “{english(stage.name)}”", {"seal": seals.get(stage.revision)}
            )
            moment = stage.opened_at if tag == approval.STAGE_OPENED else stage.closed_at
            yield from timely(entry, f"the stage “{english(stage.name)}”", moment)
            if tag == approval.STAGE_OPENED:
                yield from _opened(stage, facts(entry).get("approvers"), entry.number)
                yield from differs(
                    entry,
                    f"the stage “{english(stage.name)}”",
                    {"quorum": stage.quorum, "due_at": stage.due_at},
                )
    yield from _agreed(evidence, entries)


def _opened(stage: StagePart, told: object, number: int) -> Iterator[str]:
    """Who was asked is read again when a stage opens: some of the sealed people, never another."""
    known = {(approver.person, approver.rule) for approver in stage.approvers}
    people = told if isinstance(told, list) else []
    if not people or any((one.get("person"), one.get("rule")) not in known for one in people):
        yield f"Entry {number} tells of other people who could decide in the stage “{english(stage.name)}”."


def _agreed(evidence: Evidence, entries: Entries) -> Iterator[str]:
    told = {
        (facts(entry).get("revision"), facts(entry).get("stage"))
        for entry in entries.tagged(approval.STAGE_APPROVED)
    }
    stages = {(stage.revision, stage.slug): stage for stage in evidence.stages}
    for key, stage in stages.items():
        if stage.state == "approved" and key not in told:
            yield f"No entry of the ledger tells that the stage “{english(stage.name)}” was approved."
    for other in told:
        # One that was approved may be closed later, when the request is planned again or denied.
        found = stages.get((other[0] or 0, str(other[1])))
        if found is None or found.state not in {"approved", "closed", "rejected"}:
            yield f"The ledger tells that the stage “{other[1]}” was approved, but the facts do not."


def _decisions(evidence: Evidence, entries: Entries) -> Iterator[str]:
    def named(decision: DecisionPart) -> str:
        return f"the decision of {evidence.person(decision.person)}"

    decisions = {(decision.revision, decision.person): decision for decision in evidence.decisions}
    pairs, problems = paired(
        decisions,
        entries.tagged(approval.APPROVED, approval.DENIED),
        lambda entry: (facts(entry).get("revision", 0), str(entry.body.get("actor"))),
        named,
    )
    yield from problems
    for decision, entry in pairs:
        verdict = approval.APPROVED if decision.verdict == "approve" else approval.DENIED
        if entry.body.get("tag") != verdict:
            yield f"Entry {entry.number} tells another verdict of {evidence.person(decision.person)} than the facts do."
        wanted = {
            "stage": decision.stage,
            "seal": decision.seal,
            "auth_time": decision.auth_time,
            "acr": decision.acr,
            "amr": list(decision.amr),
            "on_behalf_of": decision.on_behalf_of,
        }
        yield from differs(entry, named(decision), wanted)
        yield from opened(entry, "comment", named(decision), decision.comment)
        yield from timely(entry, named(decision), decision.decided_at)
    pairs, problems = paired(
        {key: decision for key, decision in decisions.items() if decision.voided_at},
        entries.tagged(approval.VOIDED),
        lambda entry: (facts(entry).get("revision", 0), str(facts(entry).get("person"))),
        lambda decision: f"{named(decision)} becoming void",
    )
    yield from problems
    for decision, entry in pairs:
        yield from differs(entry, named(decision), {"seal": decision.seal})
        yield from opened(entry, "why", named(decision), english(decision.voided_because))
