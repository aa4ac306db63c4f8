"""The one tree of errors that users see: each has an HTTP status and a sentence in their words."""

from __future__ import annotations

from typing import ClassVar

from portal.core.language import N_, _


class PortalError(Exception):
    """Something that the user is told; `sentence` says what is wrong and what to do.

    The title is a message that is translated where it is shown; the sentence is spoken where it is raised.
    """

    status: ClassVar[int] = 400
    title: ClassVar[str] = N_("That did not work")

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class FieldError(PortalError):
    """One field's answer cannot be taken; shown beside the field and in the summary above the form."""

    status = 422
    title = N_("There is a problem")

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class FieldErrors(PortalError):
    """Several fields' answers cannot be taken."""

    status = 422
    title = N_("There is a problem")

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__(errors[0].message if errors else _("There is a problem"))
        self.errors = errors


class NotFound(PortalError):
    """There is no such thing, or its existence is itself a secret."""

    status = 404
    title = N_("Page not found")


class Forbidden(PortalError):
    """The thing exists and this person may not see or do it."""

    status = 403
    title = N_("You cannot see this page")


class Conflict(PortalError):
    """Something changed meanwhile; nothing was done."""

    status = 409
    title = N_("This has changed")


class Gone(PortalError):
    """It was here and has ended."""

    status = 410
    title = N_("This has ended")


class TooLarge(PortalError):
    """More was sent than is taken."""

    status = 413
    title = N_("That is too large")


class Unavailable(PortalError):
    """A part that the portal needs does not answer; nothing was done."""

    status = 503
    title = N_("The service is not available")


class SettingsError(Exception):
    """The portal cannot start with these settings; the message says which and how to mend it."""
