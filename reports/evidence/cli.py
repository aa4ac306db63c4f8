"""The commands `evidence` and `verify`. What they need is imported when they run: `verify` starts without a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from portal.core.language import LANGUAGES, SOURCE
from portal.core.settings import Settings

if TYPE_CHECKING:
    from reports.evidence.make import Workbench
    from reports.evidence.verify import Verification

#: The command that a reference stands for.
MAKE = "make"
STYLES = {True: "green", False: "bold red", None: "yellow"}


class _OfOneRequest(click.Group):
    """A group whose first word may be a request's reference instead of a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What is no command of the group is given to the one that makes a file."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [MAKE, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_OfOneRequest)
def evidence() -> None:
    """Make the signed evidence of one request: countersign evidence SR-000001."""


@evidence.command("rotate-key")
def evidence_rotate_key() -> None:
    """Sign files with a new key and certificate from now on, and say so in the ledger; old files stay verifiable."""
    from reports.evidence.key_rotation import rotate_key

    with _bench() as bench:
        key = rotate_key(bench)
    click.echo(f"The new certificate is {key.fingerprint}")


@evidence.command(MAKE)
@click.argument("reference")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to save it [default: REFERENCE.pdf].",
)
@click.option(
    "--language",
    type=click.Choice(list(LANGUAGES)),
    default=SOURCE,
    show_default=True,
    help="The language of the pages; the attached facts are the same in each.",
)
def evidence_make(reference: str, output: Path | None, language: str) -> None:
    """Make the signed evidence of one request, such as SR-000001."""
    from portal.identity.actor import PORTAL
    from reports.evidence.make import make_evidence, record_download

    with _bench() as bench:
        made = make_evidence(bench, reference.upper(), language)
        with bench.db.transaction() as session:
            record_download(session, PORTAL, made)
    target = output or Path(made.name)
    try:
        target.write_bytes(made.path.read_bytes())
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from error
    Console().print(f"{target}  {made.digest}", highlight=False, markup=False, soft_wrap=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY",
    help="The ledger's key (name+hash+key) or a SHA-256 fingerprint of it or of the certificate, as you were given it "
    "by another way than this file; or a file that holds one. A witness's key (name+hash+key) has its signature looked for.",
)
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A checkpoint of the ledger that you keep: the ledger in FILE must be the one that it states.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def verify(file: Path, keys: tuple[str, ...], checkpoints: tuple[Path, ...], as_json: bool) -> None:  # noqa: FBT001  (click passes it by name)
    """Check a FILE offline: evidence, an audit's report, or its bundle (a ZIP file or a folder).

    Ends with 0 only if everything that can be checked holds.
    """
    from reports.evidence.verify import Trusted, verify_file

    try:
        trusted = Trusted.of(keys, checkpoints)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--key") from error
    try:
        with Console(stderr=True).status("") as status:
            result = verify_file(file, trusted=trusted, progress=lambda member: status.update(escape(member)))
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from error
    if as_json:
        click.echo(json.dumps(result.to_json(), indent=2, ensure_ascii=False))
    else:
        _print(result)
    if not result.holds:
        raise click.exceptions.Exit(1)


@contextmanager
def _bench() -> Iterator[Workbench]:
    from portal.audit.checkpoint import Signer
    from portal.core.database import Database
    from portal.core.migrate import require_head
    from reports.evidence.make import Workbench

    settings = Settings.from_environment()
    require_head(settings)
    db = Database(settings.database_url)
    try:
        yield Workbench(db, settings, Signer.from_settings(settings))
    finally:
        db.dispose()


def _print(result: Verification) -> None:
    from reports.evidence.verify.result import SIGNS

    console = Console(highlight=False)
    lines = Table.grid(padding=(0, 1))
    for check in result.checks:
        lines.add_row(SIGNS[check.holds], Text(check.sentence), style=STYLES[check.holds])
    console.print(lines)
    if result.claim and result.holds:
        console.print(Text(f"\n{result.reference}: {result.claim}"))
    style = "bold green" if result.proven else STYLES[None] if result.holds else "bold red"
    console.print(Text(f"\n{result.verdict}", style=style))
