"""Settings: one frozen object read from the environment, checked at start.

A secret `X` may also come from the file named by `X_FILE`, so that it need not stand in the environment.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from portal.core.assets import ROOT
from portal.core.environment import (
    read_bucket,
    read_folder,
    read_one_of,
    read_secret,
    read_url,
    read_whole,
    read_words,
)
from portal.core.errors import SettingsError
from portal.core.holder_settings import HolderSettings
from portal.core.queues import DEFAULT_QUEUE, insist_on_queue, parse_queues
from portal.core.retention import Retention
from portal.core.signer_place import SignerPlace, read_signer_place

DEFAULT_SECRET = "development-only-not-a-secret"  # noqa: S105  (refused outside development)
MINIMUM_SECRET_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this portal is set up. Folders are absolute; URLs have no trailing slash."""

    environment: str
    home: Path
    database_url: str
    redis_url: str | None
    public_url: str
    secret_key: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    smtp_url: str
    mail_from: str
    scim_url: str
    scim_token: str
    firewall_repository: Path
    ca_folder: Path
    checkpoint_folder: Path
    #: Who signs the ledger, and where.
    signer: SignerPlace
    #: Who else keeps checkpoints.
    holders: HolderSettings = field(default_factory=HolderSettings)
    #: How long what is kept.
    retention: Retention = field(default_factory=Retention)
    #: Where the firewall's policy is pushed, and how ssh gets there; empty for nowhere and the account's own.
    firewall_remote: str = ""
    firewall_remote_key: str = ""
    firewall_known_hosts: str = ""
    #: `nft` has the portal load the rendered rules; the prefix is what runs it, such as `sudo -n ip netns exec edge`.
    firewall_apply: str = ""
    firewall_apply_prefix: tuple[str, ...] = ()
    #: What the policy is rendered for, by Aerleon's names.
    firewall_outputs: tuple[str, ...] = ("nftables", "ciscoasa", "paloalto")
    #: Playbooks in git; without a repository there is no Ansible. The inventory is a path in it, or one of this machine.
    ansible_repository: str = ""
    ansible_name: str = "servers"
    ansible_inventory: str = "inventory"
    ansible_playbook: str = "ansible-playbook"
    ansible_folder: Path = Path("ansible")
    ansible_private_key: str = ""
    ansible_vault_password: str = ""
    ansible_seconds: int = 15 * 60
    ansible_forks: int = 5
    #: libpq's words for a server whose roles are governed; empty for none. Its name is in every plan and key.
    postgresql_target: str = ""
    postgresql_target_name: str = "main"
    #: The accounts that SSH certificates may open; empty for no SSH authority.
    ssh_principals: tuple[str, ...] = ()
    ssh_folder: Path = Path("ssh")
    #: The file of automation tools that the portal calls; None for none.
    http_targets: Path | None = None
    #: Networks (CIDR) besides the public ones where outgoing calls may lead.
    outgoing_networks: tuple[str, ...] = ()
    #: A timestamp authority (RFC 3161) for signed files; without an address there is none. The certificate is its, or its CA's.
    timestamp_url: str = ""
    timestamp_certificate: Path | None = None
    #: A directory that speaks LDAP; without an address there is none.
    ldap_url: str = ""
    ldap_bind_dn: str = ""
    ldap_password: str = ""
    ldap_people: str = ""
    ldap_groups: str = ""
    ldap_ca_file: str = ""
    #: The authority's keys in a PKCS#11 token: the vendor's library, the token's label, the PIN, the key's label.
    ca_pkcs11_module: str = ""
    ca_pkcs11_token: str = ""
    ca_pkcs11_pin: str = field(default="", repr=False)
    ca_pkcs11_key: str = "countersign"
    #: An external CA that speaks ACME; without a directory's address there is none.
    acme_directory: str = ""
    acme_folder: Path = Path("acme")
    acme_ca_file: str = ""
    acme_contact: str = ""
    acme_eab_kid: str = ""
    acme_eab_key: str = field(default="", repr=False)
    #: A program that puts a record into DNS and takes it out; with it names are proven by dns-01.
    acme_dns_hook: str = ""
    step_up_seconds: int = 15 * 60
    high_risk_step_up_seconds: int = 5 * 60
    link_days: int = 7
    #: The authentication context that enrolling and revoking a passkey demands; empty for any.
    passkey_acr: str = "urn:countersign:acr:mfa"
    #: Empty for the data folder, or s3://bucket/prefix.
    attachment_store: str = ""
    s3_endpoint: str = ""
    s3_region: str = "us-east-1"
    s3_access_key: str = ""
    s3_secret_key: str = ""
    #: Bytes of one attached file at most.
    attachment_bytes: int = 10 * 1024 * 1024
    #: Days after which a file that no request names is let go.
    attachment_days: int = 30
    #: Connectors that have a queue of their own, each with its queue; all others are on the default one.
    queues: tuple[tuple[str, str], ...] = ()
    #: The queue whose connectors this process builds, with their secrets; it asks the others through their queues.
    queue: str = DEFAULT_QUEUE

    @property
    def development(self) -> bool:
        """Whether this is a machine for trying things out, on loopback and with known secrets."""
        return self.environment == "development"

    @property
    def secure(self) -> bool:
        """Whether browsers reach the portal over TLS."""
        return self.public_url.startswith("https://")

    def builds(self, connector: str) -> bool:
        """Whether this process speaks to the connector's target itself, and so needs its secrets."""
        return dict(self.queues).get(connector, DEFAULT_QUEUE) == self.queue

    @property
    def keys_folder(self) -> Path:
        """Where the signing keys lie."""
        return self.home / "keys"

    @property
    def run_folder(self) -> Path:
        """Where sockets and locks lie."""
        return self.home / "run"

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, *, queue: str = DEFAULT_QUEUE
    ) -> Settings:
        """Read and check the settings. Raises SettingsError with a sentence that names the variable.

        Secrets of connectors that are on other queues than `queue` are not even looked at.
        """
        env = os.environ if environ is None else environ
        queues = parse_queues(env.get("QUEUES", ""))
        insist_on_queue(queue, queues)
        mine = partial(_target_secret, env, dict(queues), queue)
        home = Path(env.get("COUNTERSIGN_HOME") or _default_home()).resolve()
        environment = env.get("COUNTERSIGN_ENVIRONMENT", "development")
        if environment not in {"development", "production"}:
            message = f"COUNTERSIGN_ENVIRONMENT is {environment!r}; it must be development or production."
            raise SettingsError(message)
        settings = cls(
            environment=environment,
            home=home,
            database_url=read_secret(env, "DATABASE_URL") or f"sqlite:///{home / 'countersign.db'}",
            redis_url=read_secret(env, "REDIS_URL") or None,
            public_url=read_url(env, "PUBLIC_URL", "http://localhost:8000"),
            secret_key=read_secret(env, "SECRET_KEY") or DEFAULT_SECRET,
            oidc_issuer=read_url(env, "OIDC_ISSUER", "http://localhost:8010"),
            oidc_client_id=env.get("OIDC_CLIENT_ID", "countersign"),
            oidc_client_secret=read_secret(env, "OIDC_CLIENT_SECRET") or DEFAULT_SECRET,
            smtp_url=read_secret(env, "SMTP_URL") or "smtp://127.0.0.1:1025",
            mail_from=env.get("MAIL_FROM", "Countersign <countersign@meridian.example>"),
            scim_url=read_url(env, "SCIM_URL", "http://127.0.0.1:8030/v2"),
            scim_token=mine("SCIM_TOKEN", "scim") or DEFAULT_SECRET,
            firewall_repository=read_folder(env, "FIREWALL_REPOSITORY", home / "targets" / "firewall"),
            ca_folder=read_folder(env, "CA_FOLDER", home / "ca"),
            checkpoint_folder=read_folder(env, "CHECKPOINT_FOLDER", home / "checkpoints"),
            signer=read_signer_place(env, home, holding=False),
            holders=HolderSettings.from_environment(env),
            retention=Retention.from_environment(env),
            firewall_remote=mine("FIREWALL_REMOTE", "firewall"),
            firewall_remote_key=env.get("FIREWALL_REMOTE_KEY", ""),
            firewall_known_hosts=env.get("FIREWALL_KNOWN_HOSTS", ""),
            firewall_apply=read_one_of(env, "FIREWALL_APPLY", ("", "nft")),
            firewall_apply_prefix=tuple(shlex.split(env.get("FIREWALL_APPLY_PREFIX", ""))),
            firewall_outputs=read_words(env, "FIREWALL_OUTPUTS") or ("nftables", "ciscoasa", "paloalto"),
            ansible_repository=mine("ANSIBLE_REPOSITORY", "ansible"),
            ansible_name=env.get("ANSIBLE_NAME", "servers"),
            ansible_inventory=env.get("ANSIBLE_INVENTORY", "inventory"),
            ansible_playbook=env.get("ANSIBLE_PLAYBOOK", "ansible-playbook"),
            ansible_folder=read_folder(env, "ANSIBLE_FOLDER", home / "ansible"),
            ansible_private_key=env.get("ANSIBLE_PRIVATE_KEY_FILE", ""),
            ansible_vault_password=env.get("ANSIBLE_VAULT_PASSWORD_FILE", ""),
            ansible_seconds=read_whole(env, "ANSIBLE_SECONDS", 15 * 60),
            ansible_forks=read_whole(env, "ANSIBLE_FORKS", 5),
            postgresql_target=mine("POSTGRESQL_TARGET", "postgresql"),
            ssh_principals=tuple(env.get("SSH_PRINCIPALS", "").replace(",", " ").split()),
            ssh_folder=read_folder(env, "SSH_FOLDER", home / "ssh"),
            http_targets=Path(env["HTTP_TARGETS"]).resolve() if env.get("HTTP_TARGETS") else None,
            outgoing_networks=tuple(env.get("OUTGOING_NETWORKS", "").replace(",", " ").split()),
            timestamp_url=env.get("TIMESTAMP_URL", ""),
            timestamp_certificate=Path(env["TIMESTAMP_CERTIFICATE"]).resolve()
            if env.get("TIMESTAMP_CERTIFICATE")
            else None,
            ldap_url=env.get("LDAP_URL", ""),
            ldap_bind_dn=env.get("LDAP_BIND_DN", ""),
            ldap_password=mine("LDAP_PASSWORD", "ldap"),
            ldap_people=env.get("LDAP_PEOPLE", ""),
            ldap_groups=env.get("LDAP_GROUPS", ""),
            ldap_ca_file=env.get("LDAP_CA_FILE", ""),
            postgresql_target_name=env.get("POSTGRESQL_TARGET_NAME", "main"),
            ca_pkcs11_module=env.get("CA_PKCS11_MODULE", ""),
            ca_pkcs11_token=env.get("CA_PKCS11_TOKEN", ""),
            ca_pkcs11_pin=read_secret(env, "CA_PKCS11_PIN"),
            ca_pkcs11_key=env.get("CA_PKCS11_KEY") or "countersign",
            acme_directory=read_url(env, "ACME_DIRECTORY", "") if env.get("ACME_DIRECTORY") else "",
            acme_folder=read_folder(env, "ACME_FOLDER", home / "acme"),
            acme_ca_file=env.get("ACME_CA_FILE", ""),
            acme_contact=env.get("ACME_CONTACT", ""),
            acme_eab_kid=env.get("ACME_EAB_KID", ""),
            acme_eab_key=mine("ACME_EAB_KEY", "acme"),
            acme_dns_hook=env.get("ACME_DNS_HOOK", ""),
            step_up_seconds=read_whole(env, "STEP_UP_SECONDS", 15 * 60),
            high_risk_step_up_seconds=read_whole(env, "HIGH_RISK_STEP_UP_SECONDS", 5 * 60),
            link_days=read_whole(env, "LINK_DAYS", 7),
            passkey_acr=env.get("PASSKEY_ACR", "urn:countersign:acr:mfa"),
            attachment_store=read_bucket(env, "ATTACHMENT_STORE"),
            s3_endpoint=read_url(env, "S3_ENDPOINT", "") if env.get("S3_ENDPOINT") else "",
            s3_region=env.get("S3_REGION", "us-east-1"),
            s3_access_key=read_secret(env, "S3_ACCESS_KEY"),
            s3_secret_key=read_secret(env, "S3_SECRET_KEY"),
            attachment_bytes=read_whole(env, "ATTACHMENT_BYTES", 10 * 1024 * 1024),
            attachment_days=read_whole(env, "ATTACHMENT_DAYS", 30),
            queues=queues,
            queue=queue,
        )
        settings._check()
        return settings

    def _check(self) -> None:
        if self.ca_pkcs11_module and not (self.ca_pkcs11_token and self.ca_pkcs11_pin):
            message = (
                "CA_PKCS11_MODULE needs CA_PKCS11_TOKEN and CA_PKCS11_PIN (or CA_PKCS11_PIN_FILE) beside it."
            )
            raise SettingsError(message)
        if self.builds("acme") and bool(self.acme_eab_kid) != bool(self.acme_eab_key):
            message = (
                "ACME_EAB_KID and ACME_EAB_KEY (or ACME_EAB_KEY_FILE) belong together: set both or neither."
            )
            raise SettingsError(message)
        if self.development:
            return
        for name, value in (
            ("SECRET_KEY", self.secret_key),
            ("OIDC_CLIENT_SECRET", self.oidc_client_secret),
            ("SCIM_TOKEN", self.scim_token if self.builds("scim") else ""),
        ):
            if value == DEFAULT_SECRET:
                message = f"{name} is not set. Outside development the portal needs its own: set {name} or {name}_FILE."
                raise SettingsError(message)
        if len(self.secret_key) < MINIMUM_SECRET_LENGTH:
            message = f"SECRET_KEY is shorter than {MINIMUM_SECRET_LENGTH} characters; make one with: openssl rand -hex 32"
            raise SettingsError(message)
        for name, value in (("PUBLIC_URL", self.public_url), ("OIDC_ISSUER", self.oidc_issuer)):
            if not value.startswith("https://"):
                message = f"{name} is {value!r}; outside development it must begin with https://."
                raise SettingsError(message)


def _default_home() -> Path:
    in_checkout = (ROOT / "pyproject.toml").exists()
    return ROOT / "var" if in_checkout else Path.cwd() / "var"


def _target_secret(
    env: Mapping[str, str], queues: Mapping[str, str], queue: str, name: str, connector: str
) -> str:
    """A secret of the connector's target; empty where another queue's worker holds it."""
    return read_secret(env, name) if queues.get(connector, DEFAULT_QUEUE) == queue else ""
