"""What the keys of the offering language are called when a difference is told in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Keys by their plain words; one that is not here is told by its own name with spaces.
KEYS: Mapping[str, str] = {
    "acr": "the sign-in that it demands",
    "at_least": "the least",
    "at_most": "the most",
    "audience": "who may see and order it",
    "beneficiary": "the question that names who receives it",
    "category": "the category",
    "check": "the condition",
    "choices_from": "where the choices are read",
    "code": "the block of text for machines",
    "connector": "the connector",
    "country": "the country whose holidays count",
    "critical": "the points from which it is critical",
    "days": "the working days",
    "default": "the answer that stands there at first",
    "denials": "what the portal itself says no to",
    "description": "the description",
    "duplicates": "the answers that make two open requests the same",
    "earliest_days": "the earliest day, counted from today",
    "ends": "when it ends",
    "example": "the example",
    "high": "the points from which it is high",
    "hint": "the hint",
    "hours": "the working hours",
    "irreversible": "why it cannot be undone",
    "keywords": "the words that find it",
    "kind": "the kind",
    "label": "the label",
    "latest_days": "the latest day, counted from today",
    "longest_days": "the longest duration in days",
    "mails": "what its mails add",
    "maximum": "the greatest number",
    "may_be_self": "whether one may name oneself",
    "medium": "the points from which it is medium",
    "minimum": "the smallest number",
    "missing": "what is said when it is left out",
    "name": "the name",
    "owner": "the owning group",
    "passkey_from": "with a passkey from the risk",
    "pattern": "the pattern that the answer must have",
    "pattern_says": "what is said when the pattern does not fit",
    "quorum": "how many must agree",
    "reason": "the question that holds the reason",
    "required": "whether it must be answered",
    "retention": "how long it is kept",
    "rollback": "the question with the rollback plan",
    "rollback_required": "when a rollback plan is required",
    "show_when": "when it is asked",
    "signature": "the signature that decisions need",
    "slug": "the short name in addresses",
    "starts": "the question before whose moment nothing is carried out",
    "summary": "the summary",
    "target": "the target time",
    "text": "the text",
    "timezone": "the time zone",
    "title": "the title",
    "undone": "how it is undone",
    "when": "the condition",
    "when_says": "the condition in words",
    "widest": "the widest network",
    "window": "the change window",
    "with": "what the connector is given",
    "you_get": "what one gets",
    "you_need": "what one needs at hand",
}
_LONGEST = 160


def key_words(key: str) -> str:
    """The key in plain words."""
    return KEYS.get(key, key.replace("_", " "))


def value_words(value: Any) -> str:
    """A value as it stands in a sentence; long ones are cut, for the whole text stands below."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in (None, "", [], {}):
        return "nothing"
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
    sentence = f"{subject}: {what}" if subject else what[:1].upper() + what[1:]
    empty: tuple[Any, ...] = (None, "", [], {})
    if isinstance(before, list) and isinstance(after, list):
        gone = [one for one in before if one not in after]
        new = [one for one in after if one not in before]
        if not gone and not new:
            return f"{sentence} come in another order."
        parts = [f"no longer has {value_words(gone)}"] if gone else []
        parts += [f"now has {value_words(new)}"] if new else []
        return f"{sentence} {' and '.join(parts)}."
    if before in empty:
        return f"{sentence} is new: {value_words(after)}."
    if after in empty:
        return f"{sentence} is gone; it was {value_words(before)}."
    return f"{sentence} changes from {value_words(before)} to {value_words(after)}."
