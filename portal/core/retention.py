"""How long what is kept, by class of record, as the settings say: RETENTION="mail=90, drafts=30"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from portal.core.errors import SettingsError

#: Shorter than this nothing is kept: a typing error must not empty the portal overnight.
SHORTEST = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days, by class."""

    #: What requests hold, and what was said and done about them, after they closed and nothing of them is live.
    requests: int = 3_650
    #: Forms that were begun, since somebody last wrote in them.
    drafts: int = 90
    #: Mails, after they were sent.
    mail: int = 180
    #: Sessions of browsers, after they ended.
    sessions: int = 90
    #: Days of absence, after the last of them.
    absences: int = 730
    #: Evidence files, after they were made; they are made anew when somebody asks.
    evidence: int = 365

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Retention:
        """Raises SettingsError for an unknown class, or a number of days that is none or too small."""
        kept = cls()
        known = {field.name for field in fields(cls)}
        for part in env.get("RETENTION", "").split(","):
            if not part.strip():
                continue
            name, _equals, days = (one.strip() for one in part.partition("="))
            if name not in known:
                message = f"RETENTION names {name!r}; it can name {', '.join(sorted(known))}."
                raise SettingsError(message)
            if not (days.isascii() and days.isdecimal()) or int(days) < SHORTEST:
                message = f"RETENTION says {name}={days}; it must be a number of days, at least {SHORTEST}."
                raise SettingsError(message)
            kept = replace(kept, **{name: int(days)})
        return kept

    def days(self) -> dict[str, int]:
        """By class, in the order above."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
