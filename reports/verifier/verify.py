#!/usr/bin/env python3
"""Check Countersign's evidence, its audit report, or a whole bundle: offline, trusting nobody.

    python verify.py FILE.pdf | BUNDLE.zip | FOLDER  [--key KEY ...] [--json]

KEY is what you were given by another way than the file: the ledger's key (name+hash+key), the SHA-256 fingerprint of
it or of the certificate that signs PDFs or timestamps, or a file with one of them. A key inside a file is only
compared, never believed; without KEY it is said what remains unproved. Exit status: 0 everything that can be checked
holds, 1 something does not, 2 it was called wrongly.

Needs Python 3.9 and the library `cryptography` 42, or newer; it opens no connection and writes no file. Read it before
you rely on it, from top to bottom. Chapters 2 to 7 each follow a public standard that they name; chapters 8 and 9 say
what a request's evidence has to be, and who has one PDF may stop there; chapters 10 and 11 say it of an audit report and
its bundle. `check_evidence` and `check_report` list what is checked, by the names that `--json` prints.

It proves that a file is genuine and whole. `recount.py` beside it goes on from here: whether the rules were kept, and
whether story and figures follow from the ledger's entries, or others know another ledger (a split view: witnesses,
checkpoints that somebody kept). `countersign verify` also makes the pages again.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import math
import re
import struct
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

Json = dict[str, Any]
LARGEST_PDF = 512 * 1024 * 1024
LARGEST_MEMBER = 4 * 1024**3
LARGEST_STREAM = 256 * 1024 * 1024
#: An entry is written at the end of the transaction in which its time was taken; clocks of others may run ahead.
LONGEST_TRANSACTION = timedelta(seconds=120)
CLOCK_SKEW = timedelta(seconds=60)


class Wrong(Exception):
    """Something does not hold; the message is a sentence."""


# ---- 1. What was found, and the keys that were given -----------------------------------------------------------------


class Result:
    """Every check of one file: its name, whether it holds (None: cannot be told) and a sentence."""

    def __init__(self, file: str) -> None:
        self.file, self.reference, self.claim = file, "", ""
        self.checks: list[tuple[str, bool | None, str]] = []

    def good(self, name: str, sentence: str) -> None:
        """Something holds."""
        self.checks.append((name, True, sentence))

    def bad(self, name: str, sentence: str) -> None:
        """Something does not hold."""
        self.checks.append((name, False, sentence))

    def open(self, name: str, sentence: str) -> None:
        """Something cannot be told."""
        self.checks.append((name, None, sentence))

    def judge(self, name: str, sentence: str, problems: Iterable[str]) -> bool:
        """The sentence holds unless there are problems; then each of them is said instead."""
        found = list(dict.fromkeys(problems))
        for problem in found:
            self.bad(name, problem)
        if not found:
            self.good(name, sentence)
        return not found

    @property
    def holds(self) -> bool:
        """Whether nothing that could be checked fails."""
        return bool(self.checks) and all(holds is not False for _, holds, _ in self.checks)

    @property
    def proven(self) -> bool:
        """Whether it holds and the ledger's key is one that was given."""
        return self.holds and any(name == "ledger-key" and holds for name, holds, _ in self.checks)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if not self.holds:
            return "This file does not hold. Do not rely on it."
        if self.proven:
            return "Everything that was checked holds, and the ledger's key is the one that you gave."
        return (
            "Everything that was checked holds, but who signed it remains unproved: compare the fingerprints with "
            "those that you were given by another way, or give the ledger's key with --key."
        )


class Trusted(NamedTuple):
    """What was given by another way than the file; nothing that a file merely states is ever added to it."""

    #: SHA-256 in 64 hex digits, of ledgers' raw public keys and of certificates in DER.
    fingerprints: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Iterable[str]) -> Trusted:
        """From keys as they were given. Raises ValueError with a sentence."""
        return cls(frozenset(map(read_key, values)))

    def has_key(self, vkey: str) -> bool:
        """Whether this key of a ledger (name+hash+key) was given."""
        return self.has(read_vkey(vkey)[1])

    def knowing(self, vkeys: Iterable[str]) -> Trusted:
        """The same with keys of a ledger that were proved by these."""
        return Trusted(self.fingerprints.union(hashlib.sha256(read_vkey(vkey)[1]).hexdigest() for vkey in vkeys))

    def has(self, key: bytes) -> bool:
        """Whether this very key or certificate was given."""
        return hashlib.sha256(key).hexdigest() in self.fingerprints


def read_key(text: str) -> str:
    """A fingerprint's 64 hex digits. What is no key names a file with one. Raises ValueError with a sentence."""
    digits = re.sub(r"^sha256:|[\s:]", "", text.strip().lower())
    if re.fullmatch(r"[0-9a-f]{64}", digits):
        return digits
    if re.fullmatch(r"[^+]+\+[0-9a-f]{8}\+\S+", text.strip()):
        return hashlib.sha256(read_vkey(text)[1]).hexdigest()
    content = Path(text).read_bytes() if Path(text).is_file() else b""
    if b"-----BEGIN CERTIFICATE-----" in content:
        return x509.load_pem_x509_certificate(content).fingerprint(hashes.SHA256()).hex()
    first_line = content.decode("utf-8", errors="replace").strip().partition("\n")[0]
    if first_line and not Path(first_line).is_file():
        return read_key(first_line)
    wanted = "give the ledger's key (name+hash+key), a SHA-256 fingerprint, or a file with one"
    raise ValueError(f"“{text[:80]}” is no key: {wanted}.")


def fingerprint(key: bytes) -> str:
    """SHA-256 in hex digits, in groups of four, as people compare them."""
    digits = hashlib.sha256(key).hexdigest()
    return " ".join(digits[start : start + 4] for start in range(0, 64, 4))


def sha256(content: bytes) -> str:
    """`sha256:` and hex."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


# ---- 2. Canonical JSON (RFC 8785) and JSON Schema (2020-12, the part that the schemas use) ---------------------------


def read_json(content: bytes) -> Any:
    """The JSON value. Raises Wrong for anything else, also for names that stand twice."""

    def unique(pairs: list[tuple[str, Any]]) -> Json:
        if len(dict(pairs)) != len(pairs):
            raise Wrong("A name stands twice in one object of the JSON.")
        return dict(pairs)

    try:  # NaN and Infinity are no JSON, and int() refuses them
        return json.loads(content.decode("utf-8"), object_pairs_hook=unique, parse_constant=int)
    except (ValueError, RecursionError) as error:
        raise Wrong("The JSON cannot be read.") from error


def canonical(value: Any) -> bytes:
    """RFC 8785: members sorted by UTF-16 code units, no white space, ECMAScript's numbers. Raises ValueError."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return b"{" + b",".join(canonical(name) + b":" + canonical(value[name]) for name in names) + b"}"
    if isinstance(value, (list, tuple)):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    if isinstance(value, float):
        return _number(value).encode()
    if isinstance(value, int) and abs(value) >= 2**53:
        raise ValueError("JSON cannot hold this number exactly.")
    return json.dumps(value, ensure_ascii=False).encode()


def _number(value: float) -> str:
    """ECMA-262 Number::toString: the digits that Python's repr finds, with an exponent below 1e-6 and from 1e21 on."""
    if not math.isfinite(value):
        raise ValueError("JSON knows no such number.")
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(value or 0)).normalize(), "f")
    return repr(value).replace("e-0", "e-")


def digest(value: Any) -> str:
    """`sha256:` over the canonical JSON."""
    return sha256(canonical(value))


JSON_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}


def schema_problem(value: Any, schema: Any, defs: Json | None = None, where: str = "$") -> str:
    """Where the value does not fit the schema, and how; empty where it does.

    It knows the keywords that the published schemas use (SCHEMAS in chapter 9), each as they use it, and no others.
    """
    if isinstance(schema, bool):
        return "" if schema else f"{where} is not allowed"
    defs = schema["$defs"] if defs is None else defs
    if "$ref" in schema:
        return schema_problem(value, defs[schema["$ref"].rpartition("/")[2]], defs, where)
    forms = schema.get("anyOf") or schema.get("oneOf")  # the latter's forms exclude one another
    if forms:
        fits = any(not schema_problem(value, form, defs, where) for form in forms)
        return "" if fits else f"{where} has none of its forms"
    if "type" in schema and type(value) is not JSON_TYPES[schema["type"]]:
        return f"{where} is not of type {schema['type']}"
    if value not in schema.get("enum", [schema.get("const", value)]):
        return f"{where} is none of its values"
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value, re.ASCII):
        return f"{where} has another form"
    size = len(value) if isinstance(value, (str, list)) else value
    if any(size < schema[least] for least in ("minimum", "minLength", "minItems") if least in schema):
        return f"{where} is too small"
    if any(size > schema[most] for most in ("maximum", "maxLength") if most in schema):
        return f"{where} is too large"
    inner: list[tuple[str, Any, Any]] = []
    if isinstance(value, list):
        inner = [(f"{where}[{at}]", item, schema.get("items", True)) for at, item in enumerate(value)]
    elif isinstance(value, dict):
        missing = [name for name in schema.get("required", ()) if name not in value]
        if missing:
            return f"{where}.{missing[0]} is missing"
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        inner = [(f"{where}.{name}", item, known.get(name, others)) for name, item in value.items()]
        for pattern, rule in schema.get("patternProperties", {}).items():
            inner += [(f"{where}.{name}", item, rule) for name, item in value.items() if re.fullmatch(pattern, name, re.ASCII)]
    return next(filter(None, (schema_problem(item, rule, defs, place) for place, item, rule in inner)), "")


# ---- 3. The PDF's signature (RFC 5652 CMS, as PAdES has it, in DER of X.690) and timestamps (RFC 3161) ---------------

#: Names as DER writes them: RFC 5652 §5 and §11, RFC 3161 §2.4.2 and appendix A, RFC 2634 §5.4, RFC 5035, FIPS 180-4.
SIGNED_DATA, DATA = bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010701")
CONTENT_TYPE, MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010903"), bytes.fromhex("06092a864886f70d010904")
TIMESTAMP, TIMESTAMP_INFO = (bytes.fromhex(f"060b2a864886f70d010910{last}") for last in ("020e", "0104"))
NAMED_BY_SHA1, NAMED = (bytes.fromhex(f"060b2a864886f70d01091002{last}") for last in ("0c", "2f"))
SHA256 = bytes.fromhex("0609608648016503040201")
HASHES = {SHA256: hashes.SHA256(), SHA256[:-1] + b"\x02": hashes.SHA384(), SHA256[:-1] + b"\x03": hashes.SHA512()}
SEQUENCE, OCTETS = 0x30, 0x04
#: The signature's dictionary (ISO 32000-1 §12.8.1) as every file has it: the container, what is signed, and when.
_DICTIONARY = re.compile(
    rb"/Contents (<[0-9A-F]{2,65536}>)\n/ByteRange \[0 (\d{1,10}) (\d{1,10}) (\d{1,10})\] *\n/Type /Sig\n"
    rb"/Filter /Adobe\.PPKLite\n/SubFilter /ETSI\.CAdES\.detached\n/M \(D\\072(\d{14}Z)\)\n/Name \(Countersign\)\n"
)


