"""The gate for auditors' accounts, before every view: they read, within their days, what honours their scope.

Whatever is not named here is refused to an account under a mandate, so that a new page is closed until somebody has
thought of its scope.
"""

from __future__ import annotations

from flask import Flask, request

from portal.core.errors import Forbidden
from portal.core.language import N_, _
from portal.core.times import day
from portal.identity.access import find_actor
from portal.identity.actor import Actor
from portal.identity.auditors.scope import AuditScope

#: A person's own sign-in and language, whatever their account may see.
OWN = frozenset(
    {
        "static",
        "web.home",
        "sign_in.start",
        "sign_in.callback",
        "sign_in.sign_out",
        "sign_in.signed_out",
        "sign_in.step_up",
        "languages.choose",
        "languages.keep",
    }
)
#: What asks for the scope of the account, or holds nothing of anybody.
READS = frozenset(
    {
        "account.show",
        "requests.show",
        "requests.progress",
        "requests.artefact",
        "attachments.show",
        "entitlements.index",
        "entitlements.table",
        "entitlements.show",
        "access_reviews.index",
        "access_reviews.show",
        "access_reviews.items",
        "access_reviews.table",
        "access_review_results.result",
        "reconciliation.index",
        "reconciliation.show",
        "explain.show",
        "changes.index",
        "evidence.index",
        "evidence.request",
        "evidence.verifier",
        "evidence.recount",
        "audits.index",
        "audits.show",
        "audits.download",
        "ledger.index",
        "ledger.checkpoint",
        "ledger.entry",
        "ledger.export",
        "holders.index",
    }
)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class NotInForce(Forbidden):
    """The account is an auditor's, and today is none of its days."""

    title = N_("Your access as an auditor is not in force")


def install(app: Flask) -> None:
    """Ask before every view, after the session is open."""

    @app.before_request
    def keep_to_the_mandate() -> None:
        actor = find_actor()
        if actor is not None and actor.only_audits and request.endpoint not in {None, *OWN}:
            _check(actor)


def _check(actor: Actor) -> None:
    if actor.audit is not None and not actor.audit.running:
        raise NotInForce(_sentence(actor.audit))
    if request.method not in _READING:
        raise Forbidden(_("This account is for auditing. It reads, changes nothing and orders nothing."))
    if actor.audit is not None and request.endpoint not in READS:
        raise Forbidden(_("This page is not among those that an account for auditing reads."))


def _sentence(scope: AuditScope) -> str:
    return _(
        "It is for %(first)s to %(last)s, and shows nothing before or after. Ask whoever commissioned the audit.",
        first=day(scope.first_day),
        last=day(scope.last_day),
    )
