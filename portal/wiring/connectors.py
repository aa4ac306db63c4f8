"""Which connectors there are. One that needs a target is there when the settings name the target."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from catalog.entitlements.connector import EntitlementsConnector
from catalog.fulfilment.connectors.ansible import AnsibleConnector, Playbooks, Runner
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.connector import CaConnector
from catalog.fulfilment.connectors.contract import Connector
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.kernel import Kernel
from catalog.fulfilment.connectors.firewall.remote import Remote
from catalog.fulfilment.connectors.http import HttpConnector, read_targets
from catalog.fulfilment.connectors.manual.connector import ManualConnector
from catalog.fulfilment.connectors.postgresql import PostgresqlConnector
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.connectors.scim.connector import ScimConnector
from catalog.fulfilment.connectors.ssh import SshAuthority, SshConnector
from catalog.fulfilment.secrets.one_time import one_time_secret
from catalog.reconciliation.connector import ReconciliationConnector
from portal.core.database import Database
from portal.core.destinations import Destinations
from portal.core.errors import SettingsError
from portal.core.outgoing import Outgoing
from portal.core.settings import Settings

if TYPE_CHECKING:
    from catalog.fulfilment.connectors.ldap import LdapConnector


def connectors_of(settings: Settings, db: Database, authority: CertificateAuthority) -> Connectors:
    """Every connector that this portal has."""
    connectors = Connectors(
        (
            ScimConnector(settings.scim_url, settings.scim_token),
            CaConnector(authority),
            _firewall(settings),
            ManualConnector(db),
            EntitlementsConnector(db, lambda: connectors),
            ReconciliationConnector(db, lambda: connectors),
            *_optional(settings, db),
        )
    )
    return connectors


def _firewall(settings: Settings) -> FirewallConnector:
    """The firewall's policy, pushed and loaded where the settings say so. Raises SettingsError."""
    remote = Remote(settings.firewall_remote, settings.firewall_remote_key, settings.firewall_known_hosts)
    try:
        return FirewallConnector(
            settings.firewall_repository,
            remote=remote if settings.firewall_remote else None,
            kernel=Kernel(settings.firewall_apply_prefix) if settings.firewall_apply == "nft" else None,
            outputs=settings.firewall_outputs,
        )
    except ValueError as error:
        message = f"FIREWALL_OUTPUTS: {error}."
        raise SettingsError(message) from error


def _optional(settings: Settings, db: Database) -> Iterator[Connector]:
    """Connectors to targets that this portal has been told of."""
    if settings.ansible_repository:
        playbooks = Playbooks(settings.ansible_repository, settings.ansible_folder / "repository.git")
        runner = Runner(
            settings.ansible_folder,
            inventory=settings.ansible_inventory,
            program=settings.ansible_playbook,
            private_key=settings.ansible_private_key,
            vault_password=settings.ansible_vault_password,
            seconds=settings.ansible_seconds,
            forks=settings.ansible_forks,
        )
        yield AnsibleConnector(playbooks, runner, name=settings.ansible_name)
    if settings.postgresql_target:
        yield PostgresqlConnector(settings.postgresql_target, name=settings.postgresql_target_name)
    if settings.ldap_url:
        yield directory_of(settings)
    if settings.http_targets and settings.builds("http"):
        targets = read_targets(settings.http_targets)
        hosts = [str(target.origin) for target in targets.values()]
        outgoing = Outgoing(Destinations.listed(hosts, settings.outgoing_networks))
        yield HttpConnector(targets, outgoing, db, settings.public_url)
    if settings.acme_directory:
        yield _acme(settings)
    if settings.ssh_principals and settings.builds("ssh"):
        authority = SshAuthority(settings.ssh_folder)
        authority.create_if_missing()
        yield SshConnector(authority, settings.ssh_principals)


def directory_of(settings: Settings) -> LdapConnector:
    """The directory that the settings name. Its library takes a tenth of a second to import. Raises SettingsError."""
    from catalog.fulfilment.connectors.ldap import LdapConnector, Place  # noqa: PLC0415

    place = Place(
        url=settings.ldap_url,
        bind_dn=settings.ldap_bind_dn,
        password=settings.ldap_password,
        people=settings.ldap_people,
        groups=settings.ldap_groups,
        ca_file=settings.ldap_ca_file,
    )
    return LdapConnector(place, partial(one_time_secret, settings.secret_key))


def _acme(settings: Settings) -> Connector:
    """An external authority. Its libraries take a quarter of a second to import, and most portals have none."""
    from catalog.fulfilment.connectors.acme.connector import AcmeConnector  # noqa: PLC0415
    from catalog.fulfilment.connectors.acme.place import AcmePlace  # noqa: PLC0415

    return AcmeConnector(
        AcmePlace(
            directory=settings.acme_directory,
            folder=settings.acme_folder,
            ca_file=settings.acme_ca_file,
            contact=settings.acme_contact,
            eab_kid=settings.acme_eab_kid,
            eab_key=settings.acme_eab_key,
            dns_hook=settings.acme_dns_hook,
        )
    )