class Der(list["Der"]):
    """One value in DER: its tag, its content, all of its bytes; and the list of the values in its content."""

    def __init__(self, content: bytes) -> None:
        """The value with which this begins."""
        super().__init__()
        self.tag, length, start = content[0], content[1], 2
        if length > 0x7F:
            start += length - 0x80
            length = int.from_bytes(content[2:start], "big")
        self.body, self.raw = content[start : start + length], content[: start + length]
        if len(self.body) != length or content[1] == 0x80:
            raise Wrong("The file's signature is not written as signatures are (DER).")
        rest = self.body if self.tag & 0x20 else b""
        while rest:
            self.append(Der(rest))
            rest = rest[len(self[-1].raw) :]


class Cms(NamedTuple):
    """A signed message of which the signature holds: what was signed, and by whom. Nobody signed the timestamp."""

    content: bytes
    certificate: bytes
    others: list[bytes]
    signature: bytes
    timestamp: bytes


def read_cms(container: bytes, kind: bytes, what: str, detached: bytes | None = None) -> Cms:
    """RFC 5652's SignedData with one signer, over `detached` or, where that is not given, over the content in it.

        ContentInfo  ::= kind, SignedData                                                                           §3
        SignedData   ::= version, hashes, (kind of content, content or nothing), certificates, signers            §5.1
        SignerInfo   ::= version, issuer and serial, hash, signed attributes, method, signature, unsigned ones    §5.3

    Raises Wrong where the signature does not hold, and any other exception where it is no such container at all.
    """
    container_kind, (data,) = Der(container)
    (content_kind, *inside), certificates, (signer,) = data[2], data[3], data[-1]
    _, _, (hash_name, *_), attributes, _, signature, *unsigned = signer
    values = {name.raw: value for name, (value,) in attributes}
    if (container_kind.raw, content_kind.raw, values[CONTENT_TYPE].raw) != (SIGNED_DATA, kind, kind):
        raise Wrong(f"What should be {what} is none.")
    if detached is not None and inside:  # it would be what is signed, in the place of the file
        raise Wrong(f"{what[0].upper()}{what[1:]} is over something else than it should be.")
    content = inside[0][0].body if detached is None else detached
    hashing = HASHES[hash_name.raw]
    if values[MESSAGE_DIGEST].body != hashlib.new(hashing.name, content).digest():
        raise Wrong(f"{what[0].upper()}{what[1:]} is over something else: it was changed after it was signed.")
    # What is signed are the attributes, written as a SET (§5.4): among them the digest of the content and of the certificate.
    message = b"\x31" + attributes.raw[1:]
    found = [one.raw for one in certificates if one.tag == SEQUENCE]
    named = [one for one in found if _is_named(values, one)]
    if len(named) != 1 or not _holds(named[0], signature.body, message, hashing):
        raise Wrong(f"The signature of {what} does not hold: it was not made by the key beside it.")
    added = {name.raw: value.raw for option in unsigned for name, (value,) in option}
    if detached is not None and added.keys() - {TIMESTAMP}:
        raise Wrong(f"Beside {what} something stands that nobody signed.")
    others = [one for one in found if one != named[0]]
    return Cms(content, named[0], others, signature.body, added.get(TIMESTAMP, b""))


def _is_named(attributes: Mapping[bytes, Der], certificate: bytes) -> bool:
    """Whether the signed attributes name this certificate by its digest: RFC 5035, or RFC 2634 by SHA-1."""
    name = (attributes.get(NAMED) or attributes[NAMED_BY_SHA1])[0][0]
    digests = [hashlib.new(hashing, certificate).digest() for hashing in ("sha1", "sha256", "sha384", "sha512")]
    return any(part.tag == OCTETS and part.body in digests for part in name)


def _holds(certificate: bytes, signature: bytes, message: bytes, hashing: hashes.HashAlgorithm) -> bool:
    """Whether this certificate's key made this signature, by RSA (PKCS #1 v1.5) or ECDSA."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hashing)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(hashing))
        else:
            return False
    except InvalidSignature:
        return False
    return True


class Signed(NamedTuple):
    """Who signed a PDF, by the certificate beside the signature alone, and the time that the signature states."""

    certificate: bytes
    at: datetime | None
    #: The certificate of the timestamp's authority; empty where there is no timestamp that holds.
    authority: bytes = b""


def check_pdf_signature(content: bytes, trusted: Trusted, result: Result) -> Signed | None:
    """Whether one signature covers every byte; None when not, and then nothing else in the file may be read."""
    try:
        covered, container, at = room_of(content)
        cms = read_cms(container, DATA, "the PDF's signature", detached=covered)
        certificate = x509.load_der_x509_certificate(cms.certificate)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        may_sign = usage.digital_signature or usage.content_commitment
        if not may_sign or not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise Wrong("The certificate beside the signature may not sign documents, or not at the time stated.")
    except Exception as error:  # a forged file may break any reader, and each of them means no
        forged = f"The file's signature cannot be read ({type(error).__name__}); it is forged."
        result.bad("pdf-signature", str(error) if isinstance(error, Wrong) else forged)
        return None
    result.good("pdf-signature", "The PDF's signature is intact and covers every byte; nothing was added after it.")
    authority = check_timestamp(cms.timestamp, cms.signature, trusted, result) if cms.timestamp else b""
    return Signed(cms.certificate, at, authority)


def room_of(content: bytes) -> tuple[bytes, bytes, datetime]:
    """What the signature covers, which is all but the room of its container; that room; the time that it states."""
    if not content.startswith(b"%PDF-"):
        raise Wrong("This is not a PDF file.")
    found = _DICTIONARY.search(content)
    if found is None or content.count(b"/ByteRange [0 ") != 1:
        raise Wrong("The file carries no signature as Countersign writes it, or more than one.")
    start, end, rest = (int(number) for number in found.group(2, 3, 4))
    if end + rest < len(content):
        raise Wrong(f"{len(content) - end - rest} bytes were added to the file after it was signed.")
    if end + rest > len(content) or (start, end) != found.span(1):
        raise Wrong("The file was cut off or changed: its signature does not cover it as it should.")
    at = datetime.strptime(found[5].decode(), "%Y%m%d%H%M%S%z")
    room = bytes.fromhex(content[start + 1 : end - 1].decode())
    if room.rstrip(b"\0") != Der(room).raw.rstrip(b"\0"):
        raise Wrong("Something lies beside the file's signature, where nothing is signed.")
    return content[:start] + content[end:], room, at


def check_timestamp(token: bytes, signature: bytes, trusted: Trusted, result: Result) -> bytes:
    """The certificate of the authority that says when the PDF's signature was there; empty when that does not hold."""
    try:
        at, authority, others = read_timestamp(token, hashlib.sha256(signature).digest())
        issuers = [other for other in others if is_issued_by(authority, other)]
        issuers += [other for other in others if any(is_issued_by(issuer, other) for issuer in issuers)]
    except Exception as error:  # as above
        broken = f"The timestamp cannot be read ({type(error).__name__})."
        result.bad("timestamp", str(error) if isinstance(error, Wrong) else broken)
        return b""
    result.good("timestamp", f"A timestamp says that this signature was there on {at:%Y-%m-%d at %H:%M:%S} UTC.")
    if any(map(trusted.has, (authority, *issuers))):
        result.good("timestamp-key", "The certificate that you gave is the timestamp authority's, or its issuer's.")
    else:
        unproved = "Not proved until you compare it: whose timestamp it is. The fingerprint of its certificate is "
        result.open("timestamp-key", unproved + fingerprint(authority))
    return authority


def read_timestamp(token: bytes, imprint: bytes) -> tuple[datetime, bytes, list[bytes]]:
    """The time of an RFC 3161 token over this SHA-256 digest, its authority's certificate, and the others in it.

    Raises Wrong, and any other exception where it is no token at all.
    """
    cms = read_cms(token, TIMESTAMP_INFO, "the timestamp")
    _, _, ((hash_name, *_), hashed), _, time, *_ = Der(cms.content)
    if (hash_name.raw, hashed.body) != (SHA256, imprint):
        raise Wrong("The timestamp is over another signature than this file's.")
    at = datetime.strptime(time.body.decode()[:14] + "Z", "%Y%m%d%H%M%S%z")
    certificate = x509.load_der_x509_certificate(cms.certificate)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    may_stamp = usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    if not may_stamp or not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise Wrong("The timestamp's certificate may not make timestamps, or not at the time that it states.")
    return at, cms.certificate, cms.others


def is_issued_by(certificate: bytes, issuer: bytes) -> bool:
    """Whether a certificate was signed by the key of this one, which is an authority's."""
    authority = x509.load_der_x509_certificate(issuer)
    try:
        x509.load_der_x509_certificate(certificate).verify_directly_issued_by(authority)
        return authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False


# ---- 4. Reading the PDF (ISO 32000-1 §7): its objects, and the files that are attached to it -------------------------

#: Where an object begins (§7.3.10), and how the text of those begins that are looked for.
_OBJECT = re.compile(rb"\n([1-9]\d{0,9}) 0 obj\n")
_PAGE, _CATALOG = re.compile(rb"<<\s*/Type /Page\b"), re.compile(rb"<<\s*/Type /Catalog\b.*?/Lang \((\w+)\)", re.DOTALL)
_ATTACHED = re.compile(rb"<<\s*/Type /Filespec\s*/F \(([\w.-]+)\)\s*/UF \(\1\)\s*/EF <<\s*/F (\d+) 0 R")
ODD = "The PDF's own structure cannot be read; Countersign did not write it."


def _number_after(name: bytes, text: bytes) -> int:
    found = re.search(name + rb"(\d+)", text)
    if found is None:
        raise Wrong(ODD)
    return int(found[1])


