"""The signer itself: its keys, its own last head, and the one rule by which it signs or refuses.

It never reads the database. What it signs contains what it signed before, as far as it remembers; and it remembers
before a signature leaves it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from portal.audit.merkle import EMPTY_ROOT, is_consistent
from portal.audit.notes import Head, NoteError, is_signed_by, read_head
from portal.audit.signer.files import alone_in, write_durably
from portal.audit.signer.refusals import NotNow, Refused, SignerError, Stale, UnknownLog, Unready
from portal.audit.signer.ring import (
    KEYS_FILE,
    Ring,
    find_ring,
    keep_ring,
    new_ring,
    retired,
    rotated,
    signatures,
)
from portal.audit.signer.vault import Vault

HEAD_FILE = "head.note"
REFUSED_FILE = "refused.json"
BEGINNING_FILE = "beginning"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerState:
    """What the signer tells of itself. `size` is None when it cannot sign, and `trouble` says why."""

    origin: str
    #: All public keys ever (name+hash+key), newest last.
    verifiers: tuple[str, ...]
    #: A signed note for each rotation, oldest first.
    statements: tuple[str, ...]
    #: Until when the key before the current one signs, or signed; None when there was no rotation.
    overlap_until: datetime | None
    size: int | None
    root: bytes
    trouble: str = ""
    #: What it refused since it last signed, and when.
    refused: str = ""
    refused_at: datetime | None = None


def system_time() -> datetime:
    """The signer's own clock."""
    return datetime.now(UTC)


class Notary:
    """Signs heads of one log. Safe to use from several threads and processes that share the folder."""

    def __init__(
        self, folder: Path, vault: Vault, *, origin: str, clock: Callable[[], datetime] = system_time
    ) -> None:
        self.folder = folder
        self._vault = vault
        self._origin = origin
        self._clock = clock

    def begin(self, *, told: bool = False) -> None:
        """Make the first key where there is none and it may be made, or an operator told so. Raises Unready."""
        with alone_in(self.folder):
            if find_ring(self.folder) is None and (told or self._vault.makes_the_first):
                self._begin()

    def state(self) -> SignerState:
        """As it is now. Raises Unready when not even its keys are known."""
        with alone_in(self.folder):
            ring = self._ring()
            trouble, size, root = "", None, b""
            try:
                last = self._last(ring)
                ring.insist_on_keys(self._vault, self._clock())
                size, root = last.size, last.root
            except SignerError as error:
                trouble = error.sentence
            refused, refused_at = self._refusal()
        return SignerState(
            origin=ring.origin,
            verifiers=ring.verifiers,
            statements=ring.statements,
            overlap_until=ring.overlap_until,
            size=size,
            root=root,
            trouble=trouble,
            refused=refused,
            refused_at=refused_at,
        )

    def sign(self, old: int, proof: Sequence[bytes], head: Head) -> str:
        """The signature lines over the head, the current key's first.

        Raises Stale, Refused, UnknownLog, Unready. The checks are those of tlog-witness' add-checkpoint.
        """
        with alone_in(self.folder):
            ring = self._ring()
            if head.origin != ring.origin:
                message = f"This signer signs {ring.origin} and not {head.origin[:200]}."
                raise UnknownLog(message)
            last = self._last(ring)
            if old != last.size:
                raise Stale(last.size)
            if not is_consistent(last.size, last.root, head.size, head.root, proof):
                raise self._refuse(last, head)
            lines = signatures(ring, self._vault, head.body(), self._clock())
            # Remembered first: a signature that left and was forgotten would let another past be signed.
            write_durably(self.folder / HEAD_FILE, f"{head.body()}\n{lines}")
            (self.folder / REFUSED_FILE).unlink(missing_ok=True)
            return lines

    def rotate(self, overlap: timedelta) -> SignerState:
        """Begin to sign with a new key; the one before signs as well until the overlap ends. Raises NotNow, Unready."""
        with alone_in(self.folder):
            ring = self._ring()
            last = self._last(ring)
            grown = rotated(self.folder, ring, self._vault, at=self._clock(), overlap=overlap)
            # The last head is known by a signature: from here on by the new key's too.
            self._remember(grown, last)
        return self.state()

    def retire(self) -> SignerState:
        """Delete old keys whose overlap is over. Raises NotNow, Unready."""
        with alone_in(self.folder):
            ring = self._ring()
            retired(self.folder, ring, self._vault, at=self._clock())
        return self.state()

    def adopt(self, size: int, root: bytes) -> None:
        """Take this as the last head, because an operator says so; what came before is forgotten. Raises Unready."""
        if (size == 0) != (root == EMPTY_ROOT):
            raise NotNow("A ledger of no entries has the root of no entries, and no other has it.")
        with alone_in(self.folder):
            ring = find_ring(self.folder)
            if ring is None:
                ring = new_ring(self._vault, self._origin)
                keep_ring(self.folder, ring)
            self._remember(ring, Head(ring.origin, size, root))
            (self.folder / REFUSED_FILE).unlink(missing_ok=True)

    def _begin(self) -> None:
        beginning = self.folder / BEGINNING_FILE
        if self._vault.has(1) and not beginning.exists():
            message = (
                f"The signer's folder {self.folder} lost its list of keys ({KEYS_FILE}), but there is a key. Restore the "
                "folder from a backup, or tell the signer where to begin: countersign signer --adopt SIZE ROOT"
            )
            raise Unready(message)
        # Says after a crash that key and head were never used, so that this is done once more and not refused.
        write_durably(beginning, "")
        ring = new_ring(self._vault, self._origin)
        self._remember(ring, Head(ring.origin, 0, EMPTY_ROOT))
        keep_ring(self.folder, ring)
        beginning.unlink()

    def _ring(self) -> Ring:
        ring = find_ring(self.folder)
        if ring is None and self._vault.makes_the_first:
            self._begin()
            ring = find_ring(self.folder)
        if ring is None:
            message = f"The signer has no key yet in {self.folder}. Make it: countersign signer --create"
            raise Unready(message)
        return ring

    def _remember(self, ring: Ring, head: Head) -> None:
        lines = signatures(ring, self._vault, head.body(), self._clock())
        write_durably(self.folder / HEAD_FILE, f"{head.body()}\n{lines}")

    def _last(self, ring: Ring) -> Head:
        try:
            note = (self.folder / HEAD_FILE).read_text(encoding="utf-8")
            if any(is_signed_by(note, verifier) for verifier in ring.verifiers):
                return read_head(note)
            why = "is not signed by its own key"
        except FileNotFoundError:
            why = "is lost"
        except (OSError, NoteError, UnicodeDecodeError):
            why = "is damaged"
        message = (
            f"The signer's last head ({self.folder / HEAD_FILE}) {why}, so it cannot tell whether the ledger is still the "
            "one that it signed. Restore the file from a backup, or compare the last checkpoint that is held elsewhere "
            "with the ledger and tell the signer: countersign signer --adopt SIZE ROOT"
        )
        raise Unready(message)

    def _refuse(self, last: Head, head: Head) -> Refused:
        message = f"Refused to sign a head of {head.size} entries: its first {last.size} are not those that were signed before."
        at = self._clock()
        write_durably(self.folder / REFUSED_FILE, json.dumps({"why": message, "at": at.isoformat()}))
        return Refused(message)

    def _refusal(self) -> tuple[str, datetime | None]:
        try:
            found = json.loads((self.folder / REFUSED_FILE).read_text(encoding="utf-8"))
            return str(found["why"]), datetime.fromisoformat(found["at"])
        except (OSError, ValueError, KeyError, TypeError):
            return "", None
