"""A witness: another party's server that checks each head against the last it saw, and signs it (C2SP tlog-witness)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, NoReturn

from portal.audit.holders.contract import Handover, Held, HolderContradicts, HolderFailed
from portal.audit.holders.cosignatures import FoundCosignature, WitnessKey, find_cosignature
from portal.audit.notes import NoteError
from portal.core.destinations import OutgoingRefused, origin_of
from portal.core.language import N_, say
from portal.core.outgoing import Answer, Outgoing, OutgoingFailed

#: A witness may be asked by another process of ours in between, so often.
_TRIES = 3
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_SIZE_TYPE = "text/x.tlog.size"
#: A witness's clock may be ahead of ours by so much.
_CLOCKS_APART = timedelta(minutes=5)
_OK, _BAD, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _UNPROCESSABLE = 200, 400, 403, 404, 409, 422


@dataclass(frozen=True, slots=True)
class WitnessHolder:
    """`url` is the submission prefix, `witness` the key that its operator gave."""

    kind: ClassVar[str] = N_("Witness")
    url: str
    witness: WitnessKey
    outgoing: Outgoing
    every: timedelta = timedelta(0)

    @property
    def key(self) -> str:
        """By its key's id."""
        return f"witness-{self.witness.key_id.hex()}"

    @property
    def name(self) -> str:
        """What it calls itself."""
        return self.witness.name

    def hand(self, handover: Handover) -> Held:
        """Ask for its signature, going on from the size that it says it has."""
        old = min(handover.known, handover.head.size)
        for _ in range(_TRIES):
            answer = self._ask(handover, old)
            if answer.status == _OK:
                return Held(handover.head.size, cosignatures=(self._cosignature(handover, answer),))
            if answer.status != _CONFLICT:
                self._refused(answer)
            old = self._size_that_it_has(handover, answer, old)
        raise HolderFailed(say("%(name)s says another size each time it is asked.", name=self.name))

    def reach(self) -> str:
        """Whether its address leads to where the portal may call; nothing is sent."""
        try:
            origin = origin_of(self.url)
            addresses = [
                str(self.outgoing.destinations.check_address(origin, text))
                for text in self.outgoing.resolve(origin.host, origin.port)
            ]
        except OutgoingRefused as refused:
            raise HolderFailed(str(refused)) from refused
        except (OSError, UnicodeError) as error:
            raise HolderFailed(
                say("%(name)s cannot be resolved: %(why)s", name=self.url, why=error)
            ) from error
        return f"{self.name} at {', '.join(addresses)}"

    def _ask(self, handover: Handover, old: int) -> Answer:
        proof = "".join(base64.b64encode(step).decode() + "\n" for step in handover.proof(old))
        body = f"old {old}\n{proof}\n{handover.note}".encode()
        try:
            return self.outgoing.call(
                "POST",
                f"{self.url}/add-checkpoint",
                headers={"Content-Type": "text/plain; charset=utf-8"},
                content=body,
            )
        except (OutgoingRefused, OutgoingFailed) as error:
            raise HolderFailed(str(error)) from error

    def _cosignature(self, handover: Handover, answer: Answer) -> FoundCosignature:
        """Its signature, checked as if it came from a stranger. Lines of other keys are ignored."""
        try:
            found = find_cosignature(handover.note + answer.content.decode(), self.witness)
        except (NoteError, UnicodeDecodeError) as error:
            raise HolderFailed(
                say("%(name)s answered with a signature that does not hold.", name=self.name)
            ) from error
        if found is None:
            raise HolderFailed(
                say("%(name)s answered without a signature of the key that it is known by.", name=self.name)
            )
        if found.at > handover.now() + _CLOCKS_APART:
            raise HolderFailed(say("%(name)s signs with a time that is still to come.", name=self.name))
        return found

    def _size_that_it_has(self, handover: Handover, answer: Answer, old: int) -> int:
        """From its answer 409. Raises HolderContradicts when no ledger that begins as ours could be there."""
        found = _SIZE.fullmatch(answer.content)
        if found is None or not answer.headers.get("content-type", "").startswith(_SIZE_TYPE):
            raise HolderFailed(say("%(name)s refused without saying which size it has.", name=self.name))
        size = int(found[1])
        entries = handover.entries()
        if size > entries:
            raise HolderContradicts(
                say(
                    "%(where)s holds a checkpoint of %(theirs)s entries, but the ledger has only %(ours)s.",
                    where=self.name,
                    theirs=size,
                    ours=entries,
                )
            )
        if size == old != handover.head.size:
            raise HolderFailed(say("%(name)s refused the size that it has itself.", name=self.name))
        if size == old:
            raise HolderContradicts(
                say(
                    "%(where)s holds a checkpoint of %(theirs)s entries with another root: the first entries of this "
                    "ledger are not those that were handed over.",
                    where=self.name,
                    theirs=size,
                )
            )
        if size > handover.head.size:
            raise HolderFailed(
                say("%(name)s has a later checkpoint already; the next one follows.", name=self.name)
            )
        return size

    def _refused(self, answer: Answer) -> NoReturn:
        if answer.status == _UNPROCESSABLE:
            raise HolderContradicts(
                say(
                    "%(name)s says that this ledger does not begin with the one that it saw: the proof does not hold.",
                    name=self.name,
                )
            )
        if answer.status == _NOT_FOUND:
            raise HolderFailed(
                say("%(name)s does not know this ledger. Give its operator the ledger's key.", name=self.name)
            )
        if answer.status == _FORBIDDEN:
            raise HolderFailed(
                say(
                    "%(name)s does not trust the key that signs this ledger. Give its operator the ledger's key.",
                    name=self.name,
                )
            )
        if answer.status == _BAD:
            raise HolderFailed(say("%(name)s does not understand what it is sent.", name=self.name))
        raise HolderFailed(say("%(name)s answered %(status)s.", name=self.name, status=answer.status))
