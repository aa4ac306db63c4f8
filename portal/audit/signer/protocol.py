"""How a head is asked to be signed: the bodies of C2SP tlog-witness' add-checkpoint.

The signer takes heads without a signature too, because those who ask it hold no key: who may ask is decided by who
may open its socket. A head that carries signatures is taken as well, and they are not looked at.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from portal.audit.notes import Head, NoteError, read_head
from portal.audit.signer.refusals import Malformed

ADD_CHECKPOINT = "/add-checkpoint"
#: Beside the protocol: what the signer tells of itself, a new key, and the end of old ones.
STATE = "/state"
ROTATE = "/rotate"
RETIRE = "/retire"
#: tlog-witness: "The client MUST NOT send more than 63 consistency proof lines."
MOST_PROOF_LINES = 63
LARGEST_REQUEST = 32_768
_SIZE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """A head to sign, and the proof (RFC 6962 §2.1.2) that it contains the first `old` entries."""

    old: int
    proof: tuple[bytes, ...]
    head: Head


def request_body(old: int, proof: Sequence[bytes], checkpoint: str) -> bytes:
    """The body of add-checkpoint; the checkpoint ends with a newline."""
    lines = [f"old {old}", *(base64.b64encode(step).decode() for step in proof), "", checkpoint]
    return "\n".join(lines).encode()


def read_request(body: bytes) -> Asked:
    """What the body asks for. Raises Malformed with a sentence."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("The request is not UTF-8.") from error
    front, separator, checkpoint = text.partition("\n\n")
    first, *lines = front.split("\n")
    word, _, size = first.partition(" ")
    if not separator or word != "old" or not _SIZE.fullmatch(size):
        raise Malformed(
            "The request does not begin with “old” and a size, and an empty line after the proof."
        )
    if len(lines) > MOST_PROOF_LINES:
        raise Malformed(f"The proof has more than {MOST_PROOF_LINES} lines.")
    head = _head(checkpoint)
    old = int(size)
    if old > head.size:
        raise Malformed(f"The old size {old} is larger than the head's, {head.size}.")
    return Asked(old, tuple(_hash(line) for line in lines), head)


def _head(checkpoint: str) -> Head:
    body, separator, _signatures = checkpoint.partition("\n\n")
    body = body + "\n" if separator else body
    try:
        head = read_head(checkpoint)
    except NoteError as error:
        raise Malformed(f"{error}.") from error
    if head.body() != body or not _SIZE.fullmatch(str(head.size)) or head.size < 1:
        raise Malformed("The head is not origin, size and root and nothing else.")
    return head


def _hash(line: str) -> bytes:
    try:
        step = base64.b64decode(line, validate=True)
    except ValueError as error:
        raise Malformed("A line of the proof is not base64.") from error
    if len(step) != hashlib.sha256().digest_size:
        raise Malformed("A line of the proof is not a SHA-256 hash.")
    return step
