"""The commands about the ledger's key: `signer`, and `audit key|rotate-key`."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable
from typing import Any

import click

# What they do is imported inside: the command line starts fast.

_ROOT_BYTES = 32


@click.command("signer")
@click.option(
    "--create",
    is_flag=True,
    help="Make the first key where there is none (in a token nothing else does), and stop.",
)
@click.option(
    "--adopt",
    nargs=2,
    metavar="SIZE ROOT",
    help="Take this as the last head that was signed, and stop: for a signer that lost its own. Compare size and root "
    "(base64 or hex, as a checkpoint that is held elsewhere states them) with the ledger first.",
)
def signer_command(create: bool, adopt: tuple[str, str] | None) -> None:  # noqa: FBT001  (click passes it by name)
    """Hold the ledger's signing key and sign heads at SIGNER_SOCKET until told to stop.

    Run it under an account of its own that shares with the portal's nothing but the socket's group. It needs
    SIGNER_SOCKET, SIGNER_FOLDER (or COUNTERSIGN_HOME), PUBLIC_URL when it starts for the first time, and for a token
    SIGNER_PKCS11_MODULE, _TOKEN, _PIN (or _PIN_FILE) and _KEY; no database and no other secret.
    """
    from portal.audit.signer.process import notary_of, own_settings, run
    from portal.audit.signer.refusals import SignerError

    place, public_url = own_settings()
    if not create and adopt is None:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        run(place, public_url)
        return
    notary = notary_of(place, public_url)
    try:
        if create:
            notary.begin(told=True)
        if adopt is not None:
            notary.adopt(*_head(*adopt))
        state = notary.state()
    except SignerError as error:
        raise click.ClickException(error.sentence) from error
    click.echo(state.verifiers[-1])
    click.echo(
        state.trouble
        or f"The last head has {state.size} entries, root {base64.b64encode(state.root).decode()}"
    )


def _head(size: str, root: str) -> tuple[int, bytes]:
    try:
        raw = bytes.fromhex(root) if len(root) == 2 * _ROOT_BYTES else base64.b64decode(root, validate=True)
        number = int(size)
    except (ValueError, binascii.Error) as error:
        raise click.BadParameter("SIZE is a number, ROOT is base64 or hex.", param_hint="--adopt") from error
    if number < 0 or len(raw) != _ROOT_BYTES:
        raise click.BadParameter("SIZE is not below 0, and ROOT has 32 bytes.", param_hint="--adopt")
    return number, raw


def add_key_commands(audit: click.Group, with_portal: Callable[[Any], Any]) -> None:
    """`audit key` and `audit rotate-key`, put into the ledger's group."""

    @audit.command("key")
    @with_portal
    def audit_key(portal: Any) -> None:
        """Print the ledger's public key and its fingerprint, to hand to auditors; earlier keys after it."""
        from portal.audit.checkpoint import NotSigned
        from portal.audit.notes import fingerprint, read_verifier_key

        try:
            verifiers = portal.signer.verifiers
        except NotSigned as error:
            raise click.ClickException(error.sentence) from error
        for index, verifier in enumerate(reversed(verifiers)):
            if index:
                click.echo("earlier:")
            click.echo(verifier)
            click.echo(fingerprint(read_verifier_key(verifier)[1]))

    @audit.command("rotate-key")
    @click.option(
        "--overlap-days",
        type=click.IntRange(1, 366),
        default=30,
        show_default=True,
        help="How long the old key signs every checkpoint beside the new one.",
    )
    @click.option("--retire", is_flag=True, help="Delete the old private key, whose overlap is over.")
    @with_portal
    def audit_rotate_key(portal: Any, overlap_days: int, retire: bool) -> None:  # noqa: FBT001
        """Begin to sign with a new ledger key, and say so in the ledger by the word of both keys.

        Files signed with the new key carry what leads to it from the old one, so whoever was given the old
        fingerprint can still verify. Hand out the new one before you retire the old.
        """
        from datetime import timedelta

        from portal.audit.checkpoint import NotSigned
        from portal.audit.notes import fingerprint, read_verifier_key
        from portal.audit.rotation import rotate
        from portal.audit.signer.refusals import SignerError

        try:
            if retire:
                portal.signer.desk.retire()
                click.echo("The old private key is deleted.")
                return
            state = rotate(portal.db, portal.signer, overlap=timedelta(days=overlap_days))
        except (NotSigned, SignerError) as error:
            raise click.ClickException(error.sentence) from error
        click.echo(state.verifiers[-1])
        click.echo(fingerprint(read_verifier_key(state.verifiers[-1])[1]))
        if state.overlap_until:
            click.echo(f"The old key signs beside it until {state.overlap_until:%Y-%m-%d %H:%M} UTC.")
