"""The further targets that the settings name: whether each answers, or may be called at all."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.http import read_targets
from catalog.fulfilment.connectors.postgresql import PostgresqlConnector
from portal.core.destinations import Destinations, OutgoingRefused
from portal.core.errors import SettingsError
from portal.core.outgoing import resolve
from portal.core.settings import Settings
from portal.doctor.check import Check, fail, ok, warn
from portal.wiring.connectors import directory_of

if TYPE_CHECKING:
    from catalog.fulfilment.connectors.ldap import LdapConnector


def check_targets(settings: Settings) -> Iterator[Check]:
    """One line for each target that is set up and whose secrets this process has. Changes nothing on any."""
    if settings.postgresql_target:
        database = PostgresqlConnector(settings.postgresql_target, name=settings.postgresql_target_name)
        yield _answers("PostgreSQL target", "POSTGRESQL_TARGET", lambda: database, "roles")
    if settings.ldap_url and settings.builds("ldap"):
        yield _answers("LDAP directory", "LDAP_URL", lambda: directory_of(settings), "groups")
    if settings.ssh_principals and settings.builds("ssh"):
        yield _ssh(settings)
    if settings.http_targets and settings.builds("http"):
        yield from _tools(settings)


def _answers(
    name: str, variable: str, make: Callable[[], PostgresqlConnector | LdapConnector], choices: str
) -> Check:
    try:
        found = make().choices(choices)
    except SettingsError as error:
        return fail(name, str(error), f"Set {variable} anew.")
    except ConnectorError as error:
        return fail(name, error.message, f"Check {variable} and the account that it names.")
    if not found:
        return warn(
            name, f"it answers and offers no {choices}", "Nothing can be ordered of it: give the portal some."
        )
    return ok(name, f"it answers and offers {len(found)} {choices}")


def _ssh(settings: Settings) -> Check:
    if shutil.which("ssh-keygen") is None:
        return fail(
            "SSH authority",
            "ssh-keygen is missing, so no certificate can be taken back",
            "Debian and Ubuntu: apt-get install openssh-client",
        )
    accounts = ", ".join(settings.ssh_principals)
    return ok(
        "SSH authority", f"signs for {accounts}; servers read {settings.public_url}/pki/ssh/revoked.krl"
    )


def _tools(settings: Settings) -> Iterator[Check]:
    """Whether each may be called: its name is resolved and its addresses are judged, and nothing is sent."""
    try:
        targets = read_targets(settings.http_targets) if settings.http_targets else {}
        origins = {name: target.origin for name, target in targets.items()}
        listed = Destinations.listed([str(origin) for origin in origins.values()], settings.outgoing_networks)
    except SettingsError as error:
        yield fail("Automation targets", str(error), "Mend the file that HTTP_TARGETS names.")
        return
    for name, origin in origins.items():
        title = f"Target {name}"
        try:
            addresses = [listed.check_address(origin, text) for text in resolve(origin.host, origin.port)]
        except OutgoingRefused as refused:
            yield fail(title, str(refused), "List the network in OUTGOING_NETWORKS if it is meant.")
        except (socket.gaierror, UnicodeError) as error:
            yield warn(
                title, f"{origin} cannot be resolved: {error}", "Check the name in the file of targets."
            )
        else:
            yield ok(title, f"{origin} at {', '.join(map(str, addresses))}")
