"""What the signer says instead of a signature. Over its socket each is a status; on both sides it is the same error."""

from __future__ import annotations


class SignerError(Exception):
    """No signature came. `sentence` says why, in English: it is for operators and logs."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Malformed(SignerError):
    """What was asked has not the form of the protocol, or cannot be (400)."""


class UnknownLog(SignerError):
    """The head is of another log than the one that this signer signs (404)."""


class Stale(SignerError):
    """The proof begins elsewhere than at the signer's last head, whose size this is (409). Ask again from there."""

    def __init__(self, size: int) -> None:
        super().__init__(f"The signer's last head has {size} entries; the proof must begin there.")
        self.size = size


class Refused(SignerError):
    """The head does not contain what was signed before (422, or 409 where the sizes are the same)."""


class NotNow(SignerError):
    """What was asked of the keys cannot be done at this time: an overlap is under way, or none is (403)."""


class Unready(SignerError):
    """The signer cannot sign until an operator mends it: its last head is lost, or its token is away (503)."""


class Away(SignerError):
    """Nobody answers at the socket."""