class Pdf:
    """A PDF's objects by their numbers: their texts and, of streams, the bytes behind them.

    They are found by reading the file from its beginning to its end, as far as attached files and pages' text need it.
    Viewers find them by the cross-references instead; whether these lead to the same, recount.py looks through.
    """

    def __init__(self, content: bytes) -> None:
        """Every object. What signing added stands behind, and takes the place of the object of the same number."""
        self.texts: dict[int, bytes] = {}
        self.streams: dict[int, bytes] = {}
        self.spent, end = 0, 0
        while found := _OBJECT.search(content, end):
            number, start = int(found[1]), found.end()
            end = content.find(b"\nendobj\n", start)
            if end < 0:
                raise Wrong(ODD)
            stream_at = content.find(b"\nstream\n", start, end)
            text = self.texts[number] = content[start : end if stream_at < 0 else stream_at]
            self.streams.pop(number, None)
            if stream_at >= 0:
                start = stream_at + len(b"\nstream\n")  # its bytes may be any, so that only their number tells the end
                end = start + _number_after(rb"/Length ", text)
                if not content.startswith(b"\nendstream\nendobj\n", end):
                    raise Wrong(ODD)
                self.streams[number] = self._unpack(text, content[start:end])
                if re.match(rb"<<\s*/Type /ObjStm\b", text):
                    self._add_packed(text, self.streams[number])
        languages = [found[1].decode() for text in self.texts.values() if (found := _CATALOG.match(text))]
        if len(languages) != 1:
            raise Wrong(ODD)
        self.language = languages[0]

    def _unpack(self, text: bytes, content: bytes) -> bytes:
        """A stream's bytes."""
        if b"/Filter /FlateDecode" not in text:
            return content
        reader = zlib.decompressobj()
        content = reader.decompress(content, LARGEST_STREAM)
        self.spend(len(content))
        if not reader.eof:
            raise Wrong("The PDF was damaged, or holds more than any evidence can.")
        return content

    def spend(self, size: int) -> None:
        """Refuses a bomb: what is unpacked, and what is drawn again and again, may not grow without end."""
        self.spent += size
        if self.spent > 8 * LARGEST_STREAM:
            raise Wrong("The PDF holds more than any evidence can.")

    def _add_packed(self, text: bytes, content: bytes) -> None:
        """The objects in an object stream (§7.5.7), which begins with their numbers and places."""
        first = _number_after(rb"/First ", text)
        index = [int(word) for word in content[:first].split()]
        starts = [first + place for place in index[1::2]]
        if starts != sorted(starts):
            raise Wrong(ODD)
        for number, start, end in zip(index[::2], starts, [*starts[1:], len(content)]):
            self.texts[number] = content[start:end]
            self.streams.pop(number, None)

    def attachments(self) -> dict[str, bytes]:
        """The files inside by their names (§7.11.4)."""
        found = [file for text in self.texts.values() if (file := _ATTACHED.match(text))]
        files = {file[1].decode(): self.streams[int(file[2])] for file in found}
        if len(files) != len(found):
            raise Wrong("Two files inside have one name.")
        return files

    def references(self, number: int) -> dict[str, list[int]]:
        """The other objects that an object names: “/Font 83 0 R”, “/Contents [97 0 R 98 0 R]”."""
        found = re.findall(rb"/([\w.]+) \[? ?((?:\d+ 0 R ?)+)", self.texts[number])
        return {name.decode(): [int(other) for other in re.findall(rb"(\d+) 0 R", others)] for name, others in found}


# ---- 5. What the pages say: text by way of ToUnicode (ISO 32000-1 §9.10), letter by letter but for white space -------

#: What matters to a page's text in its content (§8, §9): the choice of a font, text that is shown, a form that is drawn.
_TEXT = re.compile(rb"/(?P<font>\w+) [.\d]+ Tf|(?P<text>\[[^][]*\] TJ|<[0-9a-f]*> Tj)|/(?P<form>\w+) Do")


def _letters(pdf: Pdf, font: int) -> dict[bytes, str]:
    """What each code of a font means; the code as four hex digits."""
    (table,) = pdf.references(font)["ToUnicode"]
    pairs = re.findall(rb"(?m)^<([0-9a-f]{4})> <([0-9a-f]*)>$", pdf.streams[table])
    return {code: bytes.fromhex(text.decode()).decode("utf-16-be", "replace") for code, text in pairs}


def _shown(pdf: Pdf, content: bytes, forms: dict[str, list[int]], fonts: dict[str, dict[bytes, str]]) -> Iterator[str]:
    """The text that a page's content shows, and that of the forms that are drawn on it, which use the same fonts."""
    letters: dict[bytes, str] = {}
    pdf.spend(len(content))
    for found in _TEXT.finditer(content):
        if found["font"]:
            letters = fonts[found["font"].decode()]
        elif found["text"]:
            codes = b"".join(re.findall(rb"<([0-9a-f]+)>", found["text"]))
            yield "".join(letters.get(codes[at : at + 4]) or "\ufffd" for at in range(0, len(codes), 4))
        elif found["form"]:
            (form,) = forms[found["form"].decode()]
            yield from _shown(pdf, pdf.streams[form], {}, fonts)


def text_of_pages(pdf: Pdf) -> list[str]:
    """Each page's text, in the order in which the pages lie in the file."""
    fonts: dict[int, dict[str, dict[bytes, str]]] = {}
    pages = []
    for page in (number for number, text in pdf.texts.items() if _PAGE.match(text)):
        parts = pdf.references(page)
        resources = pdf.references(parts["Resources"][0])
        (place,) = resources["Font"]
        if place not in fonts:
            fonts[place] = {name: _letters(pdf, font) for name, (font,) in pdf.references(place).items()}
        content = b"\n".join(pdf.streams[number] for number in parts["Contents"])
        pages.append(compact("".join(_shown(pdf, content, resources, fonts[place]))))
    return pages


def compact(text: str) -> str:
    """Text without white space, bullets, ligatures and format characters.

    Letters from right to left are left out: they stand on a page in the order of the eye.
    """
    plain = re.sub(r"[\s•]+", "", unicodedata.normalize("NFKC", text))
    if plain.isascii():
        return plain
    right_to_left = ("R", "AL", "AN")
    kept = (one for one in plain if unicodedata.bidirectional(one) not in right_to_left)
    return "".join(one for one in kept if unicodedata.category(one) != "Cf")


# ---- 6. The ledger: signed notes and checkpoints (C2SP signed-note, tlog-checkpoint), the tree of RFC 6962 -------------

ED25519 = 1
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Head(NamedTuple):
    """What a checkpoint states."""

    origin: str
    size: int
    root: bytes


def read_vkey(text: str, kind: int = ED25519) -> tuple[str, bytes]:
    """Name and raw public key of name+hash+key. Raises ValueError."""
    name, _, rest = text.strip().partition("+")
    raw = base64.b64decode(rest[9:], validate=True)
    hashed = hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8]
    if len(raw) != 33 or raw[0] != kind or rest[:9] != f"{hashed}+":
        raise ValueError("This is not a ledger's key (name+hash+key), or it does not fit its own hash.")
    return name, raw[1:]


def read_head(note: str) -> Head:
    """What a checkpoint states, its signatures not looked at. Raises Wrong."""
    found = re.match(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)(?:\n|\Z)", note)
    if found is None:
        raise Wrong("The checkpoint is malformed.")
    return Head(found[1], int(found[2]), base64.b64decode(found[3]))


def signatures(note: str, vkey: str, kind: int = ED25519) -> Iterator[bytes]:
    """The signatures below a note that name this key."""
    name, _ = read_vkey(vkey, kind)
    for line in note.partition("\n\n")[2].splitlines():
        signer, _, encoded = line.rpartition(" ")
        value = base64.b64decode(encoded, validate=True)
        if signer == f"\u2014 {name}" and value[:4].hex() == vkey.strip().split("+")[1]:
            yield value[4:]


def signed_by(note: str, vkey: str) -> bool:
    """Whether this key signed the note. Raises Wrong for a false signature."""
    key = ed25519.Ed25519PublicKey.from_public_bytes(read_vkey(vkey)[1])
    for signature in signatures(note, vkey):
        try:
            key.verify(signature, f"{note.partition(chr(10) * 2)[0]}\n".encode())
        except InvalidSignature as error:
            raise Wrong("The checkpoint's signature does not hold: its text was changed after signing.") from error
        return True
    return False


def check_note(note: str, vkeys: Sequence[str], origin: str) -> Head:
    """The checkpoint's head, signed by one of these keys of the ledger. Raises Wrong."""
    head = read_head(note)
    if head.origin != origin or any(read_vkey(vkey)[0] != origin for vkey in vkeys):
        raise Wrong("The checkpoint is of another ledger than the facts say.")
    if not any(signed_by(note, vkey) for vkey in vkeys):
        raise Wrong("The checkpoint is not signed by the ledger's key.")
    return head


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962 §2.1: SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 §2.1: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


# The tree over 7 entries; a number is a leaf's hash, a range the hash of all that lies under it:
#
#               1-7
#         1-4         5-7
#      1-2   3-4    5-6   7
#      1 2   3 4    5 6


def is_included(body: Json, number: int, head: Head, proof: Iterable[str]) -> bool:
    """Whether this is the entry of that number in the ledger of this head: RFC 9162 §2.1.3.2, by its own letters.

    Entry 5 of 7 has the proof [6, 7, 1-4]: r is 5, then 5-6, then 5-7, then 1-7, which is the root.
    """
    fn, sn, r = number - 1, head.size - 1, leaf_hash(canonical(body))  # steps 1 to 3
    if not 0 <= fn <= sn:
        return False
    for step in proof:  # step 4: upwards from the leaf; fn is our place, sn that of the last node, on each level
        p = base64.b64decode(step, validate=True)
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == head.root  # step 5: we came to the top, and it is the root


def is_consistent(old: Head, new: Head, proof: Sequence[str]) -> bool:
    """Whether the ledger of the new head begins with that of the old one: RFC 9162 §2.1.4.2, by its own letters.

    From 3 entries to 7 the proof is [3, 4, 1-2, 5-7]: fr is 3, then 1-3, which is the old root; sr is 3, then 3-4, then 1-4,
    then 1-7, which is the new root.
    """
    if old.size in (0, new.size):
        return not proof and old.root == (new.root if old.size == new.size else EMPTY_ROOT)
    path = [base64.b64decode(step, validate=True) for step in proof]
    if old.size > new.size or not path:
        return False
    if old.size & (old.size - 1) == 0:  # step 2: a power of two: its root is a node of the new tree
        path = [old.root, *path]
    fn, sn = old.size - 1, new.size - 1  # steps 3 and 4
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]  # step 5: what becomes the old root, and what becomes the new one
    for c in path[1:]:  # step 6
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    is_of_old, is_of_new = fr == old.root, sr == new.root  # step 7: the same nodes give both roots, so nothing was changed
    return sn == 0 and is_of_old and is_of_new


class Edge:
    """The right edge of a growing tree: the roots of its complete subtrees, one for each bit of its size."""

    def __init__(self, size: int, roots: Sequence[str]) -> None:
        if f"{size:b}".count("1") != len(roots):
            raise Wrong("The edge of the ledger before the period does not fit its size.")
        self.size, self.roots = size, [base64.b64decode(root, validate=True) for root in roots]

    def append(self, leaf: bytes) -> None:
        """Add a leaf: two complete subtrees of one size become one of twice the size."""
        size = self.size
        while size & 1:
            leaf, size = node_hash(self.roots.pop(), leaf), size >> 1
        self.roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        root = self.roots[-1] if self.roots else EMPTY_ROOT
        for left in reversed(self.roots[:-1]):
            root = node_hash(left, root)
        return root


