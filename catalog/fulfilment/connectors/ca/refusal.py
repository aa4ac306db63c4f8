"""Why a certificate signing request is refused."""

from __future__ import annotations


class CsrError(Exception):
    """The request cannot be certified; `message` says in the requester's words what is wrong and what to do.

    It is in every language where `portal.core.language.say` made it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
