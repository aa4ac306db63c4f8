"""Everybody's own page: what the portal knows of them, and where they change what is theirs."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.core.http import reading, render
from portal.core.language import N_
from portal.identity.access import current_actor, signed_in
from portal.identity.account.present import Section, account_of

blueprint = Blueprint("account", __name__)

#: What a person can change: title, one sentence, the page. A room that adds a page of theirs adds a line.
SECTIONS: tuple[Section, ...] = (
    Section(
        N_("Delegation"),
        N_("Who decides in your place while you are away, and in whose place you decide."),
        "delegation.index",
    ),
    Section(
        N_("Absences"),
        N_("The days on which you are away, which promised dates take into account."),
        "absences.index",
    ),
    Section(
        N_("Calendar of changes"),
        N_("A secret address with which your own calendar shows what is planned and frozen."),
        "changes.feed",
    ),
    Section(
        N_("Language and mail"),
        N_("The language of pages and mails, and how often you get mail."),
        "mail.preferences",
    ),
    Section(
        N_("Passkeys"),
        N_("The keys with which you sign decisions that need a signature."),
        "passkeys.index",
    ),
    Section(
        N_("Tokens"),
        N_("With these, programs ask the portal for you."),
        "tokens.index",
    ),
)


@blueprint.get("/me")
@signed_in
def show() -> Response:
    """The reader's own account."""
    with reading() as session:
        account = account_of(session, current_actor())
    return render("portal/identity/account/show.html", account=account, sections=SECTIONS)