def moment(text: Any) -> datetime:
    """An ISO time with its zone. Raises ValueError."""
    time = datetime.fromisoformat(str(text))
    if time.tzinfo is None:
        raise ValueError("a time without its zone")
    return time


# An entry of the ledger, as every file shows it: {number, body, inclusion (its proof), personal {name: {value, salt}, …}}. What
# is hashed is its body alone: number, at, tag "approval:approved", subject "request:SR-000001", actor "person:7", facts {…},
# personal {name: commitment}. So a person's values can be taken away, and the proof still holds.


def facts(entry: Json) -> Json:
    """What an entry states."""
    found = entry["body"].get("facts")
    return found if isinstance(found, dict) else {}


def check_entries(entries: list[Json], head: Head, as_of: str, about: Callable[[str], bool], result: Result) -> None:
    """Each entry is under the head, in order, about what it should be, and its opened values are those committed to."""
    missing, odd, lies, erased = [], [], [], []
    numbers = [entry["number"] for entry in entries]
    if numbers != sorted(set(numbers)):
        odd.append("The entries are not in the ledger's order.")
    for entry in entries:
        number, body, opened = entry["number"], entry["body"], entry["personal"]
        if body.get("number") != number or not is_included(body, number, head, entry["inclusion"]):
            missing.append(f"Entry {number} is not in the ledger that the checkpoint signed: somebody changed it.")
        if not about(str(body.get("subject"))):
            odd.append(f"Entry {number} is about {body.get('subject')}, not about this.")
        if moment(body.get("at")) > moment(as_of):
            odd.append(f"Entry {number} is later than the time of which the file speaks.")
        commitments = body.get("personal", {})
        for name, value in opened.items():
            made = hmac.new(base64.b64decode(value["salt"]), value["value"].encode(), hashlib.sha256).hexdigest()
            if commitments.get(name) != f"hmac-sha256:{made}":
                lies.append(f"Entry {number}: the value of “{name}” is not the one that the entry commits to.")
        if commitments.keys() - opened.keys():
            erased.append(str(number))
    holds = f"All {len(entries)} entries are in the ledger of {head.size} entries that the checkpoint signed."
    result.judge("inclusion", holds, missing)
    result.judge("order", "The entries are in the ledger's order and about what this file is about.", odd)
    holds = f"All {sum(len(entry['personal']) for entry in entries)} personal values are those that the entries commit to."
    if result.judge("commitments", holds, lies) and erased:
        said = f"Not every personal value of the entries {', '.join(erased)} is shown, as of people who were erased"
        result.open("erased", f"{said}; their proofs hold.")


class Keys(NamedTuple):
    """Keys of a ledger (name+hash+key) that prove themselves: those that signed a head, the newest last; and earlier ones."""

    present: list[str]
    earlier: list[str]


def proven_keys(ledger: Json, note: str) -> Keys:
    """The ledger's keys (name+hash+key) that prove themselves by this head. Raises Wrong.

    A key that is only listed proves nothing. One that signed the head does; and an earlier one that handed over: where the
    key was changed from A to B to C, there are two rotations, the first signed by A and B, the second by B and C, and C
    signed the head. While the last change is new, B may have signed the head as well.
    """
    present = [vkey for vkey in ledger.get("verifiers") or [ledger["verifier"]] if signed_by(note, vkey)]
    if not present:
        return Keys([], [])
    rotations = ledger.get("rotations") or []
    earlier = [facts(rotation["entry"])["old"] for rotation in rotations]  # A, B
    chain = [*earlier, present[-1]]  # A, B, C
    for rotation, old, new in zip(rotations, chain, chain[1:]):
        if not _handed_over(rotation, old, new, read_head(note)):
            raise Wrong("The ledger's key was changed, but the old key did not hand over to the new one.")
    return Keys(present, earlier)


def _handed_over(rotation: Json, old: str, new: str, head: Head) -> bool:
    """Whether both keys signed the statement of an entry, and a checkpoint with it of which the ledger went on."""
    entry, bridge = rotation["entry"], read_head(rotation["checkpoint"])
    body, number, statement = entry["body"], entry["number"], facts(entry)["statement"]
    return (
        (body["tag"], body["number"], facts(entry)["new"]) == ("ledger:key-rotated", number, new)
        and statement.partition("\n\n")[0] == f"countersign-ledger-key/1\n{head.origin}\n{old}\n{new}"
        and signed_by(statement, old) and signed_by(statement, new)
        and signed_by(rotation["checkpoint"], old) and signed_by(rotation["checkpoint"], new)
        and bridge.origin == head.origin
        and is_included(body, number, bridge, rotation["inclusion"])
        and is_included(body, number, head, entry["inclusion"])
        and is_consistent(bridge, head, rotation["consistency"])
    )


def check_keys(ledger: Json, note: str, certificate: bytes, trusted: Trusted, result: Result) -> None:
    """Whose keys they are. A key that came in the file is only ever compared, never believed."""
    introduced = [facts(one) for one in ledger["entries"] if one["body"].get("tag") == "evidence:key-introduced"]
    if sha256(certificate) in [stated.get("certificate") for stated in introduced]:
        result.good("certificate", "The ledger itself names the certificate that signed this PDF.")
    else:
        result.bad("certificate", "The PDF was signed by a certificate that the ledger does not name.")
    keys = proven_keys(ledger, note)
    printed = fingerprint(read_vkey(keys.present[-1])[1]) if keys.present else "unknown"
    if any(map(trusted.has_key, keys.present)):
        result.good("ledger-key", "The ledger's key is the one that you gave.")
    elif any(map(trusted.has_key, keys.earlier)):
        since = "The key that you gave signed for the ledger's present key when it was changed."
        result.good("ledger-key", f"{since} From now on compare with: {printed}")
    elif trusted.has(certificate):
        result.good("given-certificate", "The certificate that signed this PDF is the one that you gave.")
        result.open("ledger-key", f"Not compared: the ledger's key, whose fingerprint is {printed}")
    elif trusted.fingerprints:
        other = "The file was not made with a key that you gave."
        result.bad("ledger-key", f"{other} If yours is newer than the file, give the one of its time too: {printed}")
    else:
        unproved = "Not proved until you compare it: whose ledger this is."
        result.open("ledger-key", f"{unproved} The fingerprint of its key is {printed}")


# ---- 7. Passkeys (WebAuthn Level 3 §7.2) -----------------------------------------------------------------------------


def verify_by_passkey(spki: bytes, signature: bytes, message: bytes) -> None:
    """A signature by one of the kinds of key that are asked for, given as RFC 5280 has public keys (in DER).

    Raises InvalidSignature, Wrong for another kind, and ValueError for what is no key.
    """
    key = serialization.load_der_public_key(spki)
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, message)
    elif isinstance(key, rsa.RSAPublicKey) and (key.key_size, key.public_numbers().e) == (2048, 65537):
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1"):
        hashing = hashes.SHA256() if key.curve.name == "secp256r1" else hashes.SHA384()
        key.verify(signature, message, ec.ECDSA(hashing))
    else:
        raise Wrong("its key is of a kind that was not asked for")


def verify_assertion(assertion: Mapping[str, bytes], spki: bytes, challenge: bytes, rp_id: str, last_count: int) -> None:
    """That this key signed this challenge for this relying party, its holder present and verified. Raises Wrong."""
    client, authenticator = read_json(assertion["client_data"]), assertion["authenticator_data"]
    wanted = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
    scheme = "https?" if rp_id.rpartition(".")[2] == "localhost" else "https"
    site = rf"{scheme}://([a-z0-9_-]+\.)*{re.escape(rp_id)}(:[0-9]+)?"
    party, flags, count = struct.unpack_from(">32sBL", authenticator)
    for holds, problem in (
        (client.get("type") == "webauthn.get", "it was made for something else"),
        (client.get("challenge") == wanted, "it is over another challenge"),
        (not client.get("crossOrigin"), "it was made in a frame of another site"),
        (re.fullmatch(site, str(client.get("origin"))), "it was made on another site"),
        (party == hashlib.sha256(rp_id.encode()).digest(), "it was made for another relying party"),
        (flags & 0x05 == 0x05, "its holder was not verified"),
        (count > last_count or count == last_count == 0, f"its counter shows {count} after {last_count}"),
    ):
        if not holds:
            raise Wrong(problem)
    try:
        message = authenticator + hashlib.sha256(assertion["client_data"]).digest()
        verify_by_passkey(spki, assertion["signature"], message)
    except InvalidSignature as error:
        raise Wrong("the signature is not by this key") from error


# ---- 8. One request's evidence: seals, decisions, steps, and what the ledger's entries tell of them -------------------

# The facts of one request (evidence.json), as far as this file looks at them; “…” stands for more of the same:
#
#   reference "SR-000001", as_of
#   request    state, revision, seal (of the last revision, or null), requester, beneficiary, submitted_at, reason, ...
#   people     [{id "person:7", issuer, subject, name}, …]: elsewhere people are named by their id alone
#   offering   slug, version, digest, document: the text of the service that was asked for, and its digest
#   answers    [{name, value}, …] as they are now
#   sealings   [{revision 1, seal, document}, …]: each revision's seal, the digest of its document, in which stand
#              reference, revision, offering, answers, risk, plan [step, …], route [{slug, quorum, approvers [{issuer, subject}, …]}, …]
#   stages     [{revision, slug, state, quorum, approvers}, …] of each route, as they ended
#   decisions  [{revision, stage, seal, person, on_behalf_of, verdict, comment, decided_at, voided_at, signature}, …]
#   steps      [{revision, position, plan, outcome, read_back}, …]: what was done of each plan
#   ledger     origin, verifier (its key), checkpoint (the signed head), rotations, entries [{number, body, personal, inclusion}, …]

VERDICTS = {"approve": "approval:approved", "deny": "approval:denied"}
#: What the entry of a decision states as the facts do; its actor is who decided.
DECIDED = ("revision", "stage", "seal", "on_behalf_of", "auth_time", "acr", "amr")


def differing(where: str, said: Json, wanted: Json) -> Iterator[str]:
    """A sentence for each value that is not the wanted one."""
    names = [name.replace("_", " ") for name, value in wanted.items() if said.get(name) != value]
    yield from (f"{where} has another {name} than the facts." for name in names)


def broken(subject: str, *rules: tuple[object, str]) -> Iterator[str]:
    """A sentence for each rule that does not hold."""
    yield from (f"{subject} {said}." for holds, said in rules if not holds)


