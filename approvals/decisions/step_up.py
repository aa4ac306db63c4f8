"""Step-up for decisions; the rule itself also guards people's own keys, so it stands with them."""

from portal.identity.step_up import CLOCK_SKEW, StepUp, StepUpNeeded

__all__ = ["CLOCK_SKEW", "StepUp", "StepUpNeeded"]
