"""The one table that `countersign up` prints: where everything is, and who can sign in as what."""

from __future__ import annotations

from rich import box
from rich.table import Table

from portal.identity.development_sso.__main__ import DEMO_ORGANISATION
from portal.identity.development_sso.config import DEMO_PASSWORD
from portal.identity.development_sso.people import Person, read_organisation
from portal.supervisor.house import House

#: How many people without a role are listed; all can sign in, and the sign-in page names them all.
LISTED = 5


def table_of(house: House) -> Table:
    """Addresses first, then people; everybody's password is the same and shown once."""
    table = Table(title="Countersign is ready", box=box.ROUNDED, show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("Portal", house.settings.public_url, "order, approve, download evidence")
    if house.mailbox_url:
        table.add_row("Mailbox", house.mailbox_url, "every mail that the portal sends")
    if house.sso_url:
        table.add_row("Sign-in", house.sso_url, "the development identity provider")
    table.add_row(
        "Data folder", str(house.home), "logs, keys and the database are in it; Ctrl-C stops everything"
    )
    if house.sso_url:
        table.add_section()
        table.add_row("Sign in as", f"password: {DEMO_PASSWORD}", "", style="bold")
        for person in _worth_listing(read_organisation(DEMO_ORGANISATION).people):
            roles = ", ".join(role.replace("_", " ") for role in person.roles)
            table.add_row(
                person.user_name, person.name, f"{person.title} ({roles})" if roles else person.title
            )
    return table


def _worth_listing(people: tuple[Person, ...]) -> list[Person]:
    able = [person for person in people if person.active]
    plain = [person for person in able if not person.roles]
    return [person for person in able if person.roles] + plain[-LISTED:]
