"""Every item of a campaign as CSV, safe to open in office programs."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.access_reviews.queries import ItemLine
from portal.core.csv_cells import csv_file
from portal.core.language import _, pgettext


def table_of(lines: Iterable[ItemLine]) -> bytes:
    """The lines in UTF-8, with the mark that office programs know it by."""
    rows = [
        (
            _("Who has it"),
            _("Account"),
            _("What"),
            _("Where"),
            _("Allowed by"),
            _("Since"),
            _("Last used"),
            pgettext("what was answered", "Answer"),
            _("Answered by"),
            _("Answered"),
            _("Reason"),
            _("New end"),
            _("Gone from its target"),
        )
    ]
    rows += (
        (
            line.holder,
            line.holder_user_name,
            line.label,
            line.target,
            line.reference,
            line.since.isoformat(timespec="minutes"),
            line.last_used.isoformat(timespec="minutes") if line.last_used else "",
            line.state,
            line.answered_by,
            line.answered_at.isoformat(timespec="minutes") if line.answered_at else "",
            line.said,
            line.new_end,
            _("yes") if line.gone else _("no"),
        )
        for line in lines
    )
    return csv_file(rows)