class Evidence:
    """The facts of one request, by revisions and people, and the ledger's entries."""

    def __init__(self, told: Json) -> None:
        self.told, self.request, self.decisions = told, told["request"], told["decisions"]
        self.documents = {sealing["revision"]: sealing["document"] for sealing in told["sealings"]}
        self.names = {person["id"]: person["name"] for person in told["people"]}
        self.identities = {person["id"]: identity_in(person) for person in told["people"]}
        #: Of these the facts no longer say who they were.
        self.erased = [name for name in self.names if self.entries("person:erased", about=f"erasure:{name}", person=name)]

    def entries(self, *tags: str, about: str = "", **stated: Any) -> list[Json]:
        """The entries about the request, or about something else, with these tags (or any), that state this."""
        subject, found = about or f"request:{self.told['reference']}", []
        for entry in self.told["ledger"]["entries"]:
            said = {**facts(entry), "actor": entry["body"].get("actor")}
            fits = all(said.get(name) == value for name, value in stated.items())
            if fits and entry["body"]["subject"] == subject and (not tags or entry["body"]["tag"] in tags):
                found.append(entry)
        return found


def identity_in(person: Json) -> Json:
    """What tells people apart, as seals and signatures have it."""
    return {"issuer": person["issuer"], "subject": person["subject"]}


def offering_problems(evidence: Evidence) -> Iterator[str]:
    """The offering's text is the one whose digest is stated."""
    offering = evidence.told["offering"]
    said = {**offering["document"], "digest": digest(offering["document"])}
    wanted = {"digest": offering["digest"], "slug": offering["slug"], "controls": evidence.told["controls"]}
    yield from differing("The offering's text", said, wanted)


def entry_problems(evidence: Evidence) -> Iterator[str]:
    """Every seal and every decision is told by one entry of the ledger, and no entry tells of another."""
    shown: list[tuple[str, Json]] = []
    for sealing in evidence.told["sealings"]:
        shown.append(("request:sealed", {name: sealing[name] for name in ("revision", "seal")}))
    for decision in evidence.decisions:
        said = {name: decision[name] for name in DECIDED}
        said.update(actor=decision["person"], signature=signature_told(decision))
        shown.append((VERDICTS[decision["verdict"]], said))
    telling: set[int] = set()
    for tag, said in shown:
        found = evidence.entries(tag, **said)
        telling.update(entry["number"] for entry in found)
        if len(found) != 1:
            yield f"The ledger's entries ({tag}) do not tell what the facts do."
    every = {entry["number"] for entry in evidence.entries("request:sealed", *VERDICTS.values())}
    if telling != every or len(shown) != len(every):
        yield "The ledger tells of seals or decisions that the facts leave out, or tell twice."


def holds_answers(told: Json, document: Json) -> bool:
    """Whether a sealed document has the answers that the facts show."""
    sealed = {name: value for name, value in document["answers"].items() if value not in (None, "", [])}
    return sealed == {answer["name"]: answer["value"] for answer in told["answers"]}


def seal_problems(evidence: Evidence) -> Iterator[str]:
    """Every seal is the digest of what it names, and is about this request."""
    told, last = evidence.told, evidence.request["seal"]
    if last is not None and [last] != [sealing["seal"] for sealing in told["sealings"][-1:]]:
        yield "The request's seal is not the last one that was made."
    for number, sealing in enumerate(told["sealings"], 1):
        document, seal = sealing["document"], sealing["seal"]
        stages = [(stage["slug"], stage["quorum"]) for stage in told["stages"] if stage["revision"] == number]
        yield from broken(
            f"Seal {number}",
            (digest(document) == seal, "is not the digest of what it names"),
            (sealing["revision"] == document["revision"] == number, "has another number"),
            (document["reference"] == told["reference"], "is of another request"),
            (document["offering"] == told["offering"]["digest"], "is of another offering"),
            (stages == [(stage["slug"], stage["quorum"]) for stage in document["route"]], "names other stages"),
            (seal != last or holds_answers(told, document), "names other answers"),
        )


def decision_problems(evidence: Evidence) -> Iterator[str]:
    """Every decision was made on the seal of its revision."""
    seals = {sealing["revision"]: sealing["seal"] for sealing in evidence.told["sealings"]}
    for decision in evidence.decisions:
        if seals.get(decision["revision"]) != decision["seal"]:
            yield f"The decision of {evidence.names[decision['person']]} was made on another seal than the one made then."


def step_problems(evidence: Evidence) -> Iterator[str]:
    """Every step is the plan that was sealed, word for word."""
    for step in evidence.told["steps"]:
        plans = dict(enumerate(evidence.documents[step["revision"]]["plan"], 1))
        parts = ("connector", "action", "target", "lines", "document", "inverse")
        if plans.get(step["position"]) != {part: step["plan"].get(part) for part in parts}:
            yield f"Step {step['position']} is not the plan that was sealed."


def signature_problems(evidence: Evidence) -> Iterator[str]:
    """Every signature of a decision is by a passkey that the same person had enrolled before."""
    for decision in evidence.decisions:
        if decision["signature"] and decision["person"] not in evidence.erased:
            yield from passkey_problems(evidence, decision)


def assertion_of(decision: Json) -> dict[str, bytes]:
    """What a passkey signed, part by part."""
    return {name: base64.b64decode(text) for name, text in decision["signature"].items() if name != "nonce"}


def signature_told(decision: Json) -> Json | None:
    """What the ledger tells of a signature: the passkey's name in it, and the digest of what was signed."""
    if not decision["signature"]:
        return None
    parts = {name: part.hex() for name, part in assertion_of(decision).items()}
    passkey = sha256(bytes.fromhex(parts["credential_id"]))
    return {"passkey": passkey, "assertion": digest({**parts, "nonce": decision["signature"]["nonce"]})}


def passkey_problems(evidence: Evidence, decision: Json) -> Iterator[str]:
    """What is wrong with a decision's signature."""
    person, what = decision["person"], f"The signature of {evidence.names[decision['person']]}"
    assertion, tag = assertion_of(decision), VERDICTS[decision["verdict"]]
    decided = evidence.entries(tag, revision=decision["revision"], stage=decision["stage"], actor=person)
    about = evidence.entries(about="passkey:" + sha256(assertion["credential_id"]))
    before = [entry for entry in about if decided and entry["number"] < decided[0]["number"]]
    if [entry["body"]["tag"] for entry in before] != ["passkey:enrolled"]:
        raise Wrong(f"{what} was not made with a key that had been enrolled before, once, and not been revoked.")
    key = facts(before[0])
    if not person == key["person"] == before[0]["body"]["actor"]:
        yield f"{what} was made with a key that somebody else enrolled."
    challenge = {name: decision[name] for name in ("seal", "verdict", "stage")}
    challenge.update(purpose="countersign-decision-signature/1", nonce=decision["signature"]["nonce"])
    signed = hashlib.sha256(canonical({**challenge, "person": evidence.identities[person]})).digest()
    try:
        public = base64.b64decode(key["public_key"])
        verify_assertion(assertion, public, signed, key["rp_id"], key["sign_count"])
    except (Wrong, ValueError, UnsupportedAlgorithm) as error:
        yield f"{what} does not hold: {error}."


# ---- 9. A PDF of evidence: signature, attached files, facts, pages, keys ---------------------------------------------

#: The facts and, beside them and their schema, the checkpoint of each file.
FILES = {"evidence.json": "checkpoint.note", "access-review.json": "checkpoint.note", "audit.json": "after.note"}
#: The published schemas by their digests, one for each form in which facts were ever told. No other is read: whoever signs
#: a file could put one into it that allows everything, or that takes for ever.
SCHEMAS = {
    "evidence.json": {"sha256:3df04e86b02800cbf85241a67e6fa0ee8f40dfd56541b470e5065bbab8c1d366"},
    "access-review.json": {"sha256:414b37161fa804a9f142f520bb93aab483c147ddc0a3bd1e5bb40cb4c7c06e6d"},
    "audit.json": {"sha256:20f7a227383260007e87a633b05778b23e9e85d3ca61a32883fdaf1ce4cdbc6f"},
}
UNKNOWN_SCHEMA = (
    "The schema inside is none that this verifier knows, so it cannot tell what the facts mean: take the verify.py of the "
    "Countersign that made the file, from whom you trust."
)
#: Words that stand on English pages for what the facts have in codes.
WORDS = {
    "approve": "Approved", "deny": "Denied", "preparing": "Being prepared", "pending": "Awaiting approval",
    "scheduled": "Approved, to be carried out", "fulfilling": "Being carried out", "fulfilled": "Fulfilled",
    "ended": "Fulfilled and ended", "rejected": "Rejected by an approver", "withdrawn": "Withdrawn by the requester",
    "refused": "Refused by the portal", "failed": "Failed",
}


class Opened(NamedTuple):
    """A PDF whose signature holds: who signed, what it is, its facts and its files."""

    signed: Signed
    pdf: Pdf
    name: str
    told: Json
    files: dict[str, bytes]


def run_check(name: str, check: Callable[[], object], result: Result) -> None:
    """Run a check; facts that no portal wrote may break it, and that is a no."""
    try:
        check()
    except Wrong as error:
        result.bad(name, str(error))
    except Exception as error:  # as said
        result.bad(name, f"The facts cannot be checked ({name}, {type(error).__name__}); no portal wrote them so.")


def open_pdf(content: bytes, trusted: Trusted, result: Result) -> Opened | None:
    """The PDF's facts, if its signature holds and the files inside have the published form."""
    signed, found = check_pdf_signature(content, trusted, result), []
    if signed:
        run_check("attachments", lambda: found.append(_opened(content, signed)), result)
    if not found:
        return None
    result.good("attachments", "The attached facts are there and have the form of the schema beside them.")
    result.reference = found[0].told["reference"]
    return found[0]


def _opened(content: bytes, signed: Signed) -> Opened:
    pdf = Pdf(content)
    files = pdf.attachments()
    name = next((one for one in FILES if one in files), "evidence.json")
    schema, note = name.replace(".json", ".schema.json"), FILES[name]
    if set(files) != {name, schema, note}:
        raise Wrong(f"The files inside are not those of evidence: {', '.join(sorted(files)) or 'none'}.")
    if sha256(files[schema]) not in SCHEMAS[name]:
        raise Wrong(UNKNOWN_SCHEMA)
    told = read_json(files[name])
    problem = schema_problem(told, read_json(files[schema]))
    if problem:
        raise Wrong(f"The attached facts do not have the published form: {problem}.")
    if canonical(told) != files[name]:
        raise Wrong("The attached facts are not written as evidence writes them (RFC 8785).")
    ledger = told["ledger"]["after"] if name == "audit.json" else told["ledger"]
    if files[note] != ledger["checkpoint"].encode():
        raise Wrong("The attached checkpoint is another one than the facts hold.")
    if signed.at is None or f"{signed.at:%Y-%m-%dT%H:%M:%S}" != told.get("made_at", told["as_of"])[:19]:
        raise Wrong("The signature states another time than the facts.")
    return Opened(signed, pdf, name, told, files)


