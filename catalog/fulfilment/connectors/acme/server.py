"""Speaking to an external authority as the portal's account there (RFC 8555 §7)."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from acme import client, errors, messages
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from josepy.jwa import ES256
from josepy.jwk import JWKEC
from requests import Response

from catalog.fulfilment.connectors.acme.place import AcmePlace
from catalog.fulfilment.connectors.ca.files import OWNER_ONLY, locked, write_whole
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say


class Server(client.ClientV2):
    """One conversation. Raises what `trouble.told` turns into words."""

    #: The account's; there once signed in.
    key: JWKEC

    @classmethod
    def reached(cls, place: AcmePlace) -> Server:
        """The authority, as nobody yet; its directory was read, so it is there."""
        net = _Network(
            verify_ssl=cast("bool", place.ca_file or True),
            user_agent=f"countersign/{version('countersign')}",
            timeout=cast("int", place.timeout),
        )
        return cls(cls.get_directory(place.directory, net), net)

    @classmethod
    def signed_in(cls, place: AcmePlace) -> Server:
        """The authority, as the account whose key is in the folder; it is made where there is none."""
        server = cls.reached(place)
        place.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(place.home / "account.lock", wait=place.patience):
            server.key = _account_key(place.home / "account.key")
            server.net.key, server.net.alg = server.key, ES256
            kept = place.home / "account.json"
            if kept.exists():
                uri = str(json.loads(kept.read_text(encoding="utf-8"))["uri"])
            else:
                uri = server.register(place)
                content = {"uri": uri, "directory": place.directory}
                write_whole(kept, json.dumps(content, indent=1).encode())
        server.net.account = messages.RegistrationResource(body=messages.Registration(), uri=uri)
        return server

    def register(self, place: AcmePlace) -> str:
        """The account's address. An account that the key has already is found again (RFC 8555 §7.3.1)."""
        binding = None
        if place.eab_kid:
            binding = messages.ExternalAccountBinding.from_data(
                self.key.public_key(), place.eab_kid, place.eab_key, self.directory
            )
        wanted: dict[str, Any] = {"terms_of_service_agreed": True, "external_account_binding": binding}
        if place.contact:
            wanted["contact"] = (f"mailto:{place.contact}",)
        try:
            return str(self.new_account(messages.NewRegistration(**wanted)).uri)
        except errors.ConflictError as known:
            return str(known.location)

    def ask(self, url: str) -> Response:
        """What is at this address of the authority's, read by POST-as-GET (RFC 8555 §6.3)."""
        return self._post_as_get(url)

    def order(self, url: str) -> messages.Order:
        """An order as it is now."""
        return cast("messages.Order", messages.Order.from_json(self.ask(url).json()))

    def new_order_for(self, names: tuple[str, ...]) -> tuple[str, messages.Order]:
        """A new order and its address."""
        identifiers = [messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name) for name in names]
        answer = self._post(self.directory["newOrder"], messages.NewOrder(identifiers=identifiers))
        return answer.headers["Location"], messages.Order.from_json(answer.json())

    def authorization(self, url: str) -> messages.Authorization:
        """Whether and how a name is to be proven."""
        return cast("messages.Authorization", messages.Authorization.from_json(self.ask(url).json()))

    def say(self, url: str, message: Any) -> Response:
        """Send a message."""
        return self._post(url, message)


class _Network(client.ClientNetwork):
    """The library's, without following the authority to other places and without reading endless answers."""

    def _send_request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        kwargs.setdefault("allow_redirects", False)
        return super()._send_request(method, url, *args, **kwargs)


def _account_key(file: Path) -> JWKEC:
    if not file.exists():
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        write_whole(file, pem, mode=OWNER_ONLY)
    if file.stat().st_mode & 0o077:
        message = say(
            "%(file)s can be read by other users of this machine. An operator must run: chmod 600 %(file)s",
            file=file,
        )
        raise ConnectorError(message, permanent=True)
    return JWKEC(key=load_pem_private_key(file.read_bytes(), password=None))
