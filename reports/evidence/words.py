"""Words for what the document states in codes; used by the page and by the deviations alike."""

from __future__ import annotations

from datetime import datetime

from portal.core.times import day, stamp

STATES = {
    "preparing": "Being prepared",
    "pending": "Awaiting approval",
    "scheduled": "Approved, to be carried out",
    "fulfilling": "Being carried out",
    "fulfilled": "Fulfilled",
    "ended": "Fulfilled and ended",
    "rejected": "Rejected by an approver",
    "withdrawn": "Withdrawn by the requester",
    "refused": "Refused by the portal",
    "failed": "Failed",
}
STAGE_STATES = {
    "waiting": "Not asked",
    "open": "Deciding",
    "approved": "Approved",
    "rejected": "Rejected",
    "closed": "Closed without an outcome",
}
STEP_STATES = {
    "waiting": "Not begun",
    "applying": "Begun; outcome not yet known",
    "waiting-for-people": "Being done by hand",
    "applied": "Applied; not yet read back",
    "done": "Applied and read back",
    "reverted": "Undone",
    "failed": "Failed",
}
FOUND = {
    "": "This step made the change.",
    "already-true": "The target already had this effect before the step began; nothing was changed.",
    "after-interruption": "The work was cut off after the change; the target was read and showed it.",
    "after-refusal": "The target answered with an error, yet showed the change when it was read.",
}
CHANGES = {"add": "Add", "remove": "Remove", "change": "Change", "keep": "Keep", "note": "Note"}


def spoken_time(moment: str) -> str:
    """An ISO time as the page shows it: 18 Nov 2026, 09:00:00 UTC."""
    return stamp(datetime.fromisoformat(moment))


def spoken_day(moment: str) -> str:
    """The day alone: 18 November 2026."""
    return day(datetime.fromisoformat(moment))


def spoken_span(start: str, end: str) -> str:
    """How long between two times: 2 d 3 h, 5 min, 12 s."""
    seconds = int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    days, rest = divmod(abs(seconds), 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def listed(names: list[str]) -> str:
    """Names in a sentence: A, B and C."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nobody"