def check_pdf(content: bytes, trusted: Trusted, result: Result) -> Json | None:
    """A PDF alone; its facts, where they could be read."""
    opened = open_pdf(content, trusted, result)
    if opened is None:
        return None
    told, name = opened.told, opened.name
    check = {"evidence.json": check_evidence, "access-review.json": check_review, "audit.json": check_report}[name]
    run_check("facts", lambda: check(opened, trusted, result), result)
    if name == "audit.json":
        result.open("bundle", "This is the report alone: whether its population is complete, its bundle tells.")
    return told


def check_review(opened: Opened, trusted: Trusted, result: Result) -> None:
    """An access review's result."""
    _check_proofs(opened, (f"access-review:{opened.told['reference'].rpartition('-')[2]}", "request:"), trusted, result)
    result.open("answers", "Only countersign verify compares an access review's pages and answers with the entries.")


def check_evidence(opened: Opened, trusted: Trusted, result: Result) -> None:
    """One request's evidence."""
    told, evidence, reference = opened.told, Evidence(opened.told), opened.told["reference"]
    result.claim = f"The file states that the request is {told['request']['state']}."
    about = (f"request:{reference}", f"offering:{told['offering']['slug']}", "passkey:", "erasure:", "ledger:")
    _check_proofs(opened, about, trusted, result)
    rules = {"offering": offering_problems, "entries": entry_problems}
    rules.update(decisions=decision_problems, signature=signature_problems)
    if erased := evidence.entries("record:erased"):
        said = f"The request's record was erased when its time was over (entry {erased[0]['number']})"
        result.open("record", f"{said}; what it held cannot be compared.")
    else:
        rules.update(seals=seal_problems, steps=step_problems)
    for name, problems in rules.items():
        run_check(name, lambda: result.judge(name, problems.__doc__ or "", problems(evidence)), result)
    for decision in told["decisions"]:
        if decision["person"] in evidence.erased:
            said = f"{evidence.names[decision['person']]} was erased: only the seals and the ledger tell who they were"
            result.open("signature", f"{said}, so that they could decide, and what they signed, is not checked here.")
    run_check("pages", lambda: check_pages(opened, evidence_values(opened), result), result)
    story = "that enough people agreed who could, and that the ledger's other entries tell what was asked for and done"
    result.open("story", f"Whether the rules were kept, {story}, recount.py works out; it also reads the PDF as viewers do.")
    result.open("pages", "That all stands where it should recount.py tells; that nothing else does, countersign verify alone.")
    result.open("further", "No single file can show that the ledger has no further entry about this request or its passkeys; a bundle can.")


def _check_proofs(opened: Opened, about: Sequence[str], trusted: Trusted, result: Result) -> None:
    """The ledger's head, its entries, which are about these subjects or kinds of subjects, and its keys."""
    ledger, note = opened.told["ledger"], opened.told["ledger"]["checkpoint"]
    about = (*about, "signing-key:")

    def check_head_and_entries() -> None:
        head = check_note(note, [ledger["verifier"]], ledger["origin"])
        result.good("checkpoint", f"The checkpoint of {head.origin} is signed by the ledger's key.")
        is_about = lambda subject: subject in about or subject.partition(":")[0] + ":" in about  # noqa: E731
        check_entries(ledger["entries"], head, opened.told["as_of"], is_about, result)

    run_check("ledger", check_head_and_entries, result)
    run_check("keys", lambda: check_keys(ledger, note, opened.signed.certificate, trusted, result), result)


def check_pages(opened: Opened, values: Iterable[str], result: Result) -> None:
    """That each of these values stands somewhere on the pages, none of which breaks off one of them."""
    pages = text_of_pages(opened.pdf)
    letters = set("".join(pages))
    wanted = dict.fromkeys(legible(value, letters) for value in values if value)
    missing, page = [], ""
    for value in wanted:
        if compact(value) not in page:  # the next value mostly stands on the same page
            page = next((one for one in pages if compact(value) in one), "")
            missing += [] if page else [value]
    said = f"What was looked for of the facts, {len(wanted)} values, stands on the {len(pages)} pages."
    result.judge("pages", said, [f"The pages leave out what the facts say: “{value[:60]}”" for value in missing[:3]])


def legible(value: str, letters: set[str]) -> str:
    """The value as the pages write it: a character that no font of theirs has stands there by its number."""
    if value.isascii():
        return value
    return "".join(one if set(compact(one)) <= letters else f"[U+{ord(one):04X}]" for one in value)


def evidence_values(opened: Opened) -> Iterator[str]:
    """What the pages of evidence say of the facts; words only on English ones, of times the clock's."""
    told, is_english = opened.told, opened.pdf.language == "en"
    names = {person["id"]: person["name"] for person in told["people"]}
    yield from (told["reference"], WORDS[told["request"]["state"]] if is_english else "")
    yield from (read_head(told["ledger"]["checkpoint"]).root.hex(), sha256(opened.files["evidence.json"]))
    yield from (names[told["request"]["requester"]], told["offering"]["digest"], told["ledger"]["verifier"])
    for stage in told["stages"]:
        yield from (names[approver["person"]] for approver in stage["approvers"])
    for decision in told["decisions"]:
        yield from (names[decision["person"]], WORDS[decision["verdict"]] if is_english else "")
        yield decision["decided_at"][11:19]
    for sealing in told["sealings"]:
        yield from (sealing["sealed_at"][11:19], sealing["seal"])
    for entry in told["ledger"]["entries"]:
        yield from (str(entry["number"]), entry["body"]["at"][11:19], entry["body"]["tag"])
        yield leaf_hash(canonical(entry["body"])).hex()


# ---- 10. An audit report: the ledger of the period, the population, the sample ----------------------------------------

# The facts of a report (audit.json), as far as this file looks at them:
#
#   reference "AR-000001", as_of (when the rows were counted), made_at, disclosure "whole" or "scope", withheld
#   query         first_day, last_day, zone, from, until, units [slug, …], offerings, controls, language
#   population    count, digest, rows [{reference, entry (of its submission), submitted_at, offering, offering_digest, ...}, …]
#   completeness  previous (reference before the period), first, last, submissions, outside_period, outside_filter
#   sample        rule, root, nonce (the auditor's word), seed, size, references, draw, earlier [{draw, nonce, entry}, …]
#   ledger        origin, verifiers, rotations, before, after and made {size, checkpoint}, entries, consistency of the three
#                 heads and of those in the evidence
#   files         [{name, bytes, digest}, …]: the members of the bundle
#
# In the ledger stand, in this order: the order of the audit (under `after`), the counting, the auditor's word (under `made`).


def check_report(opened: Opened, trusted: Trusted, result: Result) -> None:
    """All of an audit report that can be told without its bundle."""
    told, sample, ledger = opened.told, opened.told["sample"], opened.told["ledger"]
    note, certificate = ledger["made"]["checkpoint"], opened.signed.certificate
    checks = {"checkpoint": check_heads, "query": check_query, "population": check_population, "sample": check_sample}
    for name, check in checks.items():
        run_check(name, lambda: check(told, result), result)
    run_check("pages", lambda: check_pages(opened, report_values(opened), result), result)
    run_check("keys", lambda: check_keys(ledger, note, certificate, trusted, result), result)
    word, root = f"that the word is yours (“{sample['nonce']}”)", f"you were shown the root {sample['root']}"
    known = "a portal that knew the word could have tried roots until one suited, or left a draw out."
    result.open("draw", f"Compare with your own notes: {word}, that you said it after {root}, and no other; {known}")


def of_the_audit(told: Json, tag: str) -> list[Json]:
    """The entries with this tag about this very audit."""
    wanted = (tag, f"audit:{told['reference']}")
    return [entry for entry in told["ledger"]["entries"] if (entry["body"]["tag"], entry["body"]["subject"]) == wanted]


def check_heads(told: Json, result: Result) -> None:
    """Three signed heads, each of which holds the one before; and the entries under the last of them."""
    ledger, origin, heads = told["ledger"], told["ledger"]["origin"], []
    for part in (ledger["before"], ledger["after"], ledger["made"]):
        note, empty = part["checkpoint"], Head(origin, 0, EMPTY_ROOT)
        heads.append(empty if note is None else check_note(note, ledger["verifiers"], origin))
        if heads[-1].size != part["size"]:
            raise Wrong("A checkpoint is of another size than the facts state.")
    before, after, made = heads
    result.good("checkpoint", f"The checkpoints of {origin} are signed by the ledger's key.")
    edge, proofs = Edge(before.size, ledger["before"]["edge"]), ledger["consistency"]
    last = [moment(entry["body"]["at"]) for entry in ledger["entries"] if entry["number"] == before.size]
    is_older = last[0] < moment(told["query"]["from"]) if last else before.size == 0
    grew = f"The ledger grew from {before.size} to {after.size} to {made.size} entries and was never rewritten."
    result.judge("consistency", grew, broken(
        "The ledger",
        (is_consistent(before, after, proofs["before_after"]), f"was rewritten after its entry {before.size}"),
        (is_consistent(after, made, proofs["after_made"]), f"was rewritten after its entry {after.size}"),
        (edge.root() == before.root, "before the period has another root than its edge"),
        (is_older, "before the period is not shown to end before it begins"),
    ))
    check_entries(ledger["entries"], made, told["made_at"], lambda subject: True, result)


def check_query(told: Json, result: Result) -> None:
    """The order's entry states this very query and stands between the two checkpoints; the period was over by then."""
    query, orders = told["query"], of_the_audit(told, "audit:ordered")
    before, after = told["ledger"]["before"]["size"], told["ledger"]["after"]["size"]
    if len(orders) != 1 or not before < orders[0]["number"] <= after:
        raise Wrong("It is not shown that the audit was ordered between the two checkpoints.")
    names = ("first_day", "last_day", "zone", "from", "until", "units", "offerings", "controls", "language")
    wanted = {**{name: query[name] for name in names}, "rule": told["sample"]["rule"], "disclosure": told["disclosure"]}
    problems = list(differing("The order of the audit", facts(orders[0]), wanted))
    begins, until, ordered = moment(query["from"]), moment(query["until"]), moment(orders[0]["body"]["at"])
    is_over = begins < until <= min(ordered, moment(told["as_of"]))
    problems += broken("The period", (is_over, "was not over when it was ordered or looked at"))
    if moment(told["as_of"]) < until + LONGEST_TRANSACTION + CLOCK_SKEW:
        early = "The ledger was looked at within three minutes of the period's end"
        result.open("edge", f"{early}: a request that was submitted just before may stand behind the head.")
    period = f"from {begins:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
    result.claim = f"{told['population']['count']} requests {period}, {told['sample']['size']} of them drawn."
    result.judge("query", "The query is the one that was ordered, between the two checkpoints.", problems)


