"""The ledger's signer: whether it answers, knows its last head, and signs with a key that nothing is wrong with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from portal.audit.checkpoint import NotSigned, Signer
from portal.audit.signer.notary import SignerState
from portal.audit.signer.process import notary_of
from portal.audit.signer.refusals import SignerError
from portal.audit.signer.ring import KEYS_FILE
from portal.core.settings import Settings
from portal.doctor.check import Check, fail, ok, warn

_NAME = "Ledger's signer"


def check_signer(settings: Settings) -> Iterator[Check]:
    """One line, and one for what it refused. Changes nothing."""
    place = settings.signer
    if place.socket is None and not (place.folder / KEYS_FILE).exists() and place.token is None:
        yield ok(_NAME, "in this process; its key is made on first use")
        return
    try:
        # Asked itself, and not what it told before it went away.
        state = (
            Signer.from_settings(settings).desk.state()
            if place.socket
            else notary_of(place, settings.public_url).state()
        )
    except (SignerError, NotSigned) as error:
        yield fail(
            _NAME,
            error.sentence,
            "Start it: countersign signer. Until then no checkpoint and no evidence is made."
            if place.socket
            else "Until this is mended no checkpoint and no evidence is made.",
        )
        return
    if state.trouble:
        yield fail(_NAME, state.trouble, "Until then no checkpoint and no evidence is made.")
        return
    yield _well(settings, state)
    if state.refused:
        when = f" ({state.refused_at:%Y-%m-%d %H:%M} UTC)" if state.refused_at else ""
        yield fail(
            "Ledger signed",
            f"{state.refused}{when}",
            "The ledger was changed behind the portal's back, or an old backup was restored: countersign audit verify",
        )


def _well(settings: Settings, state: SignerState) -> Check:
    where = f"at {settings.signer.socket}" if settings.signer.socket else "in this process"
    found = f"{where}, last head of {state.size} entries, keys so far: {len(state.verifiers)}"
    if state.overlap_until and state.overlap_until > datetime.now(UTC):
        found += f"; the key before signs until {state.overlap_until:%Y-%m-%d}"
    if settings.signer.socket is None and not settings.development:
        return warn(
            _NAME,
            found,
            "Run it as a process under its own account: countersign signer, SIGNER_SOCKET for all.",
        )
    return ok(_NAME, found)
