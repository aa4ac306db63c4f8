"""`countersign people auditor`: the roof gives the commands the portal that they run in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

# What they do is imported inside them: the command line starts fast, also where no database is.

_DAY = click.DateTime(["%Y-%m-%d"])


def _scope(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say days and scope."""
    for option in (
        click.option("--until", type=_DAY, help="Only requests made until this day."),
        click.option("--since", type=_DAY, help="Only requests made from this day on."),
        click.option("--offering", "offerings", multiple=True, help="Only this offering; may be repeated."),
        click.option(
            "--unit", "units", multiple=True, help="Only this unit and those below it; may be repeated."
        ),
        click.option("--to", "last", type=_DAY, required=True, help="The last day, included."),
        click.option("--from", "first", type=_DAY, required=True, help="The first day."),
    ):
        command = option(command)
    return command


def auditor_commands(with_portal: Callable[[Any], Any]) -> click.Group:
    """`people auditor give|change|end|list`. `with_portal` wraps a command so that it is given the portal."""

    @click.group("auditor")
    def auditor() -> None:
        """Accounts of auditors: read-only, from a day to a day, for a part of what there is."""

    @auditor.command("give")
    @click.argument("user_name")
    @_scope
    @with_portal
    def give(portal: Any, user_name: str, **said: Any) -> None:
        """Make USER_NAME's account an auditor's. It then reads what is in scope, and nothing else."""
        from portal.identity.actor import PORTAL
        from portal.identity.auditors.giving import give_mandate

        with portal.db.transaction() as session:
            give_mandate(session, PORTAL, user_name, _wish(session, **said))
        click.echo(f"{user_name} audits from {said['first']:%Y-%m-%d} to {said['last']:%Y-%m-%d}.")

    @auditor.command("change")
    @click.argument("user_name")
    @_scope
    @with_portal
    def change(portal: Any, user_name: str, **said: Any) -> None:
        """Say other days or another scope of USER_NAME's mandate; what is not said is all."""
        from portal.identity.actor import PORTAL
        from portal.identity.auditors.giving import change_mandate

        with portal.db.transaction() as session:
            change_mandate(session, PORTAL, _mandate_of(session, user_name), _wish(session, **said))
        click.echo(f"{user_name} audits from {said['first']:%Y-%m-%d} to {said['last']:%Y-%m-%d}.")

    @auditor.command("end")
    @click.argument("user_name")
    @with_portal
    def end(portal: Any, user_name: str) -> None:
        """End USER_NAME's mandate now."""
        from portal.identity.actor import PORTAL
        from portal.identity.auditors.giving import end_mandate

        with portal.db.transaction() as session:
            end_mandate(session, PORTAL, _mandate_of(session, user_name))
        click.echo(f"{user_name} sees nothing any more.")

    @auditor.command("list")
    @with_portal
    def list_all(portal: Any) -> None:
        """Print every account that audits or did, with its days and its scope."""
        from catalog.auditors.queries import mandates

        with portal.db.reading() as session:
            for line in mandates(session):
                wish = line.wish
                scope = ", ".join((*wish.units, *wish.offerings)) or "everything"
                period = (
                    f", requests from {wish.since or '…'} to {wish.until or '…'}"
                    if wish.since or wish.until
                    else ""
                )
                click.echo(
                    f"{line.user_name}: {wish.first_day} to {wish.last_day} ({line.state}), {scope}{period}"
                )

    return auditor


def _wish(
    session: Any,
    *,
    first: datetime,
    last: datetime,
    units: tuple[str, ...],
    offerings: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
) -> Any:
    from catalog.auditors.queries import check_offerings
    from portal.identity.auditors.giving import Wish

    return check_offerings(
        session,
        Wish(
            first.date(),
            last.date(),
            units,
            offerings,
            since.date() if since else None,
            until.date() if until else None,
        ),
    )


def _mandate_of(session: Any, user_name: str) -> int:
    from sqlalchemy import select

    from portal.core.errors import NotFound
    from portal.identity.auditors.reading import last_mandate
    from portal.identity.model import Person

    number = session.scalar(select(Person.id).where(Person.user_name == user_name))
    mandate = last_mandate(session, number) if number is not None else None
    if mandate is None:
        message = f"{user_name} has no mandate."
        raise NotFound(message)
    return int(mandate.id)
