"""An explanation as JSON, for programs: moments in UTC, names as people call them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time
from typing import Any

from catalog.explaining.answering import Explanation
from portal.core.errors import FieldError
from portal.core.language import _


def to_json(explanation: Explanation, *, evidence: str) -> dict[str, Any]:
    """All of it. `evidence` is the address of a request's evidence, with `{reference}` in it."""
    told = asdict(explanation)
    for one in told["allowed"]:
        one["evidence"] = evidence.format(reference=one["reference"])
    answer: dict[str, Any] = _plain(told)
    return answer


def moment_asked(text: str) -> datetime | None:
    """The moment that `at` names, as UTC: a day means its end, without anything there is no moment.

    Raises FieldError with a sentence.
    """
    if not text.strip():
        return None
    try:
        if len(text.strip()) == len("2027-01-31"):
            return datetime.combine(date.fromisoformat(text.strip()), time.max, UTC)
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        # The second: a moment in the first or last year whose hour in UTC lies in none.
        raise FieldError(
            "at", _("Write a day like 2027-01-31, or a moment like 2027-01-31T16:00:00Z.")
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value