def check_population(told: Json, result: Result) -> None:
    """Count and digest are those of the rows; each stands once, in order."""
    rows = told["population"]["rows"]
    references, stated = [row["reference"] for row in rows], {"count": len(rows), "digest": digest(rows)}
    problems = list(differing("The list of the rows", told["population"], stated))
    if references != sorted(set(references), key=lambda reference: int(reference[3:])):
        problems.append("The rows are not in the order of their references, or one stands twice.")
    result.judge("population", "The population is what its count and digest say.", problems)


def sample_size(rule: Json, count: int) -> int:
    """How many are drawn: a number, a part in bounds, or by attribute (hypergeometric, no deviation expected)."""
    if rule["kind"] == "fixed":
        return min(count, int(rule["size"]))
    if rule["kind"] == "percent":
        part = math.ceil(count * Fraction(rule["percent"]) / 100)
        return min(count, int(rule["most"]), max(int(rule["least"]), part))
    deviating, chance, size = math.ceil(Fraction(rule["tolerable"]) * count), Fraction(1), 0
    while chance > 1 - Fraction(rule["confidence"]) and size < count:
        chance *= Fraction(max(0, count - deviating - size), count - size)
        size += 1
    return size


def rank(seed: str, reference: str) -> str:
    """What puts the requests in order; the first of them are drawn."""
    return hashlib.sha256(bytes.fromhex(seed) + reference.encode("ascii")).hexdigest()


def check_sample(told: Json, result: Result) -> None:
    """Root, word and rule draw this sample, and the root was fixed before the word was said.

    The root was signed; the population was counted under it; the word was said after that. Root and word give the seed,
    the seed gives each request its rank, and the lowest ranks are the sample. A further word is a further draw.
    """
    sample, population, after = told["sample"], told["population"], read_head(told["ledger"]["after"]["checkpoint"])
    countings, words = of_the_audit(told, "audit:counted"), of_the_audit(told, "audit:nonce-given")
    if not countings or not words or not after.size < countings[-1]["number"] < words[0]["number"]:
        raise Wrong("It is not shown that population and root were fixed before the nonce was given.")
    root, size = base64.b64encode(after.root).decode(), sample_size(sample["rule"], len(population["rows"]))
    counted = {
        "before": told["ledger"]["before"]["size"], "after": after.size, "root": root,
        "count": population["count"], "population": population["digest"], "sample": size,
    }
    problems = list(differing("What was counted", facts(countings[-1]), counted))
    draws = [{"draw": facts(one)["draw"], "nonce": facts(one)["nonce"], "entry": one["number"]} for one in words]
    if [draw["draw"] for draw in draws] != list(range(1, len(draws) + 1)):
        problems.append("The draws are not numbered one after another.")
    seed = hashlib.sha256(after.root + sample["nonce"].encode()).hexdigest()
    ranked = sorted((row["reference"] for row in population["rows"]), key=lambda reference: rank(seed, reference))
    drawn = {
        "root": root, "seed": seed, "size": size, "references": ranked[:size],
        "draw": draws[-1]["draw"], "nonce": draws[-1]["nonce"], "earlier": draws[:-1],
    }
    problems += differing("What root, word and rule draw", sample, drawn)
    result.judge("sample", "The sample is the one that the ledger's root and the auditor's word draw.", problems)


def report_values(opened: Opened) -> Iterator[str]:
    """What the pages of a report say of the facts."""
    told, sample = opened.told, opened.told["sample"]
    yield from (told["reference"], told["population"]["digest"], sha256(opened.files["audit.json"]))
    yield from (sample["root"], sample["nonce"], sample["seed"])
    for reference in sample["references"]:
        yield reference + rank(sample["seed"], reference)[:16]
    for row in told["population"]["rows"]:
        yield f"{row['reference']}{row['entry']}{row['submitted_at'][:19].replace('T', ' ')}"


#: What a row says of a request's submission, as its entry does.
_SUBMITTED = ("entry", "submitted_at", "offering", "version", "offering_digest", "unit", "requester")


class PeriodLedger:
    """ledger.jsonl: hashed line by line onto the edge before the period; and what of its entries is needed later."""

    def __init__(self, told: Json) -> None:
        self.told, self.withheld = told, 0
        #: The latest times that entries and submissions have told so far, beginning with the last entry before the period.
        before = [one["body"] for one in told["ledger"]["entries"] if one["number"] == told["ledger"]["before"]["size"]]
        self.latest = moment(before[0]["at"]) if before else datetime.min.replace(tzinfo=timezone.utc)
        self.submitted_last = datetime.min.replace(tzinfo=timezone.utc)
        self.submissions: list[Json] = []
        #: The numbers of the entries about each request of the sample, and about each passkey, by their subjects.
        self.numbers_about: dict[str, set[int]] = {f"request:{reference}": set() for reference in told["sample"]["references"]}
        self.problems: list[str] = []
        self.word_was_said: list[str] = []

    def read(self, lines: Iterable[bytes]) -> None:
        """Every line, up to the root after the period. Raises Wrong."""
        before, after = self.told["ledger"]["before"], read_head(self.told["ledger"]["after"]["checkpoint"])
        edge = Edge(before["size"], before["edge"])
        for line in lines:
            number, body = edge.size + 1, read_json(line)
            if body.get("number") != number:
                raise Wrong(f"ledger.jsonl does not go on with entry {number}: lines were removed, added or exchanged.")
            if "leaf_hash" not in body:
                edge.append(leaf_hash(line))
                self.read_entry(number, body)
            elif self.told["disclosure"] == "scope" and set(body) == {"leaf_hash", "number"}:
                edge.append(base64.b64decode(body["leaf_hash"], validate=True))
                self.withheld += 1
            else:
                raise Wrong(f"Entry {number} is withheld, but the whole ledger was to be disclosed.")
        if (edge.size, edge.root()) != (after.size, after.root):
            raise Wrong(f"ledger.jsonl ends at entry {edge.size} with another root than the one after the period.")

    def read_entry(self, number: int, body: Json) -> None:
        """What one entry tells."""
        tag, at, subject = body["tag"], moment(body["at"]), body["subject"]
        kind, _, name = subject.partition(":")
        if kind == "passkey" or subject in self.numbers_about:
            self.numbers_about.setdefault(subject, set()).add(number)
        # A request that says another time than the entries around it could be moved out of any period.
        spread = LONGEST_TRANSACTION + CLOCK_SKEW
        if tag == "request:submitted":
            self.submissions.append(body)
            self.submitted_last = max(self.submitted_last, at)
            if at + spread < self.latest:
                self.problems.append(f"{name} was submitted, by its own word, long before the entries before it.")
        elif at + spread < self.submitted_last:
            self.problems.append(f"Entry {number} was written, by its own word, long before a request that stands before it.")
            self.submitted_last = at
        # This very audit is counted and drawn behind the period's end only; another may have had the same word.
        if tag in ("audit:counted", "audit:nonce-given") and name == self.told["reference"]:
            self.problems.append(f"Entry {number} ({tag}): this audit was counted or drawn before, from another head.")
        elif tag == "audit:nonce-given" and body["facts"].get("nonce") == self.told["sample"]["nonce"]:
            self.word_was_said.append(f"{name} (entry {number})")
        self.latest = max(self.latest, at)

    def evidence_problems(self, reference: str, one: Json) -> Iterator[str]:
        """Where one request's evidence does not stand on this ledger, or leaves something out of it."""
        ledger, whole, head = one["ledger"], self.told["ledger"], read_head(one["ledger"]["checkpoint"])
        made = read_head(whole["made"]["checkpoint"])
        proofs = {proven["size"]: proven["proof"] for proven in whole["consistency"]["evidence_made"]}
        numbers = {entry["number"] for entry in ledger["entries"]}
        # All that had happened to the request by the period's end; and, by its own head, to the passkeys that signed.
        expected = set(self.numbers_about[f"request:{reference}"])
        for subject in {entry["body"]["subject"] for entry in ledger["entries"]}:
            if subject.startswith("passkey:"):
                expected.update(number for number in self.numbers_about.get(subject, ()) if number <= head.size)
        left_out = sorted(expected - numbers)
        yield from broken(
            f"The evidence of {reference}",
            (one["reference"] == reference, "is of another request"),
            (ledger["origin"] == whole["origin"], "is of a ledger of another name"),
            (ledger["verifier"] in whole["verifiers"], "was made with another key than the ledger's"),
            (is_consistent(head, made, proofs.get(head.size, ())), "is of another ledger"),
            (not left_out, f"leaves entries out: {left_out}"),
        )

    def submitted_in_the_period(self, versions: set[str]) -> tuple[int, dict[str, Json]]:
        """How many requests were submitted in the period; and of those in scope what their entries say of submitting.

        Which controls a version supports stands in the offering's text, not in the ledger: where controls were asked
        for, the versions of the population's rows are taken.
        """
        query, inside, in_scope = self.told["query"], 0, {}
        for body in self.submissions:
            said = {**body["facts"], "entry": body["number"], "submitted_at": body["at"]}
            if moment(query["from"]) <= moment(body["at"]) < moment(query["until"]):
                inside += 1
                is_in_scope = (
                    (not query["units"] or said["unit"] in query["units"])
                    and (not query["offerings"] or said["offering"] in query["offerings"])
                    and (not query["controls"] or said["offering_digest"] in versions)
                )
                if is_in_scope:
                    in_scope[body["subject"].partition(":")[2]] = {name: said[name] for name in _SUBMITTED}
        return inside, in_scope

    def completeness_problems(self) -> Iterator[str]:
        """Which requests of the period are missing or too many, and which counts are not the ledger's."""
        told, stated = self.told, self.told["completeness"]
        rows = {row["reference"]: {name: row[name] for name in _SUBMITTED} for row in told["population"]["rows"]}
        inside, in_scope = self.submitted_in_the_period({row["offering_digest"] for row in rows.values()})
        for reference in sorted(in_scope.keys() - rows.keys()):
            yield f"{reference} was submitted in the period and is in scope, but the population leaves it out."
        for reference, row in rows.items():
            if in_scope.get(reference) != row:
                yield f"{reference}: no entry tells that it was submitted so, in the period and in scope."
        references = [body["subject"].partition(":")[2] for body in self.submissions]
        previous = int(stated["previous"][3:]) if stated["previous"] else 0
        if references != [f"SR-{previous + place:06d}" for place in range(1, len(references) + 1)]:
            yield "The references of the ledger's submissions have a gap, or one stands twice."
        if told["ledger"]["before"]["size"] == 0 and previous:
            yield "A reference is said to lie before the ledger's first entry."
        first, last = (references[0], references[-1]) if references else (None, None)
        counts = {"first": first, "last": last, "submissions": len(references)}
        counts.update(outside_period=len(references) - inside, outside_filter=inside - len(rows))
        yield from differing("The ledger", stated, counts)
        if told["withheld"] != self.withheld:
            yield f"{self.withheld} lines of the ledger are withheld, not {told['withheld']}."


