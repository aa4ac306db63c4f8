"""What the keys of the offering language are called when a difference is told in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.core.language import N_, _

#: Keys by their plain words; one that is not here is told by its own name with spaces.
KEYS: Mapping[str, str] = {
    "acr": N_("the sign-in that it demands"),
    "at_least": N_("the least"),
    "at_most": N_("the most"),
    "audience": N_("who may see and order it"),
    "beneficiary": N_("the question that names who receives it"),
    "category": N_("the category"),
    "check": N_("the condition"),
    "choices_from": N_("where the choices are read"),
    "code": N_("the block of text for machines"),
    "connector": N_("the connector"),
    "country": N_("the country whose holidays count"),
    "critical": N_("the points from which it is critical"),
    "days": N_("the working days"),
    "default": N_("the answer that stands there at first"),
    "denials": N_("what the portal itself says no to"),
    "description": N_("the description"),
    "duplicates": N_("the answers that make two open requests the same"),
    "earliest_days": N_("the earliest day, counted from today"),
    "ends": N_("when it ends"),
    "example": N_("the example"),
    "high": N_("the points from which it is high"),
    "hint": N_("the hint"),
    "hours": N_("the working hours"),
    "irreversible": N_("why it cannot be undone"),
    "keywords": N_("the words that find it"),
    "kind": N_("the kind"),
    "label": N_("the label"),
    "latest_days": N_("the latest day, counted from today"),
    "freezes": N_("the freezes"),
    "passes_freezes": N_("why it passes freezes"),
    "affected": N_("who is affected"),
    "longest_days": N_("the longest duration in days"),
    "mails": N_("what its mails add"),
    "maximum": N_("the greatest number"),
    "may_be_self": N_("whether one may name oneself"),
    "medium": N_("the points from which it is medium"),
    "minimum": N_("the smallest number"),
    "missing": N_("what is said when it is left out"),
    "name": N_("the name"),
    "owner": N_("the owning group"),
    "passkey_from": N_("with a passkey from the risk"),
    "pattern": N_("the pattern that the answer must have"),
    "pattern_says": N_("what is said when the pattern does not fit"),
    "quorum": N_("how many must agree"),
    "reason": N_("the question that holds the reason"),
    "recertify": N_("after how long it is asked whether it is still needed"),
    "required": N_("whether it must be answered"),
    "retention": N_("how long it is kept"),
    "rollback": N_("the question with the rollback plan"),
    "rollback_required": N_("when a rollback plan is required"),
    "show_when": N_("when it is asked"),
    "signature": N_("the signature that decisions need"),
    "slug": N_("the short name in addresses"),
    "starts": N_("the question before whose moment nothing is carried out"),
    "summary": N_("the summary"),
    "target": N_("the target time"),
    "text": N_("the text"),
    "timezone": N_("the time zone"),
    "title": N_("the title"),
    "undone": N_("how it is undone"),
    "when": N_("the condition"),
    "when_says": N_("the condition in words"),
    "widest": N_("the widest network"),
    "window": N_("the change window"),
    "with": N_("what the connector is given"),
    "you_get": N_("what one gets"),
    "you_need": N_("what one needs at hand"),
}
_LONGEST = 160


def key_words(key: str) -> str:
    """The key in plain words."""
    return _(KEYS[key]) if key in KEYS else key.replace("_", " ")


def value_words(value: Any) -> str:
    """A value as it stands in a sentence; long ones are cut, for the whole text stands below."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in (None, "", [], {}):
        return _("nothing")
    if isinstance(value, dict):
        text = ", ".join(
            f"{key_words(str(key))} {_plain(one)}" for key, one in value.items() if one is not None
        )
    elif isinstance(value, list):
        text = ", ".join(_plain(one) for one in value)
    else:
        text = " ".join(str(value).split())
    return f"“{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}”"


def _plain(value: Any) -> str:
    return value_words(value).strip("“”")


def changed(subject: str, key: str, before: Any, after: Any) -> str:
    """One sentence about one key: `Line manager: the target time changes from “8h” to “1d”`."""
    what = key_words(key)
    subject = f"{subject}: {what}" if subject else what[:1].upper() + what[1:]
    empty: tuple[Any, ...] = (None, "", [], {})
    if isinstance(before, list) and isinstance(after, list):
        return _of_lists(subject, before, after)
    if before in empty:
        return _("%(what)s is new: %(after)s.", what=subject, after=value_words(after))
    if after in empty:
        return _("%(what)s is gone; it was %(before)s.", what=subject, before=value_words(before))
    return _(
        "%(what)s changes from %(before)s to %(after)s.",
        what=subject,
        before=value_words(before),
        after=value_words(after),
    )


def _of_lists(subject: str, before: Sequence[Any], after: Sequence[Any]) -> str:
    gone = [one for one in before if one not in after]
    new = [one for one in after if one not in before]
    if not gone and not new:
        return _("%(what)s come in another order.", what=subject)
    if not new:
        return _("%(what)s no longer has %(gone)s.", what=subject, gone=value_words(gone))
    if not gone:
        return _("%(what)s now has %(new)s.", what=subject, new=value_words(new))
    return _(
        "%(what)s no longer has %(gone)s and now has %(new)s.",
        what=subject,
        gone=value_words(gone),
        new=value_words(new),
    )
