"""The timestamp authority: whether it gives a timestamp that can be believed."""

from __future__ import annotations

from collections.abc import Iterator

from portal.core.errors import SettingsError
from portal.core.settings import Settings
from portal.doctor.check import Check, fail, ok, warn

NAME = "Timestamps"


def check_timestamps(settings: Settings) -> Iterator[Check]:
    """A line where an authority is set up. Asks it for one timestamp over nothing."""
    if not settings.timestamp_url:
        return
    # Read here: pyHanko takes a while to load, and most portals have no authority.
    from reports.pdf.timestamps import TimestampMissing, authority_of  # noqa: PLC0415

    try:
        authority = authority_of(settings)
    except SettingsError as error:
        yield fail(NAME, str(error), "Set the variable anew.")
        return
    if authority is None:
        return
    try:
        yield ok(NAME, f"{settings.timestamp_url}: {authority.try_out()}")
    except TimestampMissing as missing:
        mend = "Files are signed without a timestamp and get one when they are made again."
        yield warn(NAME, str(missing), mend)
