"""What is where: of each step of a fulfilment, in a sentence, whether its effect is on the target."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.fulfilment.carrying import ALREADY_TRUE
from catalog.fulfilment.effects import BY_HAND
from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.targets import called
from portal.core.language import N_, _, spoken

_SAID: Mapping[StepState, str] = {
    StepState.WAITING: N_("Not begun. Nothing of it is there: %(target)s."),
    StepState.APPLYING: N_("Begun. Whether it is there is being read: %(target)s."),
    StepState.APPLIED: N_("Carried out. It is being read back: %(target)s."),
    StepState.WAITING_FOR_PEOPLE: N_("People do this by hand: %(target)s."),
    StepState.DONE: N_("Done. It is there: %(target)s."),
    StepState.UNDOING: N_("It is being taken back: %(target)s."),
    StepState.REVERTED: N_("Done and undone. Nothing of it is left there: %(target)s."),
    StepState.NOT_REVERTED: N_(
        "Done, and it could not be undone. It is still there, and an operator must take it back: %(target)s."
    ),
    StepState.FAILED: N_("Not done. Nothing of it is there: %(target)s."),
}
#: How an effect came to be there, where that is worth a word.
_FOUND: Mapping[str, str] = {
    BY_HAND: N_("Done by hand, and confirmed by a second operator: %(target)s."),
    ALREADY_TRUE: N_("It was there already, and stays: %(target)s."),
}


def whereabouts(step: Step) -> str:
    """Spoken now, for requester, operators and auditors alike."""
    said = _SAID[step.state]
    if step.state is StepState.DONE:
        said = _FOUND.get(str(step.outcome.get("found", "")), said)
    return _(said, target=spoken(called(str(step.plan["target"]))))
