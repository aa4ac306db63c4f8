"""From what was read to what the decision card says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from approvals.decisions.card import Card, Holding, Touched
from approvals.decisions.changes import compare
from approvals.decisions.model import Verdict
from approvals.decisions.read import HOLDINGS_SHOWN, Reading
from approvals.decisions.right import find_stage
from approvals.routing.model import Stage
from approvals.routing.progress import progress_from
from catalog.offerings.first_aid import stage_question
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.requests.answers import answer_lines, spoken_end
from catalog.requests.ends import spoken_end_of
from catalog.requests.model import Request
from catalog.requests.presenters import plan_cards, risk_card, stage_cards
from catalog.requests.states import State
from portal.core.language import N_, _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person

_WHY_NOT = {
    State.PREPARING: N_("It is being prepared again. You will be asked again if your decision is needed."),
    State.PENDING: N_("Others have decided your stage."),
    State.SCHEDULED: N_("It was approved and waits to be carried out."),
    State.FULFILLING: N_("It was approved and is being carried out."),
    State.FULFILLED: N_("It was approved and has been carried out."),
    State.ENDED: N_("It was approved and carried out, and has ended since."),
    State.FAILED: N_("It was approved and could not be carried out. The operators look at it."),
}


def card_of(reading: Reading, actor: Actor, *, at: datetime) -> Card:
    """The card as this reader sees it at this moment (aware)."""
    request = reading.request
    zone = ZoneInfo(actor.timezone)
    version = request.version
    document = document_of(version).spoken()
    approve, deny = (stage_of(reading, actor, verdict) for verdict in Verdict)
    stage = approve or deny
    due = stage.due_at if stage else None

    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(zone) if moment else None

    return Card(
        reference=request.reference,
        title=spoken(request.title),
        offering=document.name,
        version=version.number,
        version_digest=version.digest,
        state=request.state.value,
        asked=asked(request),
        requester=_called(request.requester),
        requester_name=request.requester.name,
        beneficiary=_called(request.beneficiary),
        beneficiary_name=request.beneficiary.name,
        reason=request.reason,
        submitted_at=request.submitted_at.astimezone(zone),
        ends=_in_a_sentence(spoken_end_of(request, document, actor.timezone)) if request.ends_at else "",
        due_at=local(due),
        late=due is not None and due < at,
        plan=plan_cards(request.plans, speak=document.speak),
        risk=risk_card(request.risk, speak=document.speak),
        touched=_touched(document, request),
        irreversible=document.cannot_be_undone,
        warnings=_warnings(reading),
        holdings=tuple(
            Holding(
                entitlement.label, entitlement.target, _end(entitlement.ends_at, actor.timezone), reference
            )
            for entitlement, reference in reading.entitlements[:HOLDINGS_SHOWN]
        ),
        more_holdings=len(reading.entitlements) > HOLDINGS_SHOWN,
        stages=stage_cards(progress_from(reading.places), timezone=actor.timezone),
        stage=stage.name if stage else "",
        stage_text=document.speak(stage_question(document, stage.slug)) if stage else "",
        answers=answer_lines(document, request.answers, reading.called),
        documents=_readable([_for_machines(plan) for plan in request.plans]),
        route=_readable(request.route),
        seal=request.seal,
        sealed_at=local(request.sealed_at),
        outcome=request.outcome,
        now=at.astimezone(zone),
        may_approve=approve is not None,
        may_deny=deny is not None,
        why_not="" if stage else _why_not(reading, actor),
        in_place_of=reading.eligible[stage.id][actor.person_id or 0].on_behalf_of if stage else "",
        no_means=_no_means(request),
        change=reading.change,
        conversation=reading.conversation,
        changed=_changed(reading),
        others=_others(reading, actor, approve),
    )


def asked(request: Request) -> str:
    """Who asks for whom, in a sentence, each with the account name that cannot be mistaken."""
    requester, beneficiary = request.requester, request.beneficiary
    if request.requester_id == request.beneficiary_id:
        return _("%(requester)s, asks for themselves.", requester=_called(requester))
    return _(
        "%(requester)s, asks for %(beneficiary)s.",
        requester=_called(requester),
        beneficiary=_called(beneficiary),
    )


def _called(person: Person) -> str:
    return f"{person.name} ({person.user_name}), {person.unit.name}"


def stage_of(reading: Reading, actor: Actor, verdict: Verdict) -> Stage | None:
    """Where the reader may give this verdict now; deciding looks at all of it again."""
    if actor.person_id is None or reading.decision_of(actor.person_id):
        return None
    return find_stage(
        actor.person_id,
        reading.request,
        reading.stages,
        reading.decisions,
        reading.eligible,
        verdict=verdict,
    )


def _warnings(reading: Reading) -> tuple[str, ...]:
    warnings = [
        _(
            "%(target)s is already as this request wants it: approving changes nothing there.",
            target=spoken(plan["target"]),
        )
        for plan in reading.request.plans
        if plan["already_true"]
    ]
    warnings += reading.sealing.warnings if reading.sealing else []
    warnings += [spoken(text) for plan in reading.request.plans for text in plan["warnings"]]
    said = {spoken(reason["because"]) for reason in reading.request.risk.get("reasons", ())}
    return tuple(dict.fromkeys(text for text in warnings if text not in said))


def _touched(document: OfferingDocument, request: Request) -> tuple[Touched, ...]:
    """The assets that the answers name, with what was known of them when it was asked for."""
    touched = []
    for field in document.fields:
        asset = request.answers.get(field.name)
        if field.kind == "asset" and isinstance(asset, Mapping):
            text = _(
                "%(name)s (%(id)s) is owned by %(owner)s.",
                name=asset["name"],
                id=asset["id"],
                owner=asset["owner"],
            )
            if asset.get("zone"):
                text += " " + _("It stands in the zone %(zone)s.", zone=asset["zone"])
            touched.append(Touched(asset["name"], asset["criticality"], text))
    return tuple(touched)


def _changed(reading: Reading) -> tuple[str, ...]:
    """What the reader may have agreed to before is not what stands here now."""
    if reading.sealing is None or reading.earlier is None:
        return ()
    return compare(reading.earlier.document, reading.sealing.document)


def _others(reading: Reading, actor: Actor, stage: Stage | None) -> tuple[tuple[int, str], ...]:
    """Whom the reader may leave the decision to: who stands in the same stage and has not decided."""
    if stage is None:
        return ()
    return tuple(
        (place.approver.person_id, place.name)
        for place in reading.places
        if place.stage.id == stage.id
        and place.approver.person_id != actor.person_id
        and not reading.decision_of(place.approver.person_id)
    )


def _why_not(reading: Reading, actor: Actor) -> str:
    request = reading.request
    decision = reading.decision_of(actor.person_id)
    if decision:
        if decision.verdict is Verdict.APPROVE:
            return _("You have approved it. A decision cannot be taken back.")
        return _("You have denied it. A decision cannot be taken back.")
    if request.state is State.PENDING and not any(reading.eligible.values()):
        return _(
            "You are no longer one of the people who decide this: your account, group or team has changed."
        )
    why = _WHY_NOT.get(request.state, N_("Nothing is left to decide."))
    return _(why)


def _no_means(request: Request) -> str:
    if request.state is State.SCHEDULED:
        return _(
            "Others have approved it. Your denial still stops it, because nothing has been carried out yet."
        )
    return _(
        "If you deny it, nothing is changed. %(requester)s reads your reason and may ask again.",
        requester=request.requester.name,
    )


def _end(ends_at: datetime | None, timezone: str) -> str:
    """In the middle of a sentence."""
    return _in_a_sentence(spoken_end(ends_at, timezone)) if ends_at else ""


def _in_a_sentence(said: str) -> str:
    return said[:1].lower() + said[1:]


def _for_machines(plan: Mapping[str, Any]) -> dict[str, Any]:
    names = ("connector", "action", "target", "document", "inverse")
    return {name: plan[name] for name in names}


def _readable(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