# ---- 11. A bundle: a ZIP file or the folder into which it was unpacked ------------------------------------------------

#: Members that no signature covers; the others are named in audit.json with their digests.
UNLISTED = ("README.txt", "audit.json", "report.pdf", "verify.py", "recount.py")
#: What members are called: no such name leads out of a folder, and no two of them are one name on some machine.
_MEMBER = re.compile(
    r"README\.txt|audit\.(schema\.)?json|ledger\.jsonl|population\.(csv|xlsx)|report\.pdf|sample\.csv"
    r"|(recount|verify)\.py|checkpoints/(before|after|made)\.note|evidence/SR-[0-9]{6,}\.pdf|tables/[a-z][a-z_.]*\.csv"
)


class Bundle:
    """The members by name, with their sizes. Raises Wrong for what a bundle never is."""

    def __init__(self, path: Path) -> None:
        self.open: Callable[[str], IO[bytes]] = lambda name: (path / name).open("rb")
        self.progress: Callable[[str], None] = lambda name: None
        if path.is_dir():
            found = [one for one in path.rglob("*") if one.is_symlink() or not one.is_dir()]
            if any(one.is_symlink() or not one.is_file() for one in found):
                raise Wrong("The bundle has a link in it, or something else that is no file.")
            members = [(one.relative_to(path).as_posix(), one.stat().st_size) for one in found]
        else:
            try:
                archive = zipfile.ZipFile(path)
            except Exception as error:  # a forged file may break any reader
                raise Wrong("This is no ZIP file that can be read.") from error
            self.open, members = archive.open, [(one.orig_filename, one.file_size) for one in archive.infolist()]
        self.sizes = dict(members)
        if len(self.sizes) != len(members):
            raise Wrong("The bundle has two members of one name.")
        for name, size in members:
            if not _MEMBER.fullmatch(name) or size > LARGEST_MEMBER:
                raise Wrong(f"The bundle has a member that no bundle has: {name[:80]!r}.")

    def chunks(self, name: str) -> Iterator[bytes]:
        """The member piece by piece."""
        if name not in self.sizes:
            raise Wrong(f"The bundle has no {name}.")
        self.progress(name)
        try:
            with self.open(name) as stream:
                while piece := stream.read(1 << 20):
                    yield piece
        except Exception as error:  # as above
            raise Wrong(f"{name} cannot be read: the bundle is damaged.") from error

    def read(self, name: str) -> bytes:
        """The whole member. Raises Wrong when it is too large to be what it should be."""
        if self.sizes.get(name, 0) > LARGEST_PDF:
            raise Wrong(f"{name} is larger than it can be.")
        return b"".join(self.chunks(name))

    def digest(self, name: str) -> str:
        """`sha256:` and hex over the member."""
        hashed = hashlib.sha256()
        for piece in self.chunks(name):
            hashed.update(piece)
        return "sha256:" + hashed.hexdigest()

    def lines(self, name: str) -> Iterator[bytes]:
        """The member's lines; a single one may not grow without end."""
        rest = b""
        for piece in self.chunks(name):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
            if len(rest) > 1 << 24:
                break
        if rest:
            raise Wrong(f"{name} was cut off, or has a line that is longer than any entry.")


def check_bundle(
    bundle: Bundle, trusted: Trusted, result: Result, progress: Callable[[str], None] = lambda name: None
) -> None:
    """Everything in a bundle."""
    evidence: dict[str, Json] = {}
    bundle.progress = progress
    opened = open_pdf(bundle.read("report.pdf"), trusted, result)
    if opened is None or opened.name != "audit.json":
        result.bad("bundle", "report.pdf is not an audit report that holds, so nothing else in the bundle counts.")
        return
    told = opened.told
    check_report(opened, trusted, result)
    run_check("members", lambda: check_members(bundle, opened, result), result)
    run_check("evidence", lambda: evidence.update(check_drawn(bundle, told, trusted, result)), result)
    lines = bundle.lines("ledger.jsonl")
    run_check("ledger", lambda: check_ledger(lines, told, evidence, result), result)
    result.open("rows", "Whether states, votes, figures and tables follow from ledger.jsonl, recount.py tells.")
    result.open("unsigned", "README.txt, verify.py and recount.py in a bundle are covered by no signature.")


def check_members(bundle: Bundle, opened: Opened, result: Result) -> None:
    """The report names every member with its digest and size, and no other is there."""
    ledger, problems = opened.told["ledger"], []
    named = {file["name"]: file for file in opened.told["files"]}
    notes = {f"checkpoints/{name}.note": ledger[name]["checkpoint"] for name in ("before", "after", "made")}
    known = {name: sha256(note.encode()) for name, note in notes.items() if note is not None}
    known["audit.json"] = sha256(opened.files["audit.json"])
    for name in sorted({*UNLISTED, *known, *named, *bundle.sizes}):
        file, size = named.get(name), bundle.sizes.get(name)
        if size is None:
            problems.append(f"The bundle lacks {name}.")
        elif file is None and name not in UNLISTED:
            problems.append(f"The bundle has {name}, which the report does not name.")
        else:
            found = bundle.digest(name)  # also of those that nobody signed, for damage
            if file is not None and (size, found) != (file["bytes"], file["digest"]):
                problems.append(f"{name} is not the file that the report names.")
            elif found != known.get(name, found):
                problems.append(f"{name} tells something else than the report's facts.")
    result.judge("members", "Every member of the bundle is the one that the report names.", problems)


def check_drawn(bundle: Bundle, told: Json, trusted: Trusted, result: Result) -> Iterator[tuple[str, Json]]:
    """Each sampled request's file by itself: the facts of those that hold, by reference."""
    trusted = evidence_keys(told, trusted, result)
    for reference in told["sample"]["references"]:
        name, found = f"evidence/{reference}.pdf", Result(reference)
        one = check_pdf(bundle.read(name), trusted, found)
        for check, holds, sentence in found.checks:
            if holds is False or (holds is None and check in ("record", "erased", "signature")):
                result.checks.append(("evidence", holds, f"{name}, {check}: {sentence}"))
        if one is not None and found.holds:
            yield reference, one


def evidence_keys(told: Json, trusted: Trusted, result: Result) -> Trusted:
    """The keys that evidence may be made with: where the report is proved, also those that its ledger had before."""
    if not any(name in ("ledger-key", "given-certificate") and holds for name, holds, _ in result.checks):
        return trusted
    keys = proven_keys(told["ledger"], told["ledger"]["made"]["checkpoint"])
    return trusted.knowing([*keys.present, *keys.earlier])


def check_ledger(lines: Iterable[bytes], told: Json, evidence: Json, result: Result) -> None:
    """ledger.jsonl is all of the period's ledger, the evidence stands on it, and no request is left out."""
    ledger = PeriodLedger(told)
    ledger.read(lines)
    heads = told["ledger"]
    whole = f"ledger.jsonl is all {heads['after']['size'] - heads['before']['size']} entries between the two checkpoints."
    result.judge("ledger", whole, ledger.problems)
    problems = [problem for name, one in evidence.items() for problem in ledger.evidence_problems(name, one)]
    stands = f"{len(evidence)} sampled requests' evidence stands on this ledger."
    result.judge("evidence", stands, problems)
    complete = "No request of the period is missing: the references have no gap, and the scope leaves no other out."
    result.judge("completeness", complete, ledger.completeness_problems())
    if told["query"]["controls"]:
        result.open("scope", "That no other version supports the controls that were asked for is the portal's word.")
    if ledger.withheld:
        withheld = f"{ledger.withheld} entries are withheld: that none of them is about a request in scope or its passkeys"
        result.open("scope", f"{withheld} is the portal's word.")
    for audit in ledger.word_was_said:
        result.open("word", f"The word of this draw had been said before, for {audit}: the portal knew it.")


# ---- 12. From the command line ---------------------------------------------------------------------------------------


def is_bundle(path: Path) -> bool:
    """Whether this is a folder or a ZIP file. Raises OSError when it cannot be read."""
    if path.is_dir():
        return True
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def check_path(path: Path, trusted: Trusted, progress: Callable[[str], None] = lambda _: None) -> Result:
    """A PDF file, a bundle or a folder. Raises OSError when it cannot be read; whatever it holds, nothing else."""
    result = Result(path.name)
    try:
        if is_bundle(path):
            check_bundle(Bundle(path), trusted, result, progress=progress)
        elif path.stat().st_size > LARGEST_PDF:
            result.bad("pdf-signature", "The file is larger than any evidence can be.")
        else:
            check_pdf(path.read_bytes(), trusted, result)
    except Wrong as error:
        result.bad("bundle", str(error))
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """What the command line asked for; its exit status."""
    return run(parser(), arguments, lambda asked: (Trusted.of(asked.key),), check_path)


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    about = (__doc__ or "").split("\n\n")
    made = argparse.ArgumentParser(description=about[0], epilog=" ".join(about[2].split()))
    made.add_argument("file", type=Path, help="a PDF file, a bundle, or the folder into which it was unpacked")
    made.add_argument("--key", action="append", default=[], help="what you were given by another way than the file")
    made.add_argument("--json", action="store_true", help="print the checks as JSON")
    return made


def run(
    about: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    given: Callable[[argparse.Namespace], tuple[Any, ...]],
    check: Callable[..., Result],
) -> int:
    """Read what was given, check the file, print what was found, and give the exit status."""
    asked = about.parse_args(arguments)
    try:
        keys = given(asked)
    except (ValueError, OSError) as error:
        about.error(str(error))
    try:
        result = check(asked.file, *keys, show_progress)
    except OSError as error:
        about.error(f"{asked.file} cannot be read: {error.strerror}.")
    show_progress("")
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # not every machine's output has every sign
    if asked.json:
        _print_json(result)
    else:
        _print_sentences(result)
    return 0 if result.holds else 1


def show_progress(name: str) -> None:
    """What is read at the moment, where somebody looks on."""
    if sys.stderr.isatty():
        print(f"\r\033[K{name[:70]}", end="", file=sys.stderr, flush=True)


def _print_json(result: Result) -> None:
    names = ("file", "reference", "claim", "holds", "proven", "verdict")
    report: Json = {name: getattr(result, name) for name in names}
    report["checks"] = [{"name": name, "holds": holds, "sentence": sentence} for name, holds, sentence in result.checks]
    print(json.dumps(report, indent=2))


def _print_sentences(result: Result) -> None:
    lines = [{True: "✓ ", False: "✗ ", None: "? "}[holds] + sentence for _, holds, sentence in result.checks]
    if result.claim and result.holds:
        lines += ["", f"{result.reference}: {result.claim}"]
    for line in [*lines, "", result.verdict]:  # what a hostile file says must not steer the terminal
        print("".join(letter if letter.isprintable() else "?" for letter in line))


if __name__ == "__main__":
    sys.exit(main())
