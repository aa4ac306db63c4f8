"""What stands in the way of an audit, in words for whoever ordered it."""

from __future__ import annotations

from typing import ClassVar

from portal.core.errors import PortalError
from portal.core.language import N_


class AuditNotMade(PortalError):
    """The audit cannot be counted or made as things are; nothing else is held up by it."""

    status: ClassVar[int] = 503
    title: ClassVar[str] = N_("The audit could not be made")
