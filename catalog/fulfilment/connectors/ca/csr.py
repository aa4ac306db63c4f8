"""Reading a certificate signing request (PKCS #10, RFC 2986) that a person pasted or uploaded."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key
from cryptography.x509.oid import NameOID

from catalog.fulfilment.connectors.ca import names
from catalog.fulfilment.connectors.ca.keys import judge_key, judge_signature
from catalog.fulfilment.connectors.ca.refusal import CsrError
from portal.core.language import N_, _, every_language, say

__all__ = ["CsrError", "CsrFacts", "read_csr", "read_csr_bytes"]

#: Bytes. A request with a hundred names stays under 8 KiB.
LARGEST = 16 * 1024
MOST_NAMES = 100
_BLOCK = re.compile(
    r"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----(.*?)-----END (?:NEW )?CERTIFICATE REQUEST-----", re.DOTALL
)
_EXPECTED = N_("It begins with -----BEGIN CERTIFICATE REQUEST-----.")
_PRIVATE = N_(
    "This is a private key. Never give it to anybody: treat it as disclosed, make a new key, and paste only the "
    "certificate signing request."
)


@dataclass(frozen=True, slots=True)
class CsrFacts:
    """What a request asks for, checked.

    `pem` is its one normal form and `sha256` the hex digest of its DER. Names are A-labels in lower case and
    addresses in short form, each sorted; `names` puts the common name first. `left_out` are the parts of the
    subject that are not certified.
    """

    pem: str
    sha256: str
    subject: str
    common_name: str
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    key_kind: str
    key_bits: int
    spki_sha256: str
    signature: str
    left_out: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the common name first."""
        every = (*self.dns_names, *self.ip_addresses)
        return (self.common_name, *(n for n in every if n != self.common_name)) if self.common_name else every

    @property
    def wildcard(self) -> bool:
        """Whether a name stands for a whole level of a domain, which needs one more approver."""
        return any(name.startswith("*.") for name in self.dns_names)


