"""How a decision must be signed, as its page says it and as the page's script needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from approvals.decisions.model import Verdict
from approvals.routing.model import Stage
from approvals.signatures.demand import needs_passkey
from approvals.signatures.sign import offer_signing
from catalog.requests.model import Request
from portal.core.language import _
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.passkeys.queries import passkeys_of
from portal.identity.step_up import StepUp, StepUpNeeded


@dataclass(frozen=True, slots=True)
class Signing:
    """`sentence` says how it will be signed. `missing`: a passkey is needed and the reader has none."""

    sentence: str
    passkey: bool = False
    missing: bool = False
    nonce: str = ""
    #: What the form carries for the page's script.
    attributes: Mapping[str, str] = field(default_factory=dict)


def signing_of(
    session: Session,
    actor: Actor,
    request: Request,
    stages: Mapping[Verdict, Stage],
    *,
    at: datetime,
    settings: Settings,
) -> Signing:
    """How the actor would sign; `stages` are those in which they may give each verdict. One statement at most."""
    if not stages:
        return Signing("")
    fresh = _is_fresh(actor, request, stages, at=at, settings=settings)
    again = _("You will be asked to sign in again first; your comment is kept.")
    if not needs_passkey(request):
        return Signing(_("Your sign-in just now is your signature.") if fresh else again)
    passkeys = passkeys_of(session, actor.person_id)
    if not passkeys:
        return Signing(
            _("It has to be signed with a passkey, and you have none yet."), passkey=True, missing=True
        )
    if not fresh:
        sign = _("It has to be signed with your passkey.")
        return Signing(f"{sign} {again}", passkey=True)
    offer = offer_signing(actor, request, stages, passkeys, settings, at=at)
    return Signing(
        _("You sign it with your passkey: your fingerprint, your face or your PIN."),
        passkey=True,
        nonce=offer.nonce,
        attributes={
            "data-passkey": "get",
            "data-passkey-field": "passkey_answer",
            "data-passkey-options": json.dumps(offer.options),
            "data-passkey-seconds": str(offer.seconds),
        },
    )


def _is_fresh(
    actor: Actor, request: Request, stages: Mapping[Verdict, Stage], *, at: datetime, settings: Settings
) -> bool:
    step_up = StepUp.of(settings)
    try:
        for stage in stages.values():
            step_up.check(actor, risk=str(request.risk.get("level", "")), acr=stage.acr, at=at)
    except StepUpNeeded:
        return False
    return True
