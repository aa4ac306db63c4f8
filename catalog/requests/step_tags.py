"""The tag that a step's state is shown by."""

from __future__ import annotations

from portal.core.language import N_, _

_STEP_TAGS = {
    "waiting": (N_("Not yet"), "quiet", "circle"),
    "applying": (N_("Under way"), "note", "arrow"),
    "waiting-for-people": (N_("Waiting for people"), "note", "clock"),
    "applied": (N_("Done, being read back"), "note", "dots"),
    "done": (N_("Done and read back"), "good", "tick"),
    "undoing": (N_("Being undone"), "warn", "arrow"),
    "reverted": (N_("Undone"), "quiet", "stop"),
    "not-reverted": (N_("Could not be undone"), "bad", "alert"),
    "failed": (N_("Not possible"), "bad", "alert"),
}


def step_tag(state: str) -> tuple[str, str, str]:
    """Text, tone and sign of a step's state."""
    text, tone, sign = _STEP_TAGS[state]
    return _(text), tone, sign