def read_csr(pem: str) -> CsrFacts:
    """Read PEM text; text before and after the block is passed over. Raises CsrError."""
    if len(pem.encode("utf-8", "surrogatepass")) > LARGEST:
        raise CsrError(_too_large())
    if "PRIVATE KEY-----" in pem:
        raise CsrError(_with_how_it_begins(_PRIVATE))
    if not pem.strip():
        raise CsrError(_with_how_it_begins(N_("Paste the certificate signing request.")))
    blocks = _BLOCK.findall(pem)
    if len(blocks) > 1:
        message = say(
            "There are %(count)s certificate signing requests in the text. Send one at a time.",
            count=len(blocks),
        )
        raise CsrError(message)
    if not blocks:
        raise CsrError(_no_block(pem))
    try:
        der = base64.b64decode("".join(blocks[0].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CsrError(_damaged()) from error
    return _read(der)


def read_csr_bytes(content: bytes) -> CsrFacts:
    """Read an uploaded file, PEM or DER. Raises CsrError."""
    if len(content) > LARGEST:
        raise CsrError(_too_large())
    if b"-----" in content:
        return read_csr(content.decode("utf-8", "replace"))
    try:
        load_der_private_key(content, password=None)
    except Exception:  # noqa: BLE001  (whatever the reason, this file is no private key that can be read)
        return _read(content)
    raise CsrError(_with_how_it_begins(_PRIVATE))


def _read(der: bytes) -> CsrFacts:
    try:
        csr = x509.load_der_x509_csr(der)
        subject, extensions = csr.subject, csr.extensions
    except (
        ValueError,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise CsrError(_damaged()) from error
    if not der.endswith(b"\x00" + csr.signature):
        # The signature ends the request in whole octets. A count of unused bits there would be passed over by
        # the check, and one request would have several digests.
        raise CsrError(_damaged())
    key = judge_key(csr)
    signature = judge_signature(csr)
    _refuse_authority(extensions)
    dns_names, addresses = _alternative_names(extensions)
    common_name = _common_name(subject, dns_names)
    return CsrFacts(
        pem=csr.public_bytes(Encoding.PEM).decode("ascii"),
        sha256=hashlib.sha256(der).hexdigest(),
        subject=subject.rfc4514_string(),
        common_name=common_name,
        dns_names=dns_names,
        ip_addresses=addresses,
        key_kind=key.kind,
        key_bits=key.bits,
        spki_sha256=key.spki_sha256,
        signature=signature,
        left_out=tuple(
            attribute.rfc4514_string() for attribute in subject if attribute.oid != NameOID.COMMON_NAME
        ),
    )


def _alternative_names(extensions: x509.Extensions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        entries = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        entries = []
    if not entries:
        message = say(
            "The request holds no subject alternative names, which browsers read instead of the common name. "
            "Make it again, for example with: openssl req … -addext subjectAltName=DNS:www.example.com"
        )
        raise CsrError(message)
    if len(entries) > MOST_NAMES:
        message = say(
            "The request holds %(count)s names; %(most)s are the most. Split it.",
            count=len(entries),
            most=MOST_NAMES,
        )
        raise CsrError(message)
    dns_names, addresses = set(), set()
    for entry in entries:
        if isinstance(entry, x509.DNSName):
            dns_names.add(names.dns_name(entry.value))
        elif isinstance(entry, x509.IPAddress) and not hasattr(entry.value, "prefixlen"):
            addresses.add(names.ip_address(entry.value))
        else:
            message = say(
                "The request holds a name that is neither a DNS name nor an IP address (%(kind)s). "
                "A server certificate carries those two only; leave the other out.",
                kind=_kind(entry),
            )
            raise CsrError(message)
    return tuple(sorted(dns_names)), tuple(sorted(addresses))


def _common_name(subject: x509.Name, dns_names: tuple[str, ...]) -> str:
    values = [str(a.value) for a in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if len(values) > 1:
        message = say("The subject holds more than one common name (CN). Keep one, or none.")
        raise CsrError(message)
    if not values:
        return ""
    if names.is_ip(values[0]):
        message = say(
            "The common name (CN) is the IP address %(address)s. Put a DNS name there or leave it out, "
            "and give the address as an alternative name only.",
            address=values[0].strip(),
        )
        raise CsrError(message)
    common_name = names.dns_name(values[0])
    if common_name not in dns_names:
        message = say(
            "The common name (CN) “%(name)s” is not among the alternative names (%(names)s). "
            "Add it there, or leave the common name out.",
            name=common_name,
            names=", ".join(dns_names),
        )
        raise CsrError(message)
    return common_name


def _refuse_authority(extensions: x509.Extensions) -> None:
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return
    if constraints.ca:
        message = say(
            "The request asks for the right to issue certificates (CA:TRUE). A server needs none; leave it out."
        )
        raise CsrError(message)


def _kind(entry: x509.GeneralName) -> str:
    kinds: dict[type[x509.GeneralName], str] = {
        x509.RFC822Name: say("a mail address"),
        x509.UniformResourceIdentifier: say("a web address"),
        x509.DirectoryName: say("a directory name"),
        x509.IPAddress: say("a network"),
    }
    return kinds.get(type(entry), say("another kind"))


def _no_block(text: str) -> str:
    if "-----BEGIN CERTIFICATE-----" in text or "-----BEGIN TRUSTED CERTIFICATE-----" in text:
        return _with_how_it_begins(
            N_("This is a certificate, not a request for one. Paste the certificate signing request.")
        )
    if "BEGIN CERTIFICATE REQUEST" in text or "BEGIN NEW CERTIFICATE REQUEST" in text:
        return say(
            "The certificate signing request is not whole. Paste all of it, with its first and last line."
        )
    return _with_how_it_begins(N_("There is no certificate signing request in the text."))


def _with_how_it_begins(message: str) -> str:
    return every_language(lambda: f"{_(message)} {_(_EXPECTED)}")


def _damaged() -> str:
    return say(
        "The certificate signing request cannot be read: it is damaged or not whole. "
        "Make it again and paste all of it."
    )


def _too_large() -> str:
    return say(
        "The certificate signing request is larger than 16 KiB. Send the request alone, without other files."
    )
