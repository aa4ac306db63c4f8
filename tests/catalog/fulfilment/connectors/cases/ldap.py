"""The LDAP connector over Debian's slapd with STARTTLS: once for a group, once for disabling an account."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from ldap3 import Connection, Server, Tls
from ldap3.core.exceptions import LDAPNoSuchObjectResult

from catalog.fulfilment.connectors.contract import Beneficiary, Order
from catalog.fulfilment.connectors.ldap import LdapConnector, Place
from tests.catalog.fulfilment.connectors.case import ConnectorCase
from tests.catalog.fulfilment.connectors.own_ca import write_certificates
from tests.fixtures_servers import dying_with_us, required, wait_until
from tests.fixtures_site import free_port

BASE = "dc=meridian,dc=example"
ADMIN = f"cn=portal,{BASE}"
PASSWORD = "the portal's own password in the directory"
BEATRIZ = Beneficiary("beatriz.sousa", "Beatriz Sousa", "beatriz.sousa@meridian.example")
ODD = 'A, "odd" + group; with = (parens) \\ and *'
LDIF = f"""
dn: {BASE}
objectClass: domain
dc: meridian

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups

dn: cn=policy,{BASE}
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdMustChange: TRUE
pwdLockout: TRUE

dn: uid=beatriz.sousa,ou=people,{BASE}
objectClass: inetOrgPerson
uid: beatriz.sousa
cn: Beatriz Sousa
sn: Sousa
userPassword: the old one

dn: uid=mei-ling.chen,ou=people,{BASE}
objectClass: inetOrgPerson
uid: mei-ling.chen
cn: Mei-Ling Chen
sn: Chen

dn: cn=CRM readers,ou=groups,{BASE}
objectClass: groupOfNames
cn: CRM readers
description: Read the customer system
member: cn=nobody

dn: cn=A\\2C \\22odd\\22 \\2B group\\3B with \\3D (parens) \\5C and *,ou=groups,{BASE}
objectClass: groupOfNames
cn: {ODD}
member: uid=mei-ling.chen,ou=people,{BASE}
"""


@dataclass
class Slapd:
    """A directory on loopback."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def place(self, **changes: object) -> Place:
        """Where it is and who the portal is there."""
        place = Place(
            url=f"ldap://127.0.0.1:{self.port}",
            bind_dn=ADMIN,
            password=PASSWORD,
            people=f"ou=people,{BASE}",
            groups=f"ou=groups,{BASE}",
            ca_file=str(self.folder / "ca.pem"),
            timeout=5.0,
        )
        return replace(place, **changes)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            dying_with_us(
                [
                    required("slapd"),
                    "-f",
                    f"{self.folder}/slapd.conf",
                    "-h",
                    f"ldap://127.0.0.1:{self.port}",
                    "-d",
                    "0",
                ]
            ),
            stderr=subprocess.DEVNULL,
        )

        def answers() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            return False

        wait_until(answers, "slapd answers")

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """A connection that may do everything."""
        tls = Tls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=str(self.folder / "ca.pem"),
            version=ssl.PROTOCOL_TLS_CLIENT,
        )
        connection = Connection(
            Server("127.0.0.1", self.port, tls=tls, connect_timeout=10),
            ADMIN,
            PASSWORD,
            raise_exceptions=True,
            receive_timeout=10,
        )
        connection.open()
        connection.start_tls()
        connection.bind()
        yield connection
        connection.unbind()

    def content(self) -> object:
        """Every entry with its values, but for the times and numbers of changes."""
        with self.open() as connection:
            connection.search(BASE, "(objectClass=*)", attributes=["*", "pwdAccountLockedTime", "pwdReset"])
            return sorted(
                (
                    entry.entry_dn,
                    str(
                        sorted(
                            (name, sorted(map(str, values)))
                            for name, values in entry.entry_attributes_as_dict.items()
                        )
                    ),
                )
                for entry in connection.entries
            )

    def reset(self) -> None:
        """Everything as it was at the beginning, with new identities."""
        with self.open() as connection:
            with contextlib.suppress(LDAPNoSuchObjectResult):
                connection.search(BASE, "(objectClass=*)", attributes=[])
                for dn in sorted((entry.entry_dn for entry in connection.entries), key=len, reverse=True):
                    connection.delete(dn)
            for block in LDIF.strip().split("\n\n"):
                attributes: dict[str, list[str]] = {}
                for line in block.splitlines():
                    name, _, value = line.partition(": ")
                    attributes.setdefault(name, []).append(value)
                [dn] = attributes.pop("dn")
                connection.add(dn, attributes=attributes)


@lru_cache(maxsize=1)
def _server() -> Slapd:
    """One directory for all tests of this process."""
    folder = Path(tempfile.mkdtemp(prefix="cs-ldap-"))
    (folder / "db").mkdir()
    write_certificates(folder, server_name="slapd")
    schemas = "".join(
        f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "inetorgperson")
    )
    (folder / "slapd.conf").write_text(
        f"{schemas}modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload ppolicy\n"
        f"pidfile {folder}/pid\nTLSCACertificateFile {folder}/ca.pem\nTLSCertificateFile {folder}/server.pem\n"
        f"TLSCertificateKeyFile {folder}/server.key\nsecurity simple_bind=128 update_tls=128\n"
        f'database mdb\nmaxsize 16777216\nsuffix "{BASE}"\nrootdn "{ADMIN}"\nrootpw "{PASSWORD}"\ndirectory {folder}/db\n'
        f'overlay ppolicy\nppolicy_default "cn=policy,{BASE}"\n'
    )
    slapd = Slapd(folder, free_port())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(slapd.stop)
    return slapd


@contextmanager
def running() -> Iterator[Slapd]:
    """A directory as it was at the beginning."""
    slapd = _server()
    if slapd.process is None:
        slapd.start()
    slapd.reset()
    yield slapd


def secret(key: str) -> str:
    """A new password that is the same for the same key."""
    return f"one-time {key}"


@contextmanager
def _case(folder: Path, *, action: str, parameters: dict[str, str]) -> Iterator[ConnectorCase]:
    with running() as slapd:
        order = Order("SR-000007", action, parameters, BEATRIZ)
        grant = replace(order, action="grant", parameters={"group": "CRM readers"})
        yield ConnectorCase(
            connector=LdapConnector(slapd.place(), secret),
            order=order,
            bad_orders=(
                *(
                    replace(grant, parameters={"group": group})
                    for group in (
                        "No such group",
                        "",
                        7,
                        "*",
                        "*)(cn=*",
                        "CRM readers)(|(cn=*",
                        "x\x00",
                        "CRM readers\\2a",
                        "x" * 300,
                    )
                ),
                *(
                    replace(grant, beneficiary=Beneficiary(name, "Nobody", ""))
                    for name in ("", "nobody", "*", "beatriz.sous*", "b)(uid=*")
                ),
                replace(order, action="reset_password", parameters={"account": "mei-ling.chen"}),
                replace(order, action="disable", parameters={}),
                replace(order, action="disable", parameters={"account": 7}),
            ),
            snapshot=slapd.content,
            take_target_away=slapd.stop,
            patience=4.0,
        )


CASES = {
    "ldap-group": partial(_case, action="grant", parameters={"group": ODD}),
    "ldap-last-member": partial(_case, action="grant", parameters={"group": "CRM readers"}),
    "ldap-disable": partial(_case, action="disable", parameters={"account": "beatriz.sousa"}),
}
