"""One order at an external authority: begun once, found again after an interruption, and never made a second time."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus

from acme import errors, messages
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from requests import Response

from catalog.fulfilment.connectors.acme import proving
from catalog.fulfilment.connectors.acme.place import AcmePlace
from catalog.fulfilment.connectors.acme.records import Ordered, OrderRecords
from catalog.fulfilment.connectors.acme.server import Server
from catalog.fulfilment.connectors.acme.trouble import away, words_of
from catalog.fulfilment.connectors.ca.csr import CsrFacts
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
#: RFC 8555 §7.1.6.
_PENDING, _READY, _PROCESSING, _VALID = (
    messages.STATUS_PENDING,
    messages.STATUS_READY,
    messages.STATUS_PROCESSING,
    messages.STATUS_VALID,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A certificate to be had. `entitlement` is the identity under which only one may be live."""

    entitlement: str
    reference: str
    csr: CsrFacts


def obtain(place: AcmePlace, records: OrderRecords, key: str, wish: Wish) -> Ordered:
    """The certificate, from an order that this step or an earlier try began, else from a new one.

    The caller holds the lock of the entitlement. Raises a passing ConnectorError when the authority is not done in
    time: the next call goes on with the same order.
    """
    server = Server.signed_in(place)
    record = _begun(server, records, key, wish)
    order = server.order(record.order)
    for _ in _until(place.patience):
        if order.status == _VALID and order.certificate:
            return download(place, server, records, record, order.certificate)
        if order.status == _PENDING:
            _prove(place, server, order)
            order = server.order(record.order)
        elif order.status == _READY:
            csr = x509.load_pem_x509_csr(wish.csr.pem.encode("ascii"))
            answer = server.say(order.finalize, messages.CertificateRequest(csr=csr))
            order = messages.Order.from_json(answer.json())
        elif order.status == _PROCESSING:
            order = server.order(record.order)
        else:
            records.drop(record.order)
            raise _failed(place, order.error)
    raise away(place.host, "the order is not done yet")


def settle(place: AcmePlace, server: Server, records: OrderRecords, record: Ordered) -> Ordered | None:
    """What became of an order that was interrupted: with its certificate if it has one; None, and forgotten, if not.

    Raises a passing ConnectorError while the authority is at it.
    """
    order = _order_or_none(server, record.order)
    if order is not None and order.status == _VALID and order.certificate:
        return download(place, server, records, record, order.certificate)
    if order is not None and order.status == _PROCESSING:
        raise away(place.host, "the order is not done yet")
    records.drop(record.order)
    return None


def download(
    place: AcmePlace, server: Server, records: OrderRecords, record: Ordered, address: str
) -> Ordered:
    """Fetch the certificate and write it down. Raises a permanent ConnectorError when it is not the one that was ordered."""
    pem = server.ask(address).text
    leaf = x509.load_pem_x509_certificates(pem.encode("ascii"))[0]
    if not _is_as_ordered(leaf, record):
        message = say(
            "The certificate that %(host)s gave out is not the one that was ordered. An operator must look at it: "
            "serial number %(serial)s.",
            host=place.host,
            serial=f"{leaf.serial_number:x}",
        )
        raise ConnectorError(message, permanent=True)
    done = replace(
        record,
        address=address,
        pem=pem,
        serial=f"{leaf.serial_number:x}",
        not_before=leaf.not_valid_before_utc.isoformat(),
        not_after=leaf.not_valid_after_utc.isoformat(),
    )
    records.keep_all(record, done)
    return done


def is_there(server: Server, record: Ordered) -> bool:
    """Whether the authority still hands out this very certificate."""
    try:
        answer = server.ask(record.address)
    except (messages.Error, errors.ClientError) as error:
        if _is_gone(error):
            return False
        raise
    return _first_of(answer) == record.chain[0]


def _begun(server: Server, records: OrderRecords, key: str, wish: Wish) -> Ordered:
    """The order of this step, or one of the same certificate that another try left unfinished; else a new one."""
    mine = records.find(key)
    left = (
        [mine] if mine else [record for record in records.of_entitlement(wish.entitlement) if not record.pem]
    )
    for record in left:
        order = _order_or_none(server, record.order)
        if order is not None and order.status in {_PENDING, _READY, _PROCESSING, _VALID}:
            if record is not mine:
                records.keep(key, record)
            return record
        records.drop(record.order)
    address, _ = server.new_order_for(wish.csr.dns_names)
    record = Ordered(wish.entitlement, wish.reference, wish.csr.names, wish.csr.spki_sha256, address)
    # Nothing is asked of the order before its address is kept, so there is none with a certificate that we forgot.
    records.keep(key, record)
    return record


def _prove(place: AcmePlace, server: Server, order: messages.Order) -> None:
    pending = []
    for url in order.authorizations:
        authorization = server.authorization(url)
        if authorization.status == _PENDING:
            pending.append((url, authorization, proving.challenge_of(place, authorization)))
    with proving.shown(place, server.key, [(authorization, body) for _, authorization, body in pending]):
        for _, _, body in pending:
            # One that was answered before an interruption is being looked at already.
            if body.status == _PENDING:
                server.say(body.uri, body.chall.response(server.key))
        for url, _, _ in pending:
            _wait_until_looked_at(place, server, url)


def _wait_until_looked_at(place: AcmePlace, server: Server, url: str) -> None:
    for _ in _until(place.patience):
        authorization = server.authorization(url)
        if authorization.status == _VALID:
            return
        if authorization.status != _PENDING:
            reasons = [body.error for body in authorization.challenges if body.error is not None]
            message = say(
                "The certificate authority %(host)s could not see that %(name)s is ours by %(challenge)s: %(words)s.",
                host=place.host,
                name=authorization.identifier.value,
                challenge=place.challenge,
                words=words_of(reasons[0]) if reasons else str(authorization.status),
            )
            raise ConnectorError(message, permanent=True)
    raise away(place.host, "the names are not looked at yet")


def _failed(place: AcmePlace, error: messages.Error | None) -> ConnectorError:
    message = say(
        "The certificate authority %(host)s did not issue the certificate: %(words)s.",
        host=place.host,
        words=words_of(error) if error is not None else "it gave no reason",
    )
    return ConnectorError(message, permanent=True)


def _order_or_none(server: Server, url: str) -> messages.Order | None:
    try:
        return server.order(url)
    except (messages.Error, errors.ClientError) as error:
        if _is_gone(error):
            return None
        raise


def _is_as_ordered(leaf: x509.Certificate, record: Ordered) -> bool:
    spki = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        held = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    names = set(held.get_values_for_type(x509.DNSName))
    return hashlib.sha256(spki).hexdigest() == record.spki_sha256 and names == set(record.names)


def _is_gone(error: messages.Error | errors.ClientError) -> bool:
    """Whether this is how the authority says that it has no such thing; some do so without a reason in JSON."""
    if isinstance(error, messages.Error):
        return error.code in {"malformed", "unauthorized"}
    answer = error.args[0] if error.args else None
    return isinstance(answer, Response) and answer.status_code in _GONE


def _first_of(answer: Response) -> x509.Certificate:
    return x509.load_pem_x509_certificates(answer.text.encode("ascii"))[0]


def _until(seconds: float) -> Iterator[None]:
    """Rounds with longer and longer pauses, until the time is over."""
    end, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while time.monotonic() < end:
        yield
        time.sleep(min(pause, max(0.0, end - time.monotonic())))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
