"""Every tag in people's words, in groups as they are chosen from. A test asks for every declared tag to be here."""

from __future__ import annotations

from collections.abc import Mapping

from portal.audit.words_of_requests import OF_REQUESTS
from portal.core.language import N_, _

#: Name of the group, and each tag of it with what it says.
_GROUPS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    **OF_REQUESTS,
    "reviews-of-access": (
        N_("Access reviews and recertification"),
        {
            "access-review:opened": N_("An access review was opened"),
            "access-review:asked": N_("Reviewers were asked"),
            "access-review:reminded": N_("A reviewer was reminded"),
            "access-review:answered": N_("A reviewer answered"),
            "access-review:escalated": N_("Unanswered items went on to somebody else"),
            "access-review:lapsed": N_("Nobody answered in time"),
            "access-review:voided": N_("An item ended before anybody answered"),
            "access-review:closed": N_("An access review was closed"),
            "access-review:cancelled": N_("An access review was cancelled"),
            "recertification:asked": N_("Holder and owner were asked whether it is still needed"),
            "recertification:reminded": N_("Reminded: is it still needed?"),
            "recertification:answered": N_("Said whether it is still needed"),
            "recertification:kept": N_("Still needed: it stays"),
            "recertification:revoked": N_("Not needed any more, or nobody vouched for it: it is taken away"),
            "recertification:voided": N_("It ended before the question was answered"),
        },
    ),
    "reconciliation": (
        N_("Reconciliation"),
        {
            "reconciliation:asked": N_("Somebody had the targets read"),
            "target:read": N_("A target was read"),
            "target:unread": N_("A target could not be read"),
            "finding:opened": N_("Something was found that the record does not explain"),
            "finding:changed": N_("What was found has changed"),
            "finding:closed": N_("What was found is not there any more"),
            "finding:removal-raised": N_("A request to take away what was found"),
            "finding:adoption-raised": N_("A request to adopt what was found"),
            "finding:record-ended": N_("The record of something that is not there was ended"),
            "acceptance:proposed": N_("Proposed that something found may stay"),
            "acceptance:confirmed": N_("A second person confirmed that it may stay"),
            "acceptance:refused": N_("A second person refused that it may stay"),
            "acceptance:lapsed": N_("It may not stay any longer"),
        },
    ),
    "offerings": (
        N_("Services and their rules"),
        {
            "offering:drafted": N_("A draft of a service was written"),
            "offering:replayed": N_("A draft was tried on past requests"),
            "offering:discarded": N_("A draft of a service was put away"),
            "offering:published": N_("A version of a service was published"),
            "standing:proposed": N_("A standing approval was proposed"),
            "standing:signed": N_("A standing approval was signed"),
            "standing:entered-into-force": N_("A standing approval entered into force"),
            "standing:revoked": N_("A standing approval was revoked"),
            "change:window-set": N_("A change window was set"),
            "change:window-ended": N_("A change window was ended"),
            "change:freeze-set": N_("A freeze was set"),
            "change:freeze-lifted": N_("A freeze was lifted"),
        },
    ),
    "people": (
        N_("People, sign-ins and rights"),
        {
            "session:started": N_("Signed in"),
            "session:stepped-up": N_("Signed in again"),
            "session:ended": N_("A session ended"),
            "session:refused": N_("A sign-in was refused"),
            "people:imported": N_("The file of people, units and groups was read"),
            "person:mail-chosen": N_("Chose how mails come"),
            "person:erased": N_("A person was erased"),
            "role:given": N_("A role was given"),
            "role:taken": N_("A role was taken away"),
            "mandate:given": N_("An account was given to an auditor"),
            "mandate:changed": N_("What an auditor may see was changed"),
            "mandate:ended": N_("The access of an auditor was ended"),
            "passkey:enrolled": N_("A passkey was enrolled"),
            "passkey:revoked": N_("A passkey was revoked"),
            "token:created": N_("A token was made"),
            "token:revoked": N_("A token was revoked"),
            "absence:added": N_("An absence was added"),
            "absence:removed": N_("An absence was removed"),
            "rota:imported": N_("An on-call rota was read"),
            "delegation:given": N_("A delegation was given"),
            "delegation:ended": N_("A delegation was ended"),
            "delegation:declined": N_("A delegation was declined"),
            "change:feed-made": N_("A calendar address was made"),
            "change:feed-revoked": N_("A calendar address was revoked"),
        },
    ),
    "evidence": (
        N_("Evidence, audits and the ledger itself"),
        {
            "evidence:downloaded": N_("Evidence was downloaded"),
            "evidence:key-introduced": N_("A key that signs files was introduced"),
            "evidence:key-retired": N_("A key that signs files was retired"),
            "audit:ordered": N_("An audit was ordered"),
            "audit:counted": N_("An audit was counted"),
            "audit:nonce-given": N_("The auditor gave a word for the draw."),
            "audit:made": N_("An audit report was made"),
            "audit:failed": N_("An audit could not be made"),
            "audit:tried-again": N_("An audit was tried again"),
            "audit:downloaded": N_("An audit report was downloaded"),
            "ledger:exported": N_("The ledger was exported"),
            "ledger:verified": N_("The ledger was verified, and all fits"),
            "ledger:found-odd": N_("The ledger was verified, and something does not fit"),
            "ledger:key-rotated": N_("The key of the ledger was changed"),
            "ledger:signing-stopped": N_("The ledger is not being signed"),
            "ledger:signing-resumed": N_("The ledger is being signed again"),
            "checkpoint:contradicted": N_("A holder said that the ledger is another one"),
            "checkpoint:accepted-again": N_("A holder took a checkpoint again"),
            "assets:imported": N_("The register of assets was read"),
            "records:kept": N_("Records were written"),
            "record:erased": N_("A record was erased"),
            "retention:erased": N_("What was kept long enough was erased"),
            "hold:placed": N_("A legal hold was placed"),
            "hold:lifted": N_("A legal hold was lifted"),
        },
    ),
}
_SAYS = {tag: says for _name, tags in _GROUPS.values() for tag, says in tags.items()}
KNOWN = frozenset(_SAYS)
#: What the filter calls a whole group; no tag begins so.
GROUP = "group="


def says(tag: str) -> str:
    """What the tag says, in the reader's language; the tag itself where nobody wrote words for it."""
    return _(_SAYS[tag]) if tag in _SAYS else tag


def tags_of(what: str) -> tuple[str, ...]:
    """The tags that the filter's value means: one, or those of a group."""
    group = _GROUPS.get(what.removeprefix(GROUP)) if what.startswith(GROUP) else None
    return tuple(sorted(group[1])) if group else (what,)


def choices() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Each group: the filter's value for all of it, its name, and (tag, words) by words; in the reader's language."""
    return [
        (
            GROUP + slug,
            _(name),
            sorted(((tag, _(said)) for tag, said in tags.items()), key=lambda one: one[1].casefold()),
        )
        for slug, (name, tags) in _GROUPS.items()
    ]
