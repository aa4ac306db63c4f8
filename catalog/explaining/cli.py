"""`countersign explain`; the roof gives it the portal that it runs in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

# What it does is imported inside it: the command line starts fast, also where no database is.

NOBODY = 1


def explain_command(with_portal: Callable[[Any], Any]) -> click.Command:
    """`explain`. `with_portal` wraps a command so that it is given the portal."""

    @click.command()
    @click.argument("value")
    @click.option("--at", default="", help="A day, or a moment in UTC; without it, now and before.")
    @click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
    @with_portal
    def explain(portal: Any, value: str, at: str, as_json: bool) -> None:  # noqa: FBT001  (click passes it by name)
        """Say who allowed VALUE: an address, network, port, host name, serial number, fingerprint, account, group, commit or reference.

        Exits with 0 when a request allows it, and with 1 when nobody did or nothing is known.
        """
        from catalog.explaining.answering import explain as ask
        from catalog.explaining.told import moment_asked, to_json
        from portal.identity.actor import Actor

        # Whoever may run commands beside the database may read all of it.
        reader = Actor("The command line", roles=frozenset({"operator"}))
        with portal.db.reading() as session:
            found = ask(session, reader, value, at=moment_asked(at))
        if as_json:
            address = f"{portal.settings.public_url}/requests/{{reference}}/evidence.pdf"
            click.echo(json.dumps(to_json(found, evidence=address), indent=2, ensure_ascii=False))
        else:
            for line in _lines(found):
                click.echo(line)
        if found.verdict in {"nobody", "unknown"}:
            raise click.exceptions.Exit(NOBODY)

    return explain


def _lines(found: Any) -> list[str]:
    lines = [
        {
            "allowed": "Allowed.",
            "was-allowed": "Not now; it was allowed before.",
            "nobody": "It is live, and nobody allowed it.",
            "unknown": "Nothing is known of this.",
        }[found.verdict]
    ]
    for one in found.allowed:
        approved = ", ".join(
            f"{a.by or 'the published policy'} on {a.at:%Y-%m-%d %H:%M} UTC" for a in one.approvals
        )
        lines.append(f"  {one.reference} ({one.state}): {one.label}, for {one.holder or one.requester}")
        lines.append(f"    asked by {one.requester}, approved by {approved or 'nobody yet'}")
    lines += [
        f"  nobody allowed: {one.label} [{one.key}], seen since {one.first_seen_at:%Y-%m-%d}"
        for one in found.unexplained
    ]
    return lines
