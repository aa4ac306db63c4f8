"""The SSH connector over an authority in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from catalog.fulfilment.connectors.contract import Beneficiary, Order
from catalog.fulfilment.connectors.ssh import SshAuthority, SshConnector
from tests.catalog.fulfilment.connectors.case import ConnectorCase

PRINCIPALS = ("crm-admin", "deploy")


def public_line(key=None) -> str:
    """A public key as a person would paste it."""
    key = key or ed25519.Ed25519PrivateKey.generate()
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " daniel@laptop"


@contextmanager
def _case(folder: Path) -> Iterator[ConnectorCase]:
    home = folder / "ssh"
    authority = SshAuthority(home)
    authority.create_if_missing()
    order = Order(
        "SR-000007",
        "sign",
        {
            "public_key": public_line(),
            "principals": ["crm-admin"],
            "source_addresses": ["10.20.30.0/24"],
            "forced_command": "",
        },
        Beneficiary("daniel.novak", "Daniel Novák", "daniel.novak@meridian.example"),
        ends_at=datetime.now(UTC) + timedelta(hours=1),
    )

    def asking(**parameters: object) -> Order:
        return replace(order, parameters={**order.parameters, **parameters})

    private = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    )
    yield ConnectorCase(
        connector=SshConnector(authority, PRINCIPALS),
        order=order,
        bad_orders=(
            replace(order, ends_at=None),
            replace(order, ends_at=datetime.now(UTC) - timedelta(seconds=1)),
            replace(order, beneficiary=Beneficiary("", "Nobody", "")),
            asking(principals=["root"]),
            asking(principals=[]),
            asking(principals="crm-admin root"),
            asking(principals=[7]),
            asking(principals=["crm-admin\nroot"]),
            asking(public_key="ssh-ed25519 AAAA"),
            asking(public_key=7),
            asking(public_key=private.decode()),
            asking(public_key=public_line() + "\n" + public_line()),
            asking(public_key=public_line(rsa.generate_private_key(65537, 2048))),
            asking(
                public_key=public_line(ec.generate_private_key(ec.SECP256R1())).replace(
                    "nistp256", "nistp384"
                )
            ),
            asking(source_addresses=["10.20.30.1/24"]),
            asking(source_addresses=["everywhere"]),
            asking(source_addresses=7),
            asking(forced_command="a\nb"),
            asking(forced_command=["rm"]),
        ),
        snapshot=lambda: {
            str(file.relative_to(home)): file.read_bytes()
            for file in sorted(home.rglob("*"))
            if file.is_file() and file.name != "lock"
        },
        take_target_away=lambda: home.rename(folder / "away") and None,
    )


CASES = {"ssh": _case}
