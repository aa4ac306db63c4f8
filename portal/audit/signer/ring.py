"""The list of the signer's keys, kept as JSON in its folder: which there were, and until when each of them signs."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from portal.audit.notes import read_verifier_key, verifier_key
from portal.audit.signer.files import write_durably
from portal.audit.signer.refusals import NotNow, Unready
from portal.audit.signer.statement import Rotation, signature_line
from portal.audit.signer.vault import SigningKey, Vault

KEYS_FILE = "keys.json"
LONGEST_OVERLAP = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """One key. `until` is None for the current one; an old one signs until then, and is deleted only when told."""

    number: int
    verifier: str
    until: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """All keys, newest last, and what was stated at each rotation."""

    origin: str
    keys: tuple[ListedKey, ...]
    statements: tuple[str, ...] = ()

    @property
    def verifiers(self) -> tuple[str, ...]:
        """All public keys ever (name+hash+key), newest last."""
        return tuple(key.verifier for key in self.keys)

    def signing(self, at: datetime) -> tuple[ListedKey, ...]:
        """Those that sign now, newest first."""
        return tuple(
            key for key in reversed(self.keys) if not key.deleted and (key.until is None or key.until > at)
        )

    def insist_on_keys(self, vault: Vault, at: datetime) -> None:
        """Raise Unready unless every key that signs now can be used."""
        for listed in self.signing(at):
            _loaded(vault, listed)

    @property
    def overlap_until(self) -> datetime | None:
        """Until when the key before the current one signs, or signed."""
        return self.keys[-2].until if len(self.keys) > 1 else None


def find_ring(folder: Path) -> Ring | None:
    """The list, or None where none was made. Raises Unready when it cannot be read."""
    try:
        text = (folder / KEYS_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"The signer's list of keys cannot be read: {error.strerror}."
        raise Unready(message) from error
    try:
        found = json.loads(text)
        keys = tuple(
            ListedKey(
                number=key["number"],
                verifier=key["verifier"],
                until=datetime.fromisoformat(key["until"]) if key["until"] else None,
                deleted=key["deleted"],
            )
            for key in found["keys"]
        )
        return Ring(found["origin"], keys, tuple(found["statements"]))
    except (ValueError, KeyError, TypeError) as error:
        message = f"The signer's list of keys, {folder / KEYS_FILE}, is damaged. Restore it from a backup."
        raise Unready(message) from error


def new_ring(vault: Vault, origin: str) -> Ring:
    """The list of the first key alone, which is made where it is missing; not kept yet. Raises Unready."""
    key = vault.make(1)
    return Ring(origin, (ListedKey(number=1, verifier=verifier_key(origin, key.public_key())),))


def keep_ring(folder: Path, ring: Ring) -> None:
    """From here on this is the list. Raises Unready."""
    listed = [
        {
            "number": key.number,
            "verifier": key.verifier,
            "until": key.until.isoformat() if key.until else None,
            "deleted": key.deleted,
        }
        for key in ring.keys
    ]
    made = {"origin": ring.origin, "keys": listed, "statements": list(ring.statements)}
    write_durably(folder / KEYS_FILE, json.dumps(made, indent=1))


def signatures(ring: Ring, vault: Vault, text: str, at: datetime) -> str:
    """The lines of all keys that sign now over the text, the current one's first. Raises Unready."""
    return "".join(_signed(ring.origin, _loaded(vault, key), text) for key in ring.signing(at))


def rotated(folder: Path, ring: Ring, vault: Vault, *, at: datetime, overlap: timedelta) -> Ring:
    """A new key beside the current one, which signs as well until the overlap ends. Raises NotNow, Unready."""
    if not timedelta(0) < overlap <= LONGEST_OVERLAP:
        message = f"The overlap must be between 1 and {LONGEST_OVERLAP.days} days."
        raise NotNow(message)
    if ring.overlap_until and ring.overlap_until > at:
        message = f"The last rotation is still under way: the key before signs until {ring.overlap_until.isoformat()}."
        raise NotNow(message)
    current = ring.keys[-1]
    # Made before it is listed: a crash in between leaves a key that the next rotation takes.
    old, new = _loaded(vault, current), vault.make(current.number + 1)
    listed = ListedKey(number=current.number + 1, verifier=verifier_key(ring.origin, new.public_key()))
    stated = Rotation(ring.origin, current.verifier, listed.verifier).body()
    lines = _signed(ring.origin, new, stated) + _signed(ring.origin, old, stated)
    grown = Ring(
        ring.origin,
        (*ring.keys[:-1], replace(current, until=at + overlap), listed),
        (*ring.statements, f"{stated}\n{lines}"),
    )
    keep_ring(folder, grown)
    return grown


def retired(folder: Path, ring: Ring, vault: Vault, *, at: datetime) -> Ring:
    """Delete the old keys, whose overlap is over. Raises NotNow when there is none such, Unready."""
    over = [key for key in ring.keys if key.until is not None and key.until <= at and not key.deleted]
    if not over:
        when = ring.overlap_until
        message = (
            f"The key before the current one signs until {when.isoformat()}; it is deleted after that."
            if when and when > at
            else "There is no old key to delete."
        )
        raise NotNow(message)
    for key in over:
        vault.destroy(key.number)
    gone = {key.number for key in over}
    shrunk = replace(
        ring, keys=tuple(replace(key, deleted=key.deleted or key.number in gone) for key in ring.keys)
    )
    keep_ring(folder, shrunk)
    return shrunk


def _loaded(vault: Vault, listed: ListedKey) -> SigningKey:
    key = vault.load(listed.number)
    name, public = read_verifier_key(listed.verifier)
    if key.public_key() != public:
        message = (
            f"Key {listed.number} of {name} is another one than the list says. Restore it from a backup."
        )
        raise Unready(message)
    return key


def _signed(origin: str, key: SigningKey, text: str) -> str:
    return signature_line(origin, key.public_key(), key.sign(text.encode()))
