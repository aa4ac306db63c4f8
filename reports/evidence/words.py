"""Words for what the document states in codes; used by the page and by the deviations alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from portal.core import times
from portal.core.language import N_, _

STATES = {
    "preparing": N_("Being prepared"),
    "pending": N_("Awaiting approval"),
    "scheduled": N_("Approved, to be carried out"),
    "fulfilling": N_("Being carried out"),
    "fulfilled": N_("Fulfilled"),
    "ended": N_("Fulfilled and ended"),
    "rejected": N_("Rejected by an approver"),
    "withdrawn": N_("Withdrawn by the requester"),
    "refused": N_("Refused by the portal"),
    "failed": N_("Failed"),
}
RISKS = {"low": N_("low"), "medium": N_("medium"), "high": N_("high"), "critical": N_("critical")}
STAGE_STATES = {
    "waiting": N_("Not asked"),
    "open": N_("Deciding"),
    "approved": N_("Approved"),
    "rejected": N_("Rejected"),
    "closed": N_("Closed without an outcome"),
}
STEP_STATES = {
    "waiting": N_("Not begun"),
    "applying": N_("Begun; outcome not yet known"),
    "waiting-for-people": N_("Being done by hand"),
    "applied": N_("Applied; not yet read back"),
    "done": N_("Applied and read back"),
    "undoing": N_("Being undone"),
    "reverted": N_("Undone"),
    "not-reverted": N_("Done, and could not be undone"),
    "failed": N_("Failed"),
}
FOUND = {
    "": N_("This step made the change."),
    "already-true": N_("The target already had this effect before the step began; nothing was changed."),
    "after-interruption": N_("The work was cut off after the change; the target was read and showed it."),
    "after-refusal": N_("The target answered with an error, yet showed the change when it was read."),
    "earlier-attempt": N_("An earlier attempt at this request had made the change and could not undo it."),
    "by-hand": N_("An operator made the change by hand, with proof, and a second operator confirmed it."),
}
CHANGES = {
    "add": N_("Add"),
    "remove": N_("Remove"),
    "change": N_("Change"),
    "keep": N_("Keep"),
    "note": N_("Note"),
}


def word(table: Mapping[str, str], code: str) -> str:
    """The word for a code, in the language that is spoken; the code itself where there is none."""
    return _(table[code]) if code in table else code


def spoken_time(moment: str) -> str:
    """An ISO time as the page shows it: 18 Nov 2026, 09:00:00 UTC."""
    return times.stamp(datetime.fromisoformat(moment))


def spoken_day(moment: str) -> str:
    """The day alone: 18 November 2026."""
    return times.day(datetime.fromisoformat(moment))


def spoken_span(start: str, end: str) -> str:
    """How long between two times: 2 d 3 h, 5 min, 12 s."""
    seconds = int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    days, rest = divmod(abs(seconds), 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    if days:
        return _("%(days)s d %(hours)s h", days=days, hours=hours)
    if hours:
        return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
    return _("%(minutes)s min", minutes=minutes) if minutes else _("%(seconds)s s", seconds=seconds)


def listed(names: list[str]) -> str:
    """Names in a sentence: A, B and C."""
    if len(names) > 1:
        return _("%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1])
    return names[0] if names else _("nobody")
