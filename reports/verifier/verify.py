#!/usr/bin/env python3
"""Check Countersign's evidence, its audit report, or a whole bundle: offline, trusting nobody.

    python verify.py FILE.pdf | BUNDLE.zip | FOLDER  [--key KEY ...] [--checkpoint FILE ...] [--json]

KEY is what you were given by another way than the file: the ledger's key or a witness's (name+hash+key), the SHA-256
fingerprint of the ledger's key or of the certificate that signs PDFs or timestamps, or a file with one of them. A key
inside a file is only compared, never believed; without KEY it is said what remains unproved. Exit status: 0 everything
that can be checked holds, 1 something does not, 2 it was called wrongly.

Needs Python 3.9 and the library `cryptography` 38, or newer; it opens no connection and writes no file. Read it before
you rely on it, from top to bottom: each chapter names the standard that it follows, and what is particular to
Countersign stands in chapters 6 and 8 to 11. `countersign verify` does more: it makes the pages of evidence again from
the facts, compares every letter, and works the sentences under "Deviations" out again.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import hmac
import io
import json
import math
import re
import stat
import struct
import sys
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

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
        found = dict.fromkeys(problems)
        self.checks += [(name, False, problem) for problem in found] or [(name, True, sentence)]
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
            return "Everything holds, and the ledger's key is the one that you gave."
        return (
            "Everything that can be checked holds, but who signed it remains unproved: compare the fingerprints "
            "with those that you were given by another way, or give the ledger's key with --key."
        )


class Trusted(NamedTuple):
    """What was given by another way; nothing that a file merely states is ever added to it."""

    #: SHA-256 in 64 hex digits, of ledgers' keys and of certificates. Witnesses' keys are kept whole.
    fingerprints: frozenset[str] = frozenset()
    witnesses: tuple[str, ...] = ()
    kept: tuple[Head, ...] = ()

    @classmethod
    def of(cls, values: Iterable[str], checkpoints: Iterable[Path] = ()) -> Trusted:
        """From keys as they were given, and files of checkpoints. Raises ValueError with a sentence."""
        keys = [read_key(value) for value in values]
        witnesses = tuple(key for key in keys if "+" in key)
        return cls(frozenset(keys) - {*witnesses}, witnesses, tuple(map(read_kept, checkpoints)))

    def knowing(self, vkeys: Iterable[str]) -> Trusted:
        """The same with keys of a ledger that were proved by these."""
        proved = (hashlib.sha256(read_vkey(vkey)[2]).hexdigest() for vkey in vkeys)
        return self._replace(fingerprints=frozenset((*self.fingerprints, *proved)))

    def has_key(self, raw: bytes) -> bool:
        """Whether this is a ledger's key that was given."""
        return hashlib.sha256(raw).hexdigest() in self.fingerprints

    def has_certificate(self, der: bytes) -> bool:
        """Whether this is a certificate that was given."""
        return hashlib.sha256(der).hexdigest() in self.fingerprints


def read_key(value: str) -> str:
    """A fingerprint's 64 hex digits, or a witness's verifier key as it is. What is no key names a file with one."""
    digits = re.sub(r"^sha256:|[\s:]", "", value.strip().lower())
    if re.fullmatch(r"[0-9a-f]{64}", digits):
        return digits
    if re.fullmatch(r"[^+]+\+[0-9a-f]{8}\+\S+", value.strip()):
        _, kind, raw = read_vkey(value)
        return value.strip() if kind == COSIGNATURE else hashlib.sha256(raw).hexdigest()
    content = Path(value).read_bytes() if Path(value).is_file() else b""
    if b"-----BEGIN CERTIFICATE-----" in content:
        return x509.load_pem_x509_certificate(content).fingerprint(hashes.SHA256()).hex()
    first = content.decode("utf-8", errors="replace").strip().partition("\n")[0]
    if first and not Path(first).is_file():
        return read_key(first)
    wanted = "give the ledger's key (name+hash+key), a SHA-256 fingerprint, or a file with one"
    raise ValueError(f"“{value[:80]}” is no key: {wanted}.")


def grouped(digits: str) -> str:
    """Hex digits in groups of four, as people compare them."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


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
            inner += [(f"{where}.{name}", item, rule) for name, item in value.items() if re.fullmatch(pattern, name)]
    return next(filter(None, (schema_problem(item, rule, defs, place) for place, item, rule in inner)), "")


# ---- 3. DER (X.690), the PDF's signature (RFC 5652 CMS in PAdES form) and timestamps (RFC 3161) ----------------------

OCTETS, OBJECT, SEQUENCE, SET = 0x04, 0x06, 0x30, 0x31


def der(tag: int, *parts: bytes) -> bytes:
    """One value in DER, written: these parts are its content."""
    body = b"".join(parts)
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, len(body)] if len(body) < 0x80 else [tag, 0x80 + len(length), *length]) + body


class Der(list["Der"]):
    """One value in DER, read: the list of the values in its content; its tag, that content, and all of its bytes."""

    def __init__(self, content: bytes) -> None:
        """The value with which this begins. Raises Wrong unless it is written as `der` writes it."""
        super().__init__()
        self.tag, length, start = content[0], content[1], 2
        if length > 0x80:
            start += length - 0x80
            length = int.from_bytes(content[2:start], "big")
        self.body, self.raw = content[start : start + length], content[: start + length]
        if self.raw != der(self.tag, self.body) or self.tag & 0x1F == 0x1F:
            raise Wrong("The file's signature is not written as signatures are (DER).")
        rest = self.body if self.tag & 0x20 else b""
        while rest:
            self.append(Der(rest))
            rest = rest[len(self[-1].raw) :]


def _oid(arc: str, *rest: int) -> bytes:
    return der(OBJECT, bytes.fromhex(arc), bytes(rest))


def _attribute(name: bytes, value: bytes) -> bytes:
    return der(SEQUENCE, name, der(SET, value))


#: How 1.2.840.113549 and 2.16.840.1.101.3.4.2 are written; of the numbers that follow, each is one byte.
PKCS, NIST_HASH = "2a864886f70d", "6086480165030402"
DATA, SIGNED_DATA, TST_INFO = _oid(PKCS, 1, 7, 1), _oid(PKCS, 1, 7, 2), _oid(PKCS, 1, 9, 16, 1, 4)
CONTENT_TYPE, MESSAGE_DIGEST, TIMESTAMP = _oid(PKCS, 1, 9, 3), _oid(PKCS, 1, 9, 4), _oid(PKCS, 1, 9, 16, 2, 14)
SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2 = _oid(PKCS, 1, 9, 16, 2, 12), _oid(PKCS, 1, 9, 16, 2, 47)
SHA256, SHA384, SHA512 = (_oid(NIST_HASH, one) for one in (1, 2, 3))
HASHES = {SHA256: hashes.SHA256(), SHA384: hashes.SHA384(), SHA512: hashes.SHA512()}
VERSION_1, NULL = bytes.fromhex("020101"), bytes.fromhex("0500")
#: The signature's dictionary (ISO 32000-1 §12.8.1) as every file has it: the container, what is signed, and when.
_DICTIONARY = re.compile(
    rb"/Contents (<[0-9A-F]{2,65536}>)\n/ByteRange \[0 (\d{1,10}) (\d{1,10}) (\d{1,10})\] *\n/Type /Sig\n"
    rb"/Filter /Adobe\.PPKLite\n/SubFilter /ETSI\.CAdES\.detached\n/M \(D\\072(\d{14}Z)\)\n/Name \(Countersign\)\n"
)


class Signed(NamedTuple):
    """Who signed a PDF, by the certificate beside the signature alone, and the time that the signature states."""

    certificate: bytes
    at: datetime | None
    #: The certificate of the timestamp's authority; empty where there is no timestamp that holds.
    authority: bytes = b""


def check_pdf_signature(content: bytes, trusted: Trusted, result: Result) -> Signed | None:
    """Whether one signature covers every byte; None when not, and then nothing else in the file may be read."""
    try:
        covered, room, at = _covered(content)
        certificate, signature, token = _container(covered, room, at)
    except Exception as error:  # a forged file may break any reader, and each of them means no
        forged = f"The file's signature cannot be read ({type(error).__name__}); it is forged."
        result.bad("pdf-signature", str(error) if isinstance(error, Wrong) else forged)
        return None
    result.good("pdf-signature", "The PDF's signature is intact and covers every byte; nothing was added after it.")
    return Signed(certificate, at, check_timestamp(token, signature, trusted, result) if token else b"")


def _covered(content: bytes) -> tuple[bytes, bytes, datetime]:
    """What the signature covers, which is all but the room that it stands in; that room; the time that it states."""
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
    at = datetime.strptime(found.group(5).decode(), "%Y%m%d%H%M%S%z")
    return content[:start] + content[end:], bytes.fromhex(content[start + 1 : end - 1].decode()), at


def _container(covered: bytes, room: bytes, at: datetime) -> tuple[bytes, bytes, bytes]:
    """Certificate, signature and timestamp (or nothing) of the signature's container, RFC 5652's SignedData.

    All else in it follows from these and from what is covered: it is built again, and must be the same to the byte.
    """
    data = Der(room)[1][0]
    certificate, signer = data[3][0], data[4][0]
    signature, token = signer[5].body, signer[6][0][1][0].raw if len(signer) > 6 else b""
    issuer, serial = _issuer_and_serial(certificate)
    digest, fingerprint = hashlib.sha256(covered).digest(), hashlib.sha256(certificate.raw).digest()
    by_sha256, by_rsa = der(SEQUENCE, SHA256, NULL), der(SEQUENCE, _oid(PKCS, 1, 1, 11), NULL)
    # RFC 5035: the signature names its certificate, so that no other can be put beside it.
    named = der(SEQUENCE, der(OCTETS, fingerprint), der(SEQUENCE, der(SEQUENCE, der(0xA4, issuer)), serial))
    attributes = _attribute(CONTENT_TYPE, DATA) + _attribute(MESSAGE_DIGEST, der(OCTETS, digest))
    attributes += _attribute(SIGNING_CERTIFICATE_V2, der(SEQUENCE, der(SEQUENCE, named)))
    signer_info = der(
        SEQUENCE, VERSION_1, der(SEQUENCE, issuer, serial), by_sha256, der(0xA0, attributes),
        by_rsa, der(OCTETS, signature), der(0xA1, _attribute(TIMESTAMP, token)) if token else b"",
    )
    signed_data = der(
        SEQUENCE, VERSION_1, der(SET, by_sha256), der(SEQUENCE, DATA), der(0xA0, certificate.raw), der(SET, signer_info)
    )
    if digest not in room:
        raise Wrong("The file was changed after it was signed.")
    if room != der(SEQUENCE, SIGNED_DATA, der(0xA0, signed_data)).ljust(len(room), b"\0"):
        raise Wrong("The signature's container or the space beside it was changed, or was not made by Countersign.")
    loaded = x509.load_der_x509_certificate(certificate.raw)
    key, usage = loaded.public_key(), loaded.extensions.get_extension_for_class(x509.KeyUsage).value
    # RFC 5652 §5.4: what is signed are the attributes, written as a SET.
    if not isinstance(key, rsa.RSAPublicKey) or not _holds(key, signature, der(SET, attributes), hashes.SHA256()):
        raise Wrong("The PDF's signature does not hold: it was not made by the RSA key beside it.")
    if not (usage.digital_signature or usage.content_commitment) or not _valid_at(loaded, at):
        raise Wrong("The certificate beside the signature may not sign documents, or not at the time that it states.")
    return certificate.raw, signature, token


def _issuer_and_serial(certificate: Der) -> tuple[bytes, bytes]:
    """As they stand in RFC 5280's certificate."""
    serial, _, issuer = [one.raw for one in certificate[0] if one.tag != 0xA0][:3]  # 0xA0: the version
    return issuer, serial


def _holds(key: object, signature: bytes, signed: bytes, hashing: hashes.HashAlgorithm) -> bool:
    """Whether this key made this signature, by RSA (PKCS #1 v1.5) or ECDSA."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashing)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(hashing))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _valid_at(certificate: x509.Certificate, at: datetime) -> bool:
    """`cryptography` before version 42 gives a certificate's first and last moment without their zone, UTC."""
    if hasattr(certificate, "not_valid_before_utc"):
        return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    return certificate.not_valid_before <= at.replace(tzinfo=None) <= certificate.not_valid_after


def check_timestamp(token: bytes, signature: bytes, trusted: Trusted, result: Result) -> bytes:
    """The certificate of the authority that says when the PDF's signature was there; empty when that does not hold."""
    try:
        at, mine, others = read_timestamp(token, hashlib.sha256(signature).digest())
        given = [one for one in (mine, *others) if trusted.has_certificate(one)]
        proved = any(is_or_was_issued_by(mine, one, others) for one in given)
    except Exception as error:  # as above
        broken = f"The timestamp cannot be read ({type(error).__name__})."
        result.bad("timestamp", str(error) if isinstance(error, Wrong) else broken)
        return b""
    result.good("timestamp", f"A timestamp says that this signature was there on {at:%Y-%m-%d at %H:%M:%S} UTC.")
    if proved:
        result.good("timestamp-key", "The certificate that you gave is the timestamp authority's, or its issuer's.")
    else:
        said = "Not proved until you compare it: whose timestamp it is. The fingerprint of its certificate is "
        result.open("timestamp-key", said + grouped(hashlib.sha256(mine).hexdigest()))
    return mine


def read_timestamp(token: bytes, imprint: bytes) -> tuple[datetime, bytes, list[bytes]]:
    """The time of an RFC 3161 token over this SHA-256 digest, its authority's certificate, and the others in it.

    Raises Wrong, and any other exception where it is no token at all.
    """
    kind, (data,) = Der(token)
    (content_type, content), certificates, (signer,) = data[2], data[3], data[-1]
    _, who, (algorithm, *_), signed, (method, *_), signature, *_ = signer
    told = {name.raw: value for name, (value,) in signed}
    if (kind.raw, content_type.raw, certificates.tag, len(told)) != (SIGNED_DATA, TST_INFO, 0xA0, len(signed)):
        raise Wrong("What should be a timestamp is none.")
    info, hashing = content[0].body, HASHES[algorithm.raw]
    if told[CONTENT_TYPE].raw != TST_INFO or told[MESSAGE_DIGEST].body != hashlib.new(hashing.name, info).digest():
        raise Wrong("The timestamp was changed after it was signed.")
    if SIGNING_CERTIFICATE_V2 in told:  # RFC 5035: by SHA-256 unless it says otherwise
        named = told[SIGNING_CERTIFICATE_V2][0][0]
        name = HASHES[named[0][0].raw].name if named[0].tag == SEQUENCE else "sha256"
    else:  # RFC 2634
        named, name = told[SIGNING_CERTIFICATE][0][0], "sha1"
    fingerprint = next(one.body for one in named if one.tag == OCTETS)
    listed = [one for one in certificates if one.tag == SEQUENCE]
    mine = [one.raw for one in listed if b"".join(_issuer_and_serial(one)) == who.body]
    if len(mine) != 1 or hashlib.new(name, mine[0]).digest() != fingerprint:
        raise Wrong("The timestamp does not hold its authority's certificate.")
    _, _, ((hashed_by, *_), hashed), _, time, *_ = Der(info)
    if (hashed_by.raw, hashed.body) != (SHA256, imprint):
        raise Wrong("The timestamp is over another signature than this file's.")
    at = datetime.strptime(time.body.decode()[:14] + "Z", "%Y%m%d%H%M%S%z")
    certificate = x509.load_der_x509_certificate(mine[0])
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    stamping = usage.critical and [one.dotted_string for one in usage.value] == ["1.3.6.1.5.5.7.3.8"]
    if not stamping or not _valid_at(certificate, at):
        raise Wrong("The timestamp's certificate may not make timestamps, or not at the time that it states.")
    key, by_rsa = certificate.public_key(), method.body[:8] == bytes.fromhex(PKCS + "0101")
    if isinstance(key, rsa.RSAPublicKey) != by_rsa or not _holds(key, signature.body, der(SET, signed.body), hashing):
        raise Wrong("The timestamp's signature does not hold, or is neither RSA (PKCS #1 v1.5) nor ECDSA.")
    return at, mine[0], [one.raw for one in listed if one.raw != mine[0]]


def is_or_was_issued_by(certificate: bytes, given: bytes, others: Sequence[bytes]) -> bool:
    """Whether a certificate is the given one, or was issued by it, directly or by way of one of the others."""
    return certificate == given or any(
        _issued(certificate, one) and (one == given or _issued(one, given)) for one in (given, *others)
    )


def _issued(certificate: bytes, issuer: bytes) -> bool:
    one, other = x509.load_der_x509_certificate(certificate), x509.load_der_x509_certificate(issuer)
    hashing = one.signature_hash_algorithm
    if one.issuer != other.subject or hashing is None:
        return False
    return _holds(other.public_key(), one.signature, one.tbs_certificate_bytes, hashing)


# ---- 4. Reading the PDF (ISO 32000-1 §7): objects, cross-references, attached files ----------------------------------

#: The entries that Countersign's dictionaries may have. Any other might act, hide what a page says or say otherwise.
_ENTRIES = {
    "XRef": "Type Size W Index Root Info ID Prev Filter Length",
    "ObjStm": "Type N First Filter Length",
    "Catalog": "Type Pages Lang Metadata MarkInfo ViewerPreferences StructTreeRoot OutputIntents Outlines PageMode "
    "Names AF AcroForm Extensions",
    "Names": "Dests EmbeddedFiles",
    "EmbeddedFiles": "Names",
    "Filespec": "Type F UF EF Desc AFRelationship",
    "EmbeddedFile": "Type Subtype Params Filter Length",
    "AcroForm": "Fields SigFlags",
    "Pages": "Type Parent Count Kids",
    "Page": "Type Parent MediaBox TrimBox BleedBox Contents Resources Tabs StructParents Annots",
    "Link": "Type Subtype Rect Dest F BS Contents StructParent",
    "Widget": "Type Subtype Rect F FT T TU P V",
    "Form": "Type Subtype BBox Group Resources Filter Length",
    "Stream": "Filter Length",
}
#: A value in the few forms in which it occurs.
_VALUE = re.compile(
    rb"""[ \n]* (?: (?P<opening> << | \[ )
      | / (?P<name> (?: [\w.+-] | \#2f )+ )
      | \( (?P<literal> (?: [^\\()] | \\[\\()] | \\[0-3][0-7]{2} )* ) \)
      | < (?P<digits> (?: [0-9A-Fa-f]{2} )* ) >
      | (?: (?P<reference> [1-9]\d{0,9} ) [ ]0[ ]R | (?P<number> -?\d{1,20} (?: \.\d{1,20} )? )
          | (?P<word> true | false | null ) ) (?! [\w.+-] ) )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(\d{3}|.)")
_MEANING: dict[str, Callable[[bytes], Any]] = {
    "name": bytes.decode,
    "literal": lambda word: _ESCAPE.sub(lambda one: bytes([int(one[1], 8)]) if len(one[1]) == 3 else one[1], word),
    "digits": lambda word: bytes.fromhex(word.decode()),
    "reference": lambda word: Ref(int(word)),
    "number": lambda word: float(word) if b"." in word else int(word),
    "word": {b"true": True, b"false": False, b"null": None}.get,
}
_CLOSING = {b"<<": re.compile(rb"[ \n]*>>"), b"[": re.compile(rb"[ \n]*\]")}
_ODD = "The PDF's own structure cannot be read; Countersign did not write it."


class Ref(NamedTuple):
    """A reference to an object."""

    number: int


class Stream(NamedTuple):
    """A dictionary with bytes."""

    head: Json
    raw: bytes


def _value(content: bytes, at: int, depth: int = 0) -> tuple[Any, int]:
    """The value at this place, a name as str and a string as bytes, and where it ends."""
    token = _VALUE.match(content, at)
    if token is None or depth > 64:
        raise Wrong(_ODD)
    kind, at = str(token.lastgroup), token.end()
    if kind != "opening":
        return _MEANING[kind](token[kind]), at
    items: list[Any] = []
    while not (end := _CLOSING[token[kind]].match(content, at)):
        one, at = _value(content, at, depth + 1)
        items.append(one)
    if token[kind] == b"[":
        return items, end.end()
    entries = dict(zip(items[::2], items[1::2]))
    if 2 * len(entries) != len(items):
        raise Wrong(_ODD)
    return entries, end.end()


class Pdf:
    """A PDF's pages, and its objects by their numbers. Refuses, by Wrong or another error, what we never write."""

    def __init__(self, content: bytes) -> None:
        self.content, self.spent = content, 0
        self.packed: dict[int, tuple[bytes, list[int], list[int]]] = {}
        start = re.search(rb"\nstartxref\n([1-9]\d{0,11})\n%%EOF\n\Z", content[-64:])
        self.trailer, self.places = self._section(int(start[1]) if start else 0)
        if "Prev" in self.trailer:
            # What signing adds takes the place of what was there before (§7.5.6).
            before, places = self._section(self.trailer["Prev"])
            self.places = {**places, **self.places}
            if "Prev" in before or before["Root"] != self.trailer["Root"]:
                raise Wrong(_ODD)
        self.root: Json = self.get(self.trailer["Root"], "Catalog")
        self.pages = self._pages()

    def _section(self, start: int) -> tuple[Json, dict[int, tuple[int, int, int]]]:
        """A stream of cross-references (§7.5.8): its dictionary, and the kind and place of each object, named once."""
        head, rows = self.stream(self._object_at(start)[1], "XRef")
        index, (one, second, third) = head.get("Index", [0, head["Size"]]), head["W"]
        numbers = (first + more for first, count in zip(index[::2], index[1::2]) for more in range(count))
        places, size = {}, 1 + second + third
        for number, at in zip(numbers, range(0, len(rows), size)):
            middle = at + 1 + second
            last = int.from_bytes(rows[middle : at + size], "big")
            places[number] = rows[at], int.from_bytes(rows[at + 1 : middle], "big"), last
        if one != 1 or min(second, third) < 1 or max(places) >= head["Size"]:
            raise Wrong(_ODD)
        if not len(places) * size == sum(index[1::2]) * size == len(rows):
            raise Wrong(_ODD)
        return head, places

    def get(self, value: Any, kind: str = "") -> Any:
        """The object that a reference leads to, or the value itself; with a kind, it has to be a dictionary of that."""
        if isinstance(value, Ref):
            packed, second, third = self.places[value.number]
            number, found = self._packed_at(second, third) if packed == 2 else self._object_at(second)
            if packed not in (1, 2) or number != value.number or isinstance(found, Ref):
                raise Wrong(_ODD)
            value = found
        if kind:
            head = value.head if isinstance(value, Stream) else value
            others = sorted(head.keys() - _ENTRIES[kind].split())
            stated = head.get("Subtype") if kind in ("Link", "Widget", "Form") else head.get("Type", kind)
            if others or stated != kind:
                said = ", ".join(others) or "another type"
                raise Wrong(f"The PDF has what evidence never has (in a {kind}: {said}).")
        return value

    def _object_at(self, start: int) -> tuple[int, Any]:
        """Number and value of the object that begins here (§7.3.10)."""
        head = re.compile(rb"([1-9]\d{0,9}) 0 obj\n").match(self.content, start)
        if head is None:
            raise Wrong(_ODD)
        value, end = _value(self.content, head.end())
        after = b"\nendobj\n"
        if self.content.startswith(b"\nstream\n", end):
            start = end + len(b"\nstream\n")
            end, after = start + value["Length"], b"\nendstream" + after
            value = Stream(value, self.content[start:end])
        if end < start or not self.content.startswith(after, end):
            raise Wrong(_ODD)
        return int(head[1]), value

    def _packed_at(self, number: int, place: int) -> tuple[int, Any]:
        """Number and value of an object in an object stream (§7.5.7)."""
        if number not in self.packed:
            head, content = self.stream(Ref(number), "ObjStm")
            index = [int(word) for word in content[: head["First"]].split()]
            if not len(index) == 2 * len(set(index[::2])) == 2 * head["N"]:
                raise Wrong(_ODD)
            self.packed[number] = content, index[::2], [*(head["First"] + at for at in index[1::2]), len(content)]
        content, numbers, starts = self.packed[number]
        value, end = _value(content, starts[place])
        if content[end : starts[place + 1]] not in (b"", b"\n"):
            raise Wrong(_ODD)
        return numbers[place], value

    def stream(self, value: Any, kind: str = "Stream") -> tuple[Json, bytes]:
        """A stream's dictionary and bytes. Refuses a bomb: neither one stream nor all together may grow without end."""
        found = self.get(value, kind)
        head, content = found.head, found.raw
        if "Filter" in head:
            reader = zlib.decompressobj()
            content = reader.decompress(content, LARGEST_STREAM)
            self.spent += len(content)
            if reader.unconsumed_tail or self.spent > 8 * LARGEST_STREAM:
                raise Wrong("The PDF holds more than any evidence can; it was made to exhaust its reader.")
            if head["Filter"] != "FlateDecode" or not reader.eof or reader.unused_data:
                raise Wrong(_ODD)
        return head, content

    def attachments(self) -> dict[str, bytes]:
        """The files inside by their names (§7.11.4)."""
        names = self.get(self.root["Names"], "Names")
        pairs = self.get(names["EmbeddedFiles"], "EmbeddedFiles")["Names"]
        found = {}
        for name, place in zip(pairs[::2], pairs[1::2]):
            file = self.get(place, "Filespec")
            if not file["F"] == file["UF"] == name or file["EF"].keys() != {"F"} or place not in self.root["AF"]:
                raise Wrong("A file inside is called by two names.")
            found[name.decode()] = self.stream(file["EF"]["F"], "EmbeddedFile")[1]
        if len(self.root["AF"]) != len(found):
            raise Wrong("The PDF holds more files than it names.")
        return found

    def _pages(self) -> list[Json]:
        """The pages in order, or those of the parts in order. Over them lie links alone, and the signature's field."""
        places: list[Ref] = []
        for place in self.get(self.root["Pages"], "Pages")["Kids"]:
            places += self.get(place, "Pages")["Kids"] if "Kids" in self.get(place) else [place]
        pages = [self.get(place, "Page") for place in places]
        if not pages or len(set(places)) != len(places):
            raise Wrong(_ODD)
        for note in (self.get(one) for page in pages for one in page.get("Annots", ())):
            self.get(note, "Widget" if note["Rect"] == [0, 0, 0, 0] else "Link")
        self.get(self.root.get("AcroForm", {}), "AcroForm")
        return pages


# ---- 5. What the pages say: text by way of ToUnicode (ISO 32000-1 §9.10), letter by letter but for white space -------

#: The operators in a page's content (§8, §9), first those that matter to its text. Whatever does not stand here is
#: refused: text shown by other operators, invisibly or in the place of another (/ActualText), images and layers.
_OPERATORS = re.compile(
    rb"""
    (?: / (?P<font> \w+ ) [ ][.\d]+[ ]Tf
      | (?P<text> \[ (?: < (?: [0-9a-f]{4} )* > | [-+.e\d ] )* \][ ]TJ | < (?: [0-9a-f]{4} )+ >[ ]Tj )
      | / (?P<form> \w+ ) [ ]Do
      | (?P<state> q | Q | BT )
      | (?: [-+.e\d]+[ ] )* (?: cm|w|J|j|M|m|l|c|h|re|W\*?|n|f\*?|S|B\*?|rg|RG|Tm|Ts )
      | \[ [.\d ]* \][ ][.\d]+[ ]d | / [.\w]+[ ]gs | 0[ ]Tr | ET | EMC
      | / \w+ [ \n] (?: BMC | << (?: /MCID[ ]\d+ | /Type[ ]/Pagination[ ]/Subtype[ ]/Footer ) >> [ \n] BDC )
    ) [ \n]""",
    re.VERBOSE,
)
#: What each code of two bytes means. Beside a dictionary and the range of all codes nothing else stands in brackets.
_TO_UNICODE = re.compile(
    rb"[^<>]*<< [^<>]*>>[^<>]*<0000> <ffff>\nendcodespacerange\n"
    rb"((?:\d+ beginbfchar\n(?:<[0-9a-f]{4}> <(?:[0-9a-f]{4})*>\n)+endbfchar\n)*)[^<>]*"
)


def _letters(pdf: Pdf, font: Any) -> dict[bytes, str]:
    """What each code of a font means; the code as four hex digits."""
    found = _TO_UNICODE.fullmatch(pdf.stream(pdf.get(font)["ToUnicode"])[1])
    pairs = re.findall(rb"<(.{4})> <(.*)>", found[1]) if found else []
    if found is None or len(dict(pairs)) != len(pairs):
        raise Wrong("A font of the PDF says in another way what its letters mean than evidence's do.")
    return {code: bytes.fromhex(text.decode()).decode("utf-16-be", "replace") for code, text in pairs}


def _shown(pdf: Pdf, content: bytes, resources: Json, fonts: dict[str, dict[bytes, str]]) -> Iterator[str]:
    """The text that a page's content shows, and the forms that are drawn on it. All text begins by naming its font."""
    letters: dict[bytes, str] = {}
    content, at = content + b"\n", 0
    while at < len(content):
        found = _OPERATORS.match(content, at)
        if found is None:
            raise Wrong("A page is drawn in another way than evidence is; Countersign did not write it.")
        kind, at = found.lastgroup, found.end()
        if kind == "state":
            letters = {}
        elif kind == "font":
            letters = fonts[found[kind].decode()]
        elif kind == "text":
            codes = b"".join(re.findall(rb"<([0-9a-f]+)>", found[kind]))
            yield "".join(letters.get(codes[place : place + 4]) or "\ufffd" for place in range(0, len(codes), 4))
        elif kind == "form":
            head, drawing = pdf.stream(resources["XObject"][found[kind].decode()], "Form")
            inner = {**pdf.get(head["Resources"]), "XObject": {}}
            if inner["Font"] != resources["Font"]:
                raise Wrong(_ODD)
            yield from _shown(pdf, drawing, inner, fonts)


def compact(text: str) -> str:
    """Text without white space, bullets, ligatures and format characters.

    Letters from right to left are left out: they stand on a page in the order of the eye.
    """
    plain = re.sub(r"[\s•]+", "", unicodedata.normalize("NFKC", text))
    if plain.isascii():
        return plain
    named = ((one, unicodedata.category(one), unicodedata.bidirectional(one)) for one in plain)
    return "".join(one for one, kind, direction in named if kind != "Cf" and direction not in ("R", "AL", "AN"))


def text_of_pages(pdf: Pdf) -> tuple[list[str], str]:
    """Each page's text without what all pages end with and their number, and why the numbers are wrong, if they are."""
    number = re.compile(r"([^\d]{1,20})(\d+)([^\d]{1,20})(\d+)([^\d]{0,20})\Z")
    (place,) = {pdf.get(page["Resources"])["Font"] for page in pdf.pages}
    fonts = {name: _letters(pdf, font) for name, font in pdf.get(place).items()}
    bodies, wrong = [], ""
    for at, page in enumerate(pdf.pages, start=1):
        streams = page["Contents"] if isinstance(page["Contents"], list) else [page["Contents"]]
        content = b"\n".join(pdf.stream(one)[1] for one in streams)
        text = compact("".join(_shown(pdf, content, pdf.get(page["Resources"]), fonts)))
        found = number.search(text)
        if not found or (found[2], found[4]) != (str(at), str(len(pdf.pages))):
            wrong = wrong or f"Page {at} is not numbered as it should be: pages were added, removed or exchanged."
        bodies.append(text[: found.start()] if found else text)
    return bodies, wrong


def values_missing(bodies: Sequence[str], values: Iterable[str]) -> Iterator[str]:
    """Those of the values that do not stand on the pages, each somewhere behind the one before.

    A value may go on upon the next page, below what that page repeats: the head of a table, or the foot of the page.
    """
    whole, at = "".join(bodies), 0
    ends = [0, *accumulate(map(len, bodies))]
    for value in values:
        wanted = compact(value)
        found = whole.find(wanted, at)
        end = found + len(wanted) if found >= 0 else _end_of_broken(wanted, whole, ends, at)
        if end < 0:
            yield value
        at = max(at, end)


def _end_of_broken(wanted: str, whole: str, ends: Sequence[int], at: int) -> int:
    """Where a value ends of which as much as possible stands on one page and the rest on the next; -1 where none is."""
    for start, middle, end in zip(ends, ends[1:], ends[2:]):
        for cut in range(len(wanted) - 1, 0, -1):
            if whole.find(wanted[:cut], max(at, start), middle) >= 0:
                found = whole.find(wanted[cut:], middle, end)
                if found >= 0:
                    return found + len(wanted) - cut
                break
    return -1


# ---- 6. The ledger: signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature), RFC 6962 ------

ED25519, COSIGNATURE = 1, 4
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Head(NamedTuple):
    """What a checkpoint states."""

    origin: str
    size: int
    root: bytes


def read_vkey(text: str) -> tuple[str, int, bytes]:
    """Name, kind of key and raw public key of name+hash+key. Raises ValueError."""
    name, _, rest = text.strip().partition("+")
    raw = base64.b64decode(rest[9:], validate=True)
    hashed = hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8]
    if len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE) or rest[:9] != f"{hashed}+":
        raise ValueError("This is not a verifier key (name+hash+key), or it does not fit its own hash.")
    return name, raw[0], raw[1:]


def read_head(note: str) -> Head:
    """What a checkpoint states, its signatures not looked at. Raises Wrong."""
    found = re.match(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)(?:\n|\Z)", note)
    if found is None:
        raise Wrong("The checkpoint is malformed.")
    return Head(found[1], int(found[2]), base64.b64decode(found[3]))


def read_kept(path: Path) -> Head:
    """The head of a checkpoint in a file. Raises ValueError with a sentence."""
    try:
        with path.open("rb") as file:
            return read_head(file.read(65_536).decode("utf-8", errors="replace"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    except Wrong as error:
        raise ValueError(f"{path} is no checkpoint of a ledger.") from error


def signed_by(note: str, vkey: str) -> bool:
    """Whether this key, or a witness (cosignature/v1), signed the note. Raises Wrong for a false signature."""
    name, kind, raw = read_vkey(vkey)
    text, _, lines = note.partition("\n\n")
    for line in lines.splitlines():
        signer, _, encoded = line.rpartition(" ")
        value = base64.b64decode(encoded, validate=True) if signer == f"\u2014 {name}" else b""
        if value[:4].hex() != vkey.strip().split("+")[1]:
            continue
        message, signature = f"{text}\n", value[4:]
        if kind == COSIGNATURE:
            message, signature = f"cosignature/v1\ntime {int.from_bytes(value[4:12], 'big')}\n{message}", value[12:]
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(raw).verify(signature, message.encode())
        except InvalidSignature as error:
            raise Wrong("The checkpoint's signature does not hold: its text was changed after signing.") from error
        return True
    return False


def check_note(note: str, vkeys: Sequence[str], origin: str) -> Head:
    """The checkpoint's head, signed by one of these keys of the ledger. Raises Wrong."""
    head = read_head(note)
    if head.origin != origin or any(read_vkey(vkey)[:2] != (origin, ED25519) for vkey in vkeys):
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


def roots_above(known: bytes, number: int, size: int, proof: Iterable[str], *, leaf: bool) -> tuple[bytes, bytes]:
    """The roots of the first `number` and of all `size` leaves to which a proof leads; empty for one of another length.

    PATH (RFC 6962 §2.1.1) goes down to the leaf of that number, which is known; SUBPROOF (§2.1.2) to the largest
    subtree that ends with it, which the proof tells, unless it holds all the first leaves, whose root is known.
    """
    on_the_left: list[bool] = []  # whether what stands beside us on the way down is the left part
    while size > (1 if leaf else number):
        middle = 1 << (size - 1).bit_length() - 1
        on_the_left.append(number > middle)
        number, size = (number - middle, size - middle) if number > middle else (number, middle)
    steps = [base64.b64decode(step, validate=True) for step in proof]
    is_told = any(on_the_left) and not leaf
    if len(steps) != len(on_the_left) + is_told:
        return b"", b""
    first = second = steps.pop(0) if is_told else known
    for step, left in zip(steps, reversed(on_the_left)):
        first = node_hash(step, first) if left else first
        second = node_hash(step, second) if left else node_hash(second, step)
    return first, second


def is_included(body: Json, number: int, head: Head, proof: Iterable[str]) -> bool:
    """Whether this is the entry of that number in the ledger of this head."""
    leaf = leaf_hash(canonical(body))
    return 0 < number <= head.size and roots_above(leaf, number, head.size, proof, leaf=True)[1] == head.root


def is_consistent(old: Head, new: Head, proof: Sequence[str]) -> bool:
    """Whether the ledger of the new head begins with that of the old one."""
    if old.size == 0 < new.size:
        return not proof and old.root == EMPTY_ROOT
    return old.size <= new.size and roots_above(old.root, old.size, new.size, proof, leaf=False) == (old.root, new.root)


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
        found = self.roots[-1] if self.roots else EMPTY_ROOT
        for left in reversed(self.roots[:-1]):
            found = node_hash(left, found)
        return found


def moment(text: Any) -> datetime:
    """An ISO time with its zone. Raises ValueError."""
    found = datetime.fromisoformat(str(text))
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found


def check_entries(entries: list[Json], head: Head, as_of: str, about: Callable[[str], bool], result: Result) -> None:
    """Each entry is under the head, in order, about what it should be, and its opened values are those committed to."""
    missing, other, lies = [], [], []
    numbers = [entry["number"] for entry in entries]
    if numbers != sorted(set(numbers)):
        other.append("The entries are not in the ledger's order.")
    for number, entry, body in ((entry["number"], entry, entry["body"]) for entry in entries):
        if body.get("number") != number or not is_included(body, number, head, entry["inclusion"]):
            missing.append(f"Entry {number} is not in the ledger that the checkpoint signed: somebody changed it.")
        if not about(str(body.get("subject"))):
            other.append(f"Entry {number} is about {body.get('subject')}, not about this.")
        if moment(body.get("at")) > moment(as_of):
            other.append(f"Entry {number} is later than the time of which the file speaks.")
        for name, one in entry["personal"].items():
            made = hmac.new(base64.b64decode(one["salt"]), one["value"].encode(), hashlib.sha256).hexdigest()
            if body.get("personal", {}).get(name) != f"hmac-sha256:{made}":
                lies.append(f"Entry {number}: the value of “{name}” is not the one that the entry commits to.")
    said = f"All {len(entries)} entries are in the ledger of {head.size} entries that the checkpoint signed."
    result.judge("inclusion", said, missing)
    result.judge("order", "The entries are in the ledger's order and about what this file is about.", other)
    erased = [str(one["number"]) for one in entries if one["body"].get("personal", {}).keys() - one["personal"].keys()]
    said = f"All {sum(len(one['personal']) for one in entries)} personal values are those that the entries commit to."
    if result.judge("commitments", said, lies) and erased:
        result.open("erased", f"Personal values were erased from the entries {', '.join(erased)}; their proofs hold.")


def proven_keys(ledger: Json, note: str) -> tuple[list[str], list[str]]:
    """The ledger's keys that signed this very head, the newest last, and the earlier ones. Raises Wrong.

    A key that is only listed proves nothing: each earlier one handed over to the next under a head that both signed.
    """
    present = [one for one in ledger.get("verifiers") or [ledger["verifier"]] if signed_by(note, one)]
    head, links = read_head(note), ledger.get("rotations") or []
    keys = [*(facts(link["entry"])["old"] for link in links), *present[-1:]]
    for link, old, new in zip(links, keys, keys[1:]):
        entry, bridge = link["entry"], read_head(link["checkpoint"])
        body, number, statement = entry["body"], entry["number"], facts(entry)["statement"]
        holds = (
            (body["tag"], body["number"], facts(entry)["new"]) == ("ledger:key-rotated", number, new),
            statement.partition("\n\n")[0] == f"countersign-ledger-key/1\n{head.origin}\n{old}\n{new}",
            all(signed_by(signed, key) for signed in (statement, link["checkpoint"]) for key in (old, new)),
            bridge.origin == head.origin,
            is_included(body, number, bridge, link["inclusion"]),
            is_included(body, number, head, entry["inclusion"]),
            is_consistent(bridge, head, link["consistency"]),
        )
        if not all(holds):
            raise Wrong("The ledger's key was changed, but the old key did not hand over to the new one.")
    return present, keys[:-1] if present else []


def check_keys(ledger: Json, note: str, certificate: bytes, trusted: Trusted, result: Result) -> None:
    """Whose keys they are. A key that came in the file is only ever compared, never believed."""
    introduced = [one for one in ledger["entries"] if one["body"].get("tag") == "evidence:key-introduced"]
    if sha256(certificate) in [facts(one).get("certificate") for one in introduced]:
        result.good("certificate", "The ledger itself names the certificate that signed this PDF.")
    else:
        result.bad("certificate", "The PDF was signed by a certificate that the ledger does not name.")
    for vkey in trusted.witnesses:  # others are not looked at
        witness = f"The witness {read_vkey(vkey)[0]}"
        try:
            if signed_by(note, vkey):
                result.good("witnesses", f"{witness}, whose key you gave, saw this checkpoint and signed it.")
            else:
                result.open("witnesses", f"{witness}, whose key you gave, did not sign this checkpoint.")
        except Wrong as error:
            result.bad("witnesses", f"{witness}: {error}")
    present, earlier = ([read_vkey(one)[2] for one in keys] for keys in proven_keys(ledger, note))
    printed = grouped(hashlib.sha256(present[-1]).hexdigest()) if present else "unknown"
    if any(map(trusted.has_key, present)):
        result.good("ledger-key", "The ledger's key is the one that you gave.")
    elif any(map(trusted.has_key, earlier)):
        said = "The key that you gave signed for the ledger's present key when it was changed."
        result.good("ledger-key", f"{said} From now on compare with: {printed}")
    elif trusted.has_certificate(certificate):
        result.good("given-certificate", "The certificate that signed this PDF is the one that you gave.")
        result.open("ledger-key", f"Not compared: the ledger's key, whose fingerprint is {printed}")
    elif trusted.fingerprints:
        said = "The file was not made with a key that you gave."
        result.bad("ledger-key", f"{said} If yours is newer than the file, give the one of its time too: {printed}")
    else:
        said = "Not proved until you compare it: whose ledger this is."
        result.open("ledger-key", f"{said} The fingerprint of its key is {printed}")


def check_kept(kept: Iterable[Head], origin: str, known: Mapping[int, bytes], result: Result) -> None:
    """Whether the ledger has the roots that somebody kept; `known` are those that this file shows, by their sizes."""
    for head in kept:
        yours, root = f"Your checkpoint of {head.size} entries", known.get(head.size)
        if head.origin != origin:
            result.bad("kept", f"{yours} is of another ledger, {head.origin}; this one is {origin}.")
        elif root is None:
            result.open("kept", f"{yours} cannot be compared: this file does not show the ledger as it was then.")
        elif root != head.root:
            result.bad("kept", f"{yours} states another root: the ledger is not the one that it was then.")
        else:
            result.good("kept", f"The ledger of {head.size} entries is the one that your checkpoint states.")


def shown_heads(told: Json) -> dict[int, bytes]:
    """The roots that the facts themselves show, by size; each was signed, which is checked elsewhere."""
    parts = [told["ledger"], *(told["ledger"].get(name) or {} for name in ("before", "after", "made"))]
    heads = [read_head(part["checkpoint"]) for part in parts if part.get("checkpoint")]
    return {head.size: head.root for head in heads}


# ---- 7. Passkeys (WebAuthn Level 3 §7.2, COSE keys of RFC 9053 in CBOR of RFC 8949) ----------------------------------

#: The keys that are asked for, as CTAP2's canonical CBOR has them, in hex: kind, algorithm and curve are fixed.
COSE_KEYS = {
    "ES256": "a5 0102 0326     2001 215820(.{64}) 225820(.{64})",
    "ES384": "a5 0102 033822   2002 215830(.{96}) 225830(.{96})",
    "EdDSA": "a4 0101 0327     2006 215820(.{64})",
    "RS256": "a4 0103 03390100 20590100(.{512}) 2143010001",
}


def verify_by_cose(key: bytes, signature: bytes, signed: bytes) -> None:
    """A signature by one of these keys. Raises InvalidSignature, or Wrong for any other key."""
    matches = ((name, re.fullmatch(form, key.hex(), re.VERBOSE)) for name, form in COSE_KEYS.items())
    algorithm, numbers = next(((name, "".join(found.groups())) for name, found in matches if found), ("", ""))
    raw = bytes.fromhex(numbers)
    if algorithm == "ES256":
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + raw)
        point.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    elif algorithm == "ES384":
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), b"\x04" + raw)
        point.verify(signature, signed, ec.ECDSA(hashes.SHA384()))
    elif algorithm == "EdDSA":
        ed25519.Ed25519PublicKey.from_public_bytes(raw).verify(signature, signed)
    elif algorithm == "RS256":
        public = rsa.RSAPublicNumbers(65537, int.from_bytes(raw, "big")).public_key()
        public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        raise Wrong("its key is of a kind that was not asked for")


def verify_assertion(assertion: Mapping[str, bytes], key: bytes, challenge: bytes, rp_id: str, last_count: int) -> None:
    """That this key signed this challenge for this relying party, its holder present and verified. Raises Wrong."""
    client, authenticator = read_json(assertion["client_data"]), assertion["authenticator_data"]
    wanted = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
    scheme = "https?" if rp_id.rpartition(".")[2] == "localhost" else "https"
    site = rf"{scheme}://([a-z0-9_-]+\.)*{re.escape(rp_id)}(:[0-9]+)?"
    party, flags, count = struct.unpack_from(">32sBL", authenticator)
    for holds, said in (
        (client.get("type") == "webauthn.get", "it was made for something else"),
        (client.get("challenge") == wanted, "it is over another challenge"),
        (not client.get("crossOrigin"), "it was made in a frame of another site"),
        (re.fullmatch(site, str(client.get("origin"))), "it was made on another site"),
        (party == hashlib.sha256(rp_id.encode()).digest(), "it was made for another relying party"),
        (flags & 0x05 == 0x05, "its holder was not verified"),
        (count > last_count or count == last_count == 0, f"its counter shows {count} after {last_count}"),
    ):
        if not holds:
            raise Wrong(said)
    try:
        verify_by_cose(key, assertion["signature"], authenticator + hashlib.sha256(assertion["client_data"]).digest())
    except InvalidSignature as error:
        raise Wrong("the signature is not by this key") from error


# ---- 8. One request's evidence: seals, decisions, steps, and the same story told by the ledger's entries --------------


_ASKED = "actor offering version offering_digest requester beneficiary ends_at"
_DECISION = ("revision actor", "stage seal auth_time acr amr on_behalf_of signature", "comment", "decided_at")
#: What binds an entry of each kind to the facts, by names: what makes it the entry of this and of nothing else; what it
#: says as the facts do; which personal values; and the time in the facts at which it was written.
KINDS = {
    "request:submitted": ("", _ASKED, "title reason answers", "submitted_at"),
    "request:edited": ("", "actor beneficiary", "title reason", ""),
    "request:prepared": ("revision", "risk steps", "", ""),
    "request:sealed": ("revision", "seal stages", "", "sealed_at"),
    "request:fulfilled": ("", "", "", "fulfilled_at"),
    "request:withdrawn": ("", "", "", "closed_at"),
    "approval:approved": _DECISION,
    "approval:denied": _DECISION,
    "approval:voided": ("revision person", "seal", "why", ""),
    "stage:opened": ("revision stage", "seal quorum due_at", "", "opened_at"),
    "stage:approved": ("revision stage", "seal", "", ""),
    "stage:rejected": ("revision stage", "seal", "", "closed_at"),
    "stage:closed": ("revision stage", "seal", "", "closed_at"),
    "step:applied": ("key", "step connector found seal", "outcome", ""),
    "step:read-back": ("key", "step", "read", ""),
    "step:failed": ("key", "", "why", ""),
    "step:reverted": ("key", "", "", ""),
    "step:not-reverted": ("key", "", "why", ""),
    "entitlement:granted": ("entitlement", "step connector holder ends_at", "key", "granted_at"),
    "entitlement:moved": ("entitlement", "ends_at", "", ""),
    "entitlement:ended": ("entitlement", "why holder", "", "ended_at"),
}
VERDICTS = {"approve": "approval:approved", "deny": "approval:denied"}
#: What may happen, and be told, again; the last entry counts.
AGAIN = ("request:edited", "step:applied", "step:not-reverted", "entitlement:moved")
#: Tags of one kind, “entitlement:moved”: something live got another end.
MOVES = ("entitlement:extended", "entitlement:extension-undone", "entitlement:replaced", "entitlement:review-moved")
#: The state in which each entry leaves a request.
STATES = {
    "request:submitted": "preparing", "request:sealed": "pending", "request:approved-by-policy": "scheduled",
    "request:refused": "refused", "request:withdrawn": "withdrawn", "request:edited": "preparing",
    "request:stopped": "preparing", "stage:rejected": "rejected", "stage:expired": "rejected",
    "stage:cancelled": "rejected", "fulfilment:started": "fulfilling", "request:fulfilled": "fulfilled",
    "request:failed": "failed", "request:ended": "ended",
}
#: In the place of a value that the facts do not tell, or that was erased from the entry: it is not compared.
UNTOLD = object()
#: Issuer and subject, as sealed documents have them.
Who = tuple[tuple[str, str], ...]
#: Somebody whom the facts do not know (any more).
NOBODY: Who = ()


def facts(entry: Json) -> Json:
    """What an entry states."""
    found = entry["body"].get("facts")
    return found if isinstance(found, dict) else {}


def english(text: Any) -> Any:
    """A text of the portal's own as the ledger has it."""
    return text["en"] if isinstance(text, dict) else text


def _who(one: Json) -> Who:
    return tuple(sorted((name, value) for name, value in one.items() if name != "rule"))


def _step(step: Json) -> str:
    return f"Step {step['position']} “{english(step['name'])}”"


def differing(where: str, said: Json, wanted: Json) -> Iterator[str]:
    """A sentence for each value that is not the wanted one."""
    names = [name.replace("_", " ") for name, value in wanted.items() if said.get(name) != value]
    yield from (f"{where} has another {name} than the facts." for name in names)


def broken(subject: str, *rules: tuple[object, str]) -> Iterator[str]:
    """A sentence for each rule that does not hold."""
    yield from (f"{subject} {said}." for holds, said in rules if not holds)


class Entry:
    """One entry of the ledger: its kind (its tag), what it says (also who did it), and its personal values."""

    def __init__(self, entry: Json) -> None:
        body = entry["body"]
        self.number, self.subject, self.at = entry["number"], str(body.get("subject")), body.get("at")
        self.kind = "entitlement:moved" if body.get("tag") in MOVES else str(body.get("tag"))
        self.said: Json = {**facts(entry), "actor": body.get("actor")}
        self.personal: Json = dict.fromkeys(body.get("personal") or (), UNTOLD)
        self.personal.update((name, one["value"]) for name, one in entry["personal"].items())


class Story:
    """The facts of one request, the ledger's entries, those about the request, and who is who."""

    def __init__(self, told: Json) -> None:
        self.told, self.request, self.sealings = told, told["request"], told["sealings"]
        self.ledger = [Entry(one) for one in told["ledger"]["entries"]]
        self.entries = [one for one in self.ledger if one.subject == f"request:{told['reference']}"]
        self.seals = {one["revision"]: one["seal"] for one in self.sealings}
        self.documents = {one["revision"]: one["document"] for one in self.sealings}
        self.stages = {(one["revision"], one["slug"]): one for one in told["stages"]}
        self.names = {one["id"]: one["name"] for one in told["people"]}
        gone = [(one.said.get("person"), one.subject) for one in self.ledger if one.kind == "person:erased"]
        self.erased = [person for person, subject in gone if subject == f"erasure:{person}"]
        people = [one for one in told["people"] if one["id"] not in self.erased]
        self.identities = {one["id"]: _who({name: one[name] for name in ("issuer", "subject")}) for one in people}

    def of(self, *kinds: str, **said: Any) -> list[Entry]:
        """The entries of these kinds about the request that say this, in order."""
        return [one for one in self.entries if one.kind in kinds and said.items() <= one.said.items()]

    def places(self) -> tuple[dict[str, list[Any]], dict[Who, list[Any]]]:
        """Where the facts have each person:<number>, and where the sealed documents have each issuer and subject."""
        named: dict[str, list[Any]] = {}
        sealed: dict[Who, list[Any]] = {}
        known = {number: document for number, document in self.documents.items() if document}  # and not erased
        for number, document in known.items():
            # An edit between two seals may change the beneficiary, so only the last one's is known.
            for role in ("requester", "beneficiary") if number == len(self.sealings) else ("requester",):
                named.setdefault(self.request[role], []).append((number, role))
                sealed.setdefault(_who(document[role]), []).append((number, role))
            for stage in document["route"]:
                for one in stage["approvers"]:
                    sealed.setdefault(_who(one), []).append((number, stage["slug"], one["rule"]))
        for stage in (one for one in self.told["stages"] if one["revision"] in known):
            number, slug = stage["revision"], stage["slug"]
            later = [one.said.get("approvers") or () for one in self.of("stage:escalated", revision=number, stage=slug)]
            joined = [(one.get("person"), one.get("rule")) for people in later for one in people]
            for one in stage["approvers"]:
                if (one["person"], one["rule"]) not in joined:
                    named.setdefault(one["person"], []).append((number, slug, one["rule"]))
        return named, sealed


def told_to_the_ledger(story: Story) -> Iterator[tuple[str, Json]]:
    """What the ledger must tell if the facts are true: the kind of each entry, and what it says, by its own names."""
    told, request, offering, seals = story.told, story.request, story.told["offering"], story.seals
    asked = {**request, "what": "the request", "actor": request["editor"], "title": english(request["title"])}
    asked["answers"] = digest(story.sealings[-1]["document"].get("answers")) if story.sealings else UNTOLD
    # What was asked for is in the last edit, if there is one; the end and the answers are then in the last seal alone.
    changed = ("actor", "beneficiary", "ends_at", "title", "reason", "answers") if story.of("request:edited") else ()
    version = {"offering": offering["slug"], "version": offering["version"], "offering_digest": offering["digest"]}
    yield "request:submitted", {**asked, **version, **dict.fromkeys(changed, UNTOLD)}
    yield "request:edited", {**asked, "optional": True}
    yield "request:fulfilled", {**asked, "optional": request["fulfilled_at"] is None}
    yield "request:withdrawn", {**asked, "optional": True}
    for one in story.sealings:
        plan, risk, route = (one["document"].get(part) or {} for part in ("plan", "risk", "route"))
        said = {**one, "what": f"seal {one['revision']}", "risk": dict(risk).get("level"), "steps": len(plan)}
        said["stages"] = [stage.get("slug") for stage in route]
        yield "request:prepared", said
        yield "request:sealed", said
    for one in told["decisions"]:
        said = {**one, "what": f"the decision of {story.names[one['person']]}", "actor": one["person"]}
        yield VERDICTS[one["verdict"]], {**said, "signature": _told_signature(one)}
        if one["voided_at"]:
            yield "approval:voided", {**said, "why": english(one["voided_because"])}
    for one in told["stages"]:
        state, what = one["state"], f"the stage “{english(one['name'])}”"
        said = {**one, "what": what, "stage": one["slug"], "seal": seals.get(one["revision"])}
        if one["opened_at"]:
            yield "stage:opened", said
        if state == "rejected" or (state == "closed" and one["opened_at"]):
            yield f"stage:{state}", said
        if state in ("approved", "rejected", "closed"):  # it may have been approved before
            yield "stage:approved", {**said, "optional": state != "approved"}
    for one in told["steps"]:
        state, outcome, read = one["state"], one["outcome"], one["read_back"]
        said = {**one, "what": _step(one), "step": one["position"], "seal": seals.get(one["revision"])}
        said.update(found=outcome.get("found"), why=english(one["error"]))
        said["outcome"] = canonical(outcome.get("facts", {})).decode()
        said["read"] = canonical(read.get("facts", {})).decode()
        if outcome or state in ("applied", "done"):
            yield "step:applied", said
        if read:
            yield "step:read-back", said
        if state in ("failed", "reverted", "not-reverted"):
            yield f"step:{state}", said
        if state in ("reverted", "undoing") or "not-reverted" in outcome:  # it may have stayed at first
            yield "step:not-reverted", {**said, "why": UNTOLD, "optional": True}
    steps = {step["key"]: step["position"] for step in told["steps"]}
    moved = [entry.said.get("entitlement") for entry in story.of("entitlement:moved")]
    for one in told["entitlements"]:
        said = {**one, "what": f"“{english(one['label'])}”", "entitlement": one["id"]}
        said.update(step=steps.get(one["step_key"]), why=english(one["end_reason"]))
        yield "entitlement:granted", {**said, "ends_at": UNTOLD if one["id"] in moved else one["ends_at"]}
        yield "entitlement:moved", {**said, "optional": True}
        if one["ended_at"]:
            yield "entitlement:ended", said


def compared(story: Story, *of: str) -> Iterator[str]:
    """What the facts tell is told by one entry of its kind, which says the same; no such entry tells of more."""
    left = [one for one in story.entries if one.kind in KINDS and one.kind.startswith(of)]
    for kind, one in told_to_the_ledger(story):
        if not kind.startswith(of):
            continue
        known_by, same, personal, at = KINDS[kind]
        mine = story.of(kind, **{name: one[name] for name in known_by.split()})
        left = [entry for entry in left if entry not in mine]
        if (len(mine) > 1 and kind not in AGAIN) or not (mine or one.get("optional")):
            yield f"{len(mine) or 'No'} entries of the ledger ({kind}) tell of {one['what']}."
        for entry in mine[-1:]:
            where = f"Entry {entry.number} ({one['what']})"
            said = {**entry.said, **{name: entry.personal.get(name, "") for name in personal.split()}}
            names = [name for name in f"{same} {personal}".split() if UNTOLD not in (one[name], said.get(name))]
            yield from differing(where, said, {name: one[name] for name in names})
            if at and (one[at] is None or abs(moment(entry.at) - moment(one[at])) > LONGEST_TRANSACTION):
                yield f"{where} was not written when the facts say that it happened."
    yield from (f"Entry {one.number} ({one.kind}) tells of what the facts leave out." for one in left)


def offering_problems(story: Story) -> Iterator[str]:
    """The offering's text is the one whose digest is stated."""
    offering = story.told["offering"]
    said = {**offering["document"], "digest": digest(offering["document"])}
    wanted = {"digest": offering["digest"], "slug": offering["slug"], "controls": story.told["controls"]}
    yield from differing("The offering's text", said, wanted)


def seal_problems(story: Story) -> Iterator[str]:
    """Every seal is the digest of the answers, plan, risk and approval chain that it names."""
    told, request, sealings = story.told, story.request, story.sealings
    parts = ("position", "part", "slug", "name", "part_of", "quorum", "acr")
    for number, sealing in enumerate(sealings, 1):
        document = sealing["document"]
        route, answers = document.get("route") or [], document.get("answers") or {}
        said = {**document, "number": sealing["revision"], "digest": digest(document)}
        # Who they are is compared below; here, that they stand in their order.
        ordered = [stage["approvers"] == sorted(stage["approvers"], key=_who) for stage in route]
        said["route"] = [{**stage, "approvers": order, "carried": None} for stage, order in zip(route, ordered)]
        said["answers"] = {name: value for name, value in answers.items() if value not in (None, "", [])}
        wanted = {"number": number, "digest": sealing["seal"], "revision": number, "reference": told["reference"]}
        wanted["offering"] = told["offering"]["digest"]
        stages = [{part: english(one[part]) for part in parts} for one in told["stages"] if one["revision"] == number]
        wanted["route"] = [{**stage, "approvers": True, "carried": None} for stage in stages]
        if number == len(sealings):  # an edit between two seals may change it
            wanted["ends_at"] = request["ends_at"]
        if number == request["revision"]:
            wanted["answers"] = {answer["name"]: answer["value"] for answer in told["answers"]}
        yield from differing(f"Seal {number}", said, wanted)
        yield from _carried(story, sealing)
    if request["seal"] not in (None, *(one["seal"] for one in sealings[-1:])):
        yield "The request's seal is not the last one that was made."
    # Everybody stands in the seals where the facts have them. Whoever was erased is somebody whom the seals alone know.
    named, sealed = story.places()
    known = {**dict.fromkeys(story.erased, NOBODY), **story.identities}
    ours = [(known.get(person, (("", person),)), sorted(places)) for person, places in named.items()]
    theirs = [(who if who in known.values() else NOBODY, sorted(places)) for who, places in sealed.items()]
    if sorted(ours) != sorted(theirs):
        yield "The seals name other people than the facts do, or in other places."


def _carried(story: Story, sealing: Json) -> Iterator[str]:
    """Stages that rest on an earlier seal: agreed then by enough, and nothing but the plan has moved since."""
    document = sealing["document"]
    route = document.get("route") or []
    last = max((stage["position"] for stage in route), default=0)
    for stage in (one for one in route if one.get("carried")):
        slug, carried = stage["slug"], stage["carried"]
        earlier = next((one for one in story.sealings if one["seal"] == carried.get("seal")), sealing)
        number, before = earlier["revision"], earlier["document"]
        same = ("reference", "offering", "requester", "beneficiary", "answers", "ends_at", "risk")
        needed = next((one["quorum"] for one in before.get("route") or () if one["slug"] == slug), 0)
        agreed = {
            one["on_behalf_of"] or one["person"]
            for one in story.told["decisions"]
            if (one["revision"], one["stage"], one["verdict"]) == (number, slug, "approve")
        }
        yield from broken(
            f"The stage “{slug}” that seal {sealing['revision']} carries over",
            (number < sealing["revision"], "rests on a seal that was not made before it"),
            (all(before.get(part) == document.get(part) for part in same), "rests on another request"),
            (stage["position"] < last and stage["quorum"] == 0, "had to be asked again"),
            (needed == carried.get("quorum") and 0 < needed <= len(agreed), "had not been agreed to by enough"),
        )


def decision_problems(story: Story) -> Iterator[str]:
    """Every decision that counts was made on the last seal, by a different person who could make it."""
    told, request = story.told, story.request
    barred = {request["requester"], request["beneficiary"], request["editor"], told["offering"]["publisher"]}
    seen: set[tuple[int, str]] = set()
    for one in told["decisions"]:
        number, right = one["revision"], one["on_behalf_of"] or one["person"]
        stage = story.stages.get((number, one["stage"]), {"approvers": (), "acr": ""})
        both = {(number, one["person"]), (number, right)}
        yield from broken(
            f"The decision of {story.names[one['person']]}",
            (one["seal"] == story.seals.get(number), "was made on another seal than the one that was made then"),
            (one["voided_at"] or number == request["revision"], "is on an earlier seal and was not made void"),
            (not both & seen, "is the second on one seal, and one person counts once"),
            (right in [approver["person"] for approver in stage["approvers"]], "is by nobody who could decide there"),
            (stage["acr"] in ("", one["acr"]), "was made with a weaker sign-in than the stage demands"),
            (not {one["person"], right} & barred, "is by who asked, receives, edited or published the offering"),
            (moment(one["auth_time"]) <= moment(one["decided_at"]) + CLOCK_SKEW, "was made before they signed in"),
        )
        seen |= both
    on_work = request["state"] in ("scheduled", "fulfilling", "fulfilled", "ended", "failed")
    went_on = request["revision"] if on_work else None
    for stage in told["stages"]:
        number, slug, state = stage["revision"], stage["slug"], stage["state"]
        here = [one for one in told["decisions"] if (one["revision"], one["stage"]) == (number, slug)]
        # Only what the work rests on must still count; before it may have been made void by what came after.
        said = [one["verdict"] for one in here if number != went_on or not one["voided_at"]]
        agreed, quorum = said.count("approve"), stage["quorum"]
        yield from broken(
            f"The stage “{english(stage['name'])}”",
            (state != "approved" or agreed >= quorum, f"is said to be approved, but {agreed} of {quorum} agreed"),
            (state != "rejected" or "deny" in said, "is said to be rejected, but nobody denied it"),
            (state == "approved" or number != went_on, "was not approved, but the request went on"),
        )


def step_problems(story: Story) -> Iterator[str]:
    """Every step is the plan that was sealed, word for word."""
    told, request = story.told, story.request
    for step in told["steps"]:
        number, position, plan = step["revision"], step["position"], step["plan"]
        plans = dict(enumerate(story.documents.get(number, {}).get("plan", ()), 1))
        parts = ("connector", "action", "target", "lines", "document", "inverse")
        key = {"reference": told["reference"], "seal": story.seals.get(number), "step": position}
        yield from broken(
            _step(step),
            (plans.get(position) == {part: plan.get(part) for part in parts}, "is not the plan that was sealed"),
            (step["key"] == digest({**key, "attempt": step["attempt"]}), "has a key that is not the seal's"),
            (all(step[part] == plan.get(part) for part in ("connector", "name")), "has another name in its plan"),
        )
    if request["state"] in ("fulfilled", "ended"):
        mine = [one for one in told["steps"] if one["revision"] == request["revision"] and one["read_back"]]
        done = {one["position"] for one in mine if one["state"] in ("done", "reverted")}
        last = story.sealings[-1]["document"].get("plan", ()) if story.sealings else ()
        if not last or done != set(range(1, len(last) + 1)):
            yield "The request is said to be fulfilled, but not every sealed step was applied and read back."


def request_problems(story: Story) -> Iterator[str]:
    """The ledger tells the same of submitting, of the seals and of the outcome."""
    offering, request = story.told["offering"], story.request
    yield from compared(story, "request:")
    version = {name: offering[name] for name in ("version", "digest")}.items()
    published = [one.said for one in story.ledger if one.kind == "offering:published" and version <= one.said.items()]
    publisher = offering["publisher"] or "portal"
    stages = {one["slug"] for one in story.told["stages"] if one["revision"] == request["revision"]}
    state, approved = "preparing", set()
    for entry in story.entries:
        if entry.kind == "stage:approved" and entry.said.get("revision") == request["revision"]:
            approved.add(entry.said.get("stage"))
        again = entry.kind == "request:retried" and "task" not in entry.said
        state = "scheduled" if again else STATES.get(entry.kind, state)
        if state == "pending" and stages and stages == approved:
            state = "scheduled"
    yield from broken(
        "The ledger",
        ([one.kind for one in story.entries[:1]] == ["request:submitted"], "does not begin with its submission"),
        (published, "does not tell that this offering was published"),
        (publisher in [one["actor"] for one in published], "names another publisher of this version"),
        (state == request["state"], f"leaves the request {state}, and not {request['state']}"),
    )


def approval_problems(story: Story) -> Iterator[str]:
    """The ledger tells the same of every stage and every decision, and of no other."""
    yield from compared(story, "approval:", "stage:")
    for entry in story.of("stage:opened"):
        # Who was asked is read again when a stage opens: some of those people, never another.
        stage = story.stages.get((entry.said.get("revision"), entry.said.get("stage")), {"approvers": ()})
        known = [(one["person"], one["rule"]) for one in stage["approvers"]]
        asked = [(one.get("person"), one.get("rule")) for one in entry.said.get("approvers") or ()]
        if not asked or not all(one in known for one in asked):
            yield f"Entry {entry.number} tells of other people who could decide in a stage than the facts do."


def fulfilment_problems(story: Story) -> Iterator[str]:
    """The ledger tells the same of every step and of everything that became live, and of nothing else."""
    yield from compared(story, "step:", "entitlement:")
    work = [entry.said.get("seal") for entry in story.of("fulfilment:started", "request:fulfilled", "request:failed")]
    begins = ("request:submitted", "request:sealed", "fulfilment:started", "step:applied", "step:read-back")
    firsts = [entry.number for kind in (*begins, "request:fulfilled") for entry in story.of(kind)[:1]]
    yield from broken(
        "The ledger tells of work that",
        (all(seal in story.seals.values() for seal in work), "was done on a seal that the facts leave out"),
        (firsts == sorted(firsts), "began before it was approved, or ended before it began"),
    )
    for step in (one for one in story.told["steps"] if one["read_back"]):
        shown, by_hand = step["read_back"].get("present") is True, step["outcome"].get("by_hand") or {}
        first, second = by_hand.get("by"), by_hand.get("confirmed_by")
        if step["outcome"].get("found") == "by-hand":
            word = {"claimed_by": first, "actor": second, "step": step["position"], "undone": False}
            shown = bool(first) and first != second and bool(story.of("step:confirmed-by-hand", **word))
        if not shown:
            yield f"{_step(step)} was neither shown by the target nor done by hand and confirmed by somebody else."


def check_passkeys(story: Story, result: Result) -> None:
    """Every decision that was signed or had to be; and that no key stands there for nothing."""
    used = set()
    for one in story.told["decisions"]:
        who, told = story.names[one["person"]], _told_signature(one)
        if told is None:
            if _must_sign(story, one["revision"]):
                result.bad("signature", f"The offering demands that {who} sign with a passkey, and nothing is signed.")
            continue
        used.add(f"passkey:{told['passkey']}")
        if one["person"] in story.erased and one["person"] not in story.places()[0]:
            result.open("signature", f"{who} was erased, and no seal names them: their signature cannot be checked.")
        else:
            said = f"The decision of {who} is signed with a passkey that the same person had enrolled before."
            result.judge("signature", said, _signature(story, one, f"The signature of {who}"))
    for entry in story.ledger:
        if entry.subject.startswith("passkey:") and entry.subject not in used:
            result.bad("signature", f"Entry {entry.number} is about a passkey that signed nothing here.")


def _must_sign(story: Story, revision: int) -> bool:
    """Whether the sealed risk is not below the level from which the offering demands it; an unknown one is not."""
    rule, levels = story.told["offering"]["document"].get("signature"), ("low", "medium", "high", "critical")
    if not rule or revision not in story.documents:
        return False
    risk = story.documents[revision].get("risk") or {}
    return risk.get("level") not in levels[: levels.index(rule["passkey_from"])]


def _assertion(decision: Json) -> dict[str, bytes]:
    return {name: base64.b64decode(text) for name, text in decision["signature"].items() if name != "nonce"}


def _told_signature(decision: Json) -> Json | None:
    """What the ledger tells of a signature: the passkey's name in it, and the digest of what was signed."""
    if not decision["signature"]:
        return None
    parts = {name: part.hex() for name, part in _assertion(decision).items()}
    assertion = digest({**parts, "nonce": decision["signature"]["nonce"]})
    return {"passkey": sha256(_assertion(decision)["credential_id"]), "assertion": assertion}


def _signature(story: Story, one: Json, what: str) -> Iterator[str]:
    assertion = _assertion(one)
    decided = story.of(VERDICTS[one["verdict"]], revision=one["revision"], actor=one["person"])
    about = [entry for entry in story.ledger if entry.subject == "passkey:" + sha256(assertion["credential_id"])]
    enrolled = [entry for entry in about if entry.kind == "passkey:enrolled"]
    revoked = [entry for entry in about if entry.kind == "passkey:revoked"]
    if len(enrolled) != 1 or not decided:
        yield f"{what} was made with a key that the ledger does not know, or that was enrolled twice."
        return
    key = enrolled[0].said
    yield from broken(
        f"{what} was made with a key that",
        (key.get("person") == key["actor"] == one["person"], "somebody else enrolled"),
        (enrolled[0].number < decided[0].number, "was enrolled only afterwards"),
        (all(entry.number > decided[0].number for entry in revoked), "had been revoked before"),
    )
    challenge = {name: one[name] for name in ("seal", "verdict", "stage")}
    challenge.update(purpose="countersign-decision-signature/1", nonce=one["signature"]["nonce"])
    people, problems = [story.identities.get(one["person"], NOBODY)], []
    if one["person"] in story.erased:  # one of those whom the seals alone know, the facts no longer say which
        people = [who for who in story.places()[1] if who not in story.identities.values()]
    for who in people:
        try:
            signed = hashlib.sha256(canonical({**challenge, "person": dict(who)})).digest()
            public = base64.b64decode(str(key.get("public_key")))
            verify_assertion(assertion, public, signed, str(key.get("rp_id")), int(key.get("sign_count", 0)))
        except (Wrong, ValueError, KeyError, TypeError, UnsupportedAlgorithm) as error:
            problems.append(f"{what} does not hold: {error}.")
        else:
            return
    yield from problems[:1] or [f"{what} is nobody's."]


# ---- 9. A PDF of evidence: signature, attached files, facts, pages, keys ---------------------------------------------

#: The facts and, beside them and their schema, the checkpoint of each file.
FILES = {"evidence.json": "checkpoint.note", "access-review.json": "checkpoint.note", "audit.json": "after.note"}
#: The published schemas by their digests, one for each form in which facts were ever told. No other is read: whoever signs
#: a file could put one into it that allows everything, or that takes for ever.
SCHEMAS = {
    "evidence.json": {"sha256:3df04e86b02800cbf85241a67e6fa0ee8f40dfd56541b470e5065bbab8c1d366"},
    "access-review.json": {"sha256:414b37161fa804a9f142f520bb93aab483c147ddc0a3bd1e5bb40cb4c7c06e6d"},
    "audit.json": {"sha256:44e6924fa8cfd2defd4242c14c95dc29b12481b38df5a1f4d430a2f56f2bbf08"},
}
#: Words that stand on English pages for what the facts have in codes.
WORDS = {
    "approve": "Approved", "deny": "Denied", "preparing": "Being prepared", "pending": "Awaiting approval",
    "scheduled": "Approved, to be carried out", "fulfilling": "Being carried out", "fulfilled": "Fulfilled",
    "ended": "Fulfilled and ended", "rejected": "Rejected by an approver", "withdrawn": "Withdrawn by the requester",
    "refused": "Refused by the portal", "failed": "Failed",
}
UNKNOWN_SCHEMA = (
    "The schema inside is none that this verifier knows, so it cannot tell what the facts mean: take the verify.py of the "
    "Countersign that made the file, from whom you trust."
)
PROMISES = {"kept": "kept", "missed": "missed", "open": "still open", "none": "no promise"}
#: What is checked of one request, and by which rules; their docstrings say what holds where none is broken.
CHECKS: dict[str, Callable[[Story], Iterator[str]]] = {
    "offering": offering_problems,
    "seals": seal_problems,
    "decisions": decision_problems,
    "steps": step_problems,
    "story-request": request_problems,
    "story-approval": approval_problems,
    "story-fulfilment": fulfilment_problems,
}


class Opened(NamedTuple):
    """A PDF whose signature holds: who signed, what it is, its facts and its files."""

    signed: Signed
    pdf: Pdf
    name: str
    told: Json
    files: dict[str, bytes]


def run_checks(checks: Iterable[tuple[str, Callable[[], object]]], result: Result) -> None:
    """Each check; facts that no portal wrote may break any of them, and that is a no."""
    for name, check in checks:
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
        run_checks([("attachments", lambda: found.append(_opened(content, signed)))], result)
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
        raise Wrong(f"The attached facts do not have the published form: {problem.lstrip('.')}.")
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
    run_checks([("facts", partial(check, opened, trusted, result))], result)
    if name == "audit.json":
        result.open("bundle", "This is the report alone: whether its population is complete, its bundle tells.")
    if trusted.kept:
        origin = told["ledger"]["origin"]
        run_checks([("kept", lambda: check_kept(trusted.kept, origin, shown_heads(told), result))], result)
    return told


def check_review(opened: Opened, trusted: Trusted, result: Result) -> None:
    """An access review's result."""
    _check_proofs(opened, (f"access-review:{opened.told['reference'].rpartition('-')[2]}", "request:"), trusted, result)
    result.open("answers", "Only countersign verify compares an access review's pages and answers with the entries.")


def check_evidence(opened: Opened, trusted: Trusted, result: Result) -> None:
    """One request's evidence."""
    told, story, checks = opened.told, Story(opened.told), CHECKS
    reference, offering = told["reference"], told["offering"]["slug"]
    result.claim = f"Request {reference} is {told['request']['state']}."
    about = (f"request:{reference}", f"offering:{offering}", "passkey:", "erasure:", "ledger:")
    _check_proofs(opened, about, trusted, result)
    for entry in story.of("record:erased")[:1]:
        said = f"The request's record was erased when its time was over (entry {entry.number})"
        result.open("record", f"{said}; what it held cannot be compared.")
        result.judge("erased-record", "Nothing of what was erased is told.", still_told(told))
        checks = {name: CHECKS[name] for name in ("offering", "decisions", "story-approval")}
    run_checks(
        (
            # These are generators: they run, and may break, when they are judged.
            *((name, partial(result.judge, name, one.__doc__ or "", one(story))) for name, one in checks.items()),
            ("signature", lambda: check_passkeys(story, result)),
            ("pages", lambda: check_pages(opened, _evidence_values(opened, story), result)),
        ),
        result,
    )


def still_told(told: Json) -> Iterator[str]:
    """What a file tells of a record that was erased, which is nothing."""
    reasons = [told["request"]["reason"], *(one["comment"] for one in told["decisions"])]
    effects = [one[part] for one in told["steps"] for part in ("plan", "outcome", "read_back", "artefacts")]
    yield from broken(
        "Of a record that was erased,",
        (not any(one["document"] or one["warnings"] for one in told["sealings"]), "a sealed document is told"),
        (not any(effects), "a plan or an effect is told"),
        (not any(reasons), "reasons are told"),
        (all(one["value"] in (None, "", []) for one in told["answers"]), "answers are told"),
    )


def _check_proofs(opened: Opened, about: tuple[str, ...], trusted: Trusted, result: Result) -> None:
    """The ledger's head, its entries, which are about these subjects or begin so, and its keys."""
    ledger, note = opened.told["ledger"], opened.told["ledger"]["checkpoint"]
    starts = ("signing-key:", *(one for one in about if one.endswith(":")))

    def is_about(subject: str) -> bool:
        return subject in about or subject.startswith(starts)

    def check_ledger() -> None:
        head = check_note(note, [ledger["verifier"]], ledger["origin"])
        result.good("checkpoint", f"The checkpoint of {head.origin} is signed by the ledger's key.")
        check_entries(ledger["entries"], head, opened.told["as_of"], is_about, result)

    keys = partial(check_keys, ledger, note, opened.signed.certificate, trusted, result)
    run_checks([("ledger", check_ledger), ("keys", keys)], result)


def check_pages(opened: Opened, values: Iterable[str], result: Result) -> None:
    """That each of these values stands on the pages, in this order."""
    bodies, wrong = text_of_pages(opened.pdf)
    if wrong:
        raise Wrong(wrong)
    letters = set("".join(bodies))
    shown = [legible(value, letters) for value in values if value.strip()]
    missing = list(values_missing(bodies, shown))[:3]
    said = f"Every fact stands on the {len(bodies)} pages, in the facts' order ({len(shown)} were looked for)."
    wrongly = "The pages leave out what the facts say, or say it elsewhere: "
    result.judge("pages", said, [f"{wrongly}“{one[:60]}”" for one in missing])


def legible(value: str, letters: set[str]) -> str:
    """The value as the pages write it: a character that no font of theirs has stands there by its number."""
    if value.isascii():
        return value
    return "".join(one if set(compact(one)) <= letters else f"[U+{ord(one):04X}]" for one in value)


def _evidence_values(opened: Opened, story: Story) -> Iterator[str]:
    """The facts in the order in which the pages tell them; words that are translated only on English pages."""
    told, names, language = opened.told, story.names, opened.pdf.root["Lang"].decode()

    def spoken(text: Any) -> str:
        return text if isinstance(text, str) else str(text.get(language, text["en"]))

    def only(*texts: str) -> tuple[str, ...]:
        return texts if language == "en" else ()

    request, sealings = told["request"], told["sealings"]
    yield from (told["reference"], spoken(request["title"]), *only(WORDS.get(request["state"], "")))
    yield from (read_head(told["ledger"]["checkpoint"]).root.hex(), request["seal"] or "")
    yield sha256(opened.files["evidence.json"])
    yield from only("Summary", names[request["requester"]], request["reason"], spoken(request["outcome"]))
    yield from only("Answers given")
    for answer in told["answers"]:
        yield from only(answer["label"], answer["shown"])
    yield told["offering"]["digest"]
    for risk in (one["document"].get("risk") for one in sealings[-1:]):
        yield from only(f"Risk: {risk['level']}, score {risk['score']}" if risk else "")
    yield from only("Approval")
    for stage in told["stages"]:
        yield from (*only(spoken(stage["name"])), *(names[one["person"]] for one in stage["approvers"]))
    for one in told["decisions"]:
        yield from (names[one["person"]], *only(WORDS[one["verdict"]]), one["acr"], one["comment"], one["seal"])
    yield from (*(one["seal"] for one in sealings), *only("Planned, applied, read back"))
    for step in told["steps"]:
        parts = (step["plan"], step["outcome"], step["read_back"])
        lines = [spoken(line.get("text", "")) for part in parts for line in part.get("lines") or ()]
        target = str(step["plan"].get("target", ""))
        yield from only(f": {spoken(step['name'])}", target, spoken(step["error"]), *lines)
        yield from (file[part] for file in step["artefacts"] for part in ("name", "digest"))
    yield from only("What is live because of it")
    for one in told["entitlements"]:
        yield from (spoken(one["label"]), one["target"], names[one["holder"]], one["key"])
    yield from only("Deviations", *told["deviations"], "Controls supported")
    for framework, controls in told["controls"].items():
        yield from (framework, *controls)
    yield from only("Ledger entries")
    for entry in told["ledger"]["entries"]:
        yield from (str(entry["number"]), entry["body"]["tag"], leaf_hash(canonical(entry["body"])).hex())
    yield told["ledger"]["verifier"]


# ---- 10. An audit report: the ledger of the period, the population, the sample ----------------------------------------


def check_report(opened: Opened, trusted: Trusted, result: Result) -> None:
    """All of an audit report that can be told without its bundle."""
    told, ledger, sample = opened.told, opened.told["ledger"], opened.told["sample"]
    note, certificate = ledger["made"]["checkpoint"], opened.signed.certificate
    run_checks([("claim", lambda: setattr(result, "claim", _claim(told)))], result)
    run_checks([("checkpoint", lambda: _check_heads(told, result))], result)
    for name, rules in (("query", query_problems), ("population", population_problems), ("sample", sample_problems)):
        run_checks([(name, lambda: result.judge(name, rules.__doc__ or "", rules(told)))], result)
    run_checks([("pages", lambda: check_pages(opened, _report_values(opened), result))], result)
    run_checks([("keys", lambda: check_keys(ledger, note, certificate, trusted, result))], result)
    result.open(
        "draw",
        f"Compare with your own notes: that the word is yours (“{sample['nonce']}”), and that you said it after you "
        f"were shown the root {sample['root']}; a portal that knew the word could have tried roots until one suited.",
    )


def _up_to(query: Json) -> str:
    """Where the period ends before its last day does, as the pages say it; in UTC where time zones are not known."""
    until = moment(query["until"])
    if query["zone"] not in available_timezones():
        return f", up to {until:%H:%M} UTC of {until.date()}"
    until = until.astimezone(ZoneInfo(query["zone"]))
    return f", up to {until:%H:%M}" if until.date().isoformat() <= query["last_day"] else ""


def _claim(told: Json) -> str:
    query, up_to = told["query"], _up_to(told["query"])
    days = f"{query['first_day']} to {query['last_day']}{up_to}{up_to and ' (' + query['zone'] + ')'}"
    return f"{told['population']['count']} requests from {days}, {told['sample']['size']} of them drawn."


def of_the_audit(told: Json, tag: str) -> list[Json]:
    """The entries with this tag about this very audit."""
    wanted = (tag, f"audit:{told['reference']}")
    return [one for one in told["ledger"]["entries"] if (one["body"].get("tag"), one["body"].get("subject")) == wanted]


def _check_heads(told: Json, result: Result) -> None:
    """Three signed heads, each containing the one before, and the entries under the last of them."""
    ledger, heads = told["ledger"], []
    for name in ("before", "after", "made"):
        size, note = ledger[name]["size"], ledger[name]["checkpoint"]
        if (name, size, note) == ("before", 0, None):
            heads.append(Head(ledger["origin"], 0, EMPTY_ROOT))
        else:
            heads.append(check_note(note, ledger["verifiers"], ledger["origin"]))
        if heads[-1].size != size:
            raise Wrong(f"The checkpoint {name} is of another size than the facts state.")
    before, after, made = heads
    result.good("checkpoint", f"The checkpoints of {made.origin} are signed by the ledger's key.")
    said = f"The ledger grew from {before.size} to {after.size} to {made.size} entries and was never rewritten."
    edge, proofs = Edge(before.size, ledger["before"]["edge"]), ledger["consistency"]
    result.judge("consistency", said, broken(
        "The ledger",
        (is_consistent(before, after, proofs["before_after"]), f"was rewritten after its entry {before.size}"),
        (is_consistent(after, made, proofs["after_made"]), f"was rewritten after its entry {after.size}"),
        (edge.root() == before.root, "before the period has another root than its edge"),
    ))
    check_entries(ledger["entries"], made, told["made_at"], lambda _: True, result)
    last = [moment(entry["body"]["at"]) for entry in ledger["entries"] if entry["number"] == before.size]
    orders = of_the_audit(told, "audit:ordered")
    begins, until = moment(told["query"]["from"]), moment(told["query"]["until"])
    result.judge("period", "The two checkpoints enclose the period.", broken(
        "It is not shown",
        (last[0] < begins if last else not before.size, "that the ledger before the period ends before it begins"),
        ([before.size < one["number"] <= after.size for one in orders] == [True], "that the order stands between them"),
        (all(moment(one["body"]["at"]) >= until for one in orders), "that the period was over when it was ordered"),
    ))


def query_problems(told: Json) -> Iterator[str]:
    """The period is the days that it names, the last one up to the order at most."""
    query, zones = told["query"], available_timezones()
    if not all(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", query[day]) for day in ("first_day", "last_day")):
        raise Wrong("The days of the period are not written as days.")
    if zones and query["zone"] not in zones:
        raise Wrong(f"There is no time zone “{query['zone']:.40}”, so nobody can tell when the period begins.")
    names = ("first_day", "last_day", "until", "zone", "units", "offerings", "controls", "language")
    wanted = {**{name: query[name] for name in names}, "rule": told["sample"]["rule"], "disclosure": told["disclosure"]}
    orders = of_the_audit(told, "audit:ordered")
    for entry in orders:
        yield from differing("The order of the audit", facts(entry), wanted)
    # A machine without the world's time zones takes what is told, give or take their spread.
    zone, spread = (ZoneInfo(query["zone"]), timedelta(0)) if zones else (timezone.utc, timedelta(hours=14))
    first, last = (datetime.fromisoformat(query[day]).replace(tzinfo=zone) for day in ("first_day", "last_day"))
    begins, until, after = moment(query["from"]), moment(query["until"]), last + timedelta(days=1)
    # A last day that was not over yet ends with the order: as its entry states, which was written in one transaction.
    is_cut = last - spread <= until < after + spread and all(
        timedelta(0) <= moment(one["body"]["at"]) - until <= LONGEST_TRANSACTION for one in orders
    )
    yield from broken(
        "The period",
        (abs(begins - first) <= spread, f"does not begin with its first day in {query['zone']}"),
        (abs(until - after) <= spread or is_cut, f"does not end with its last day in {query['zone']}"),
        (begins < until <= moment(told["as_of"]), "was not over when it was looked at"),
    )


def population_problems(told: Json) -> Iterator[str]:
    """The population is what its count and digest say."""
    population, wanted = told["population"], set(told["query"]["controls"])
    rows, controls = population["rows"], {row["offering_digest"]: row["controls"] for row in population["rows"]}
    yield from differing("The list of the rows", population, {"count": len(rows), "digest": digest(rows)})
    references = [row["reference"] for row in rows]
    if references != sorted(set(references), key=lambda one: int(one[3:])):
        yield "The rows are not in the order of their references, or one stands twice."
    for row in rows:
        if row["controls"] != controls[row["offering_digest"]]:
            yield f"{row['reference']}: another row of the same offering's version supports other controls."
        if wanted and wanted.isdisjoint(row["controls"]):
            yield f"{row['reference']} supports none of the controls that were asked for."


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


def sample_problems(told: Json) -> Iterator[str]:
    """The sample is the one that the ledger's root and the auditor's word draw; the root was fixed before the word."""
    sample, population, before = told["sample"], told["population"], told["ledger"]["before"]["size"]
    after = read_head(told["ledger"]["after"]["checkpoint"])
    given, counted = of_the_audit(told, "audit:nonce-given"), of_the_audit(told, "audit:counted")
    if not counted or not given or not after.size < counted[-1]["number"] < given[0]["number"]:
        raise Wrong("It is not shown that population and root were fixed before the nonce was given.")
    root, size = base64.b64encode(after.root).decode(), sample_size(sample["rule"], len(population["rows"]))
    wanted = {"count": population["count"], "population": population["digest"], "before": before, "after": after.size}
    yield from differing("What was counted", facts(counted[-1]), {**wanted, "root": root, "sample": size})
    draws = [{"draw": at, "nonce": facts(one).get("nonce"), "entry": one["number"]} for at, one in enumerate(given, 1)]
    if [facts(one).get("draw") for one in given] != [one["draw"] for one in draws]:
        yield "The draws are not numbered one after another."
    seed = hashlib.sha256(after.root + sample["nonce"].encode()).hexdigest()
    ranked = sorted((row["reference"] for row in population["rows"]), key=lambda one: rank(seed, one))
    drawn = {"root": root, "seed": seed, "size": size, "references": ranked[:size], "earlier": draws[:-1]}
    drawn.update(draw=draws[-1]["draw"], nonce=draws[-1]["nonce"])
    yield from differing("What root, word and rule draw", sample, drawn)


def _report_values(opened: Opened) -> Iterator[str]:
    """What the report's pages say of the population and the sample: every row of the register as it is printed."""
    told, query, sample = opened.told, opened.told["query"], opened.told["sample"]
    rows = {row["reference"]: row for row in told["population"]["rows"]}
    digests = {one["name"]: one["digest"][7:] for one in told["files"]}
    is_english = opened.pdf.root["Lang"].decode() == "en"  # the words of other languages are not known here
    yield told["reference"]
    if is_english:
        days = [datetime.fromisoformat(query[day]) for day in ("first_day", "last_day")]
        period = " to ".join(f"{day.day} {day:%B %Y}" for day in days)
        scope = "request in scope was" if len(rows) == 1 else "requests in scope that were"
        yield f"{period}{_up_to(query)} ({query['zone']})" if query["zone"] in available_timezones() else period
        yield f"{scope} submitted from {period}" if rows else "no request in scope was submitted"
    yield from (told["population"]["digest"], sha256(opened.files["audit.json"]))
    if is_english:
        states, kinds = Counter(row["state"] for row in rows.values()), Counter(row["kind"] for row in rows.values())
        done, refused = states["fulfilled"] + states["ended"], states["rejected"] + states["refused"]
        under_way = len(rows) - done - refused - states["withdrawn"] - states["failed"]
        figures = {
            "Requests in scope": len(rows), "Carried out": done, "Rejected or refused": refused,
            "Withdrawn": states["withdrawn"], "Failed": states["failed"], "Still under way": under_way,
            "Approvals": sum(row["approvals"] for row in rows.values()), "Emergencies": kinds["emergency"],
            "Drawn as the sample": sample["size"],
        }
        yield "".join(f"{number:,}{label}" for label, number in figures.items())
    yield from (sample["root"], sample["nonce"], sample["seed"])
    for reference in sample["references"]:
        seal, file = rows[reference]["seal"] or "", digests.get(f"evidence/{reference}.pdf", "")
        yield from (reference, rank(sample["seed"], reference)[:16], seal[7:], file)
    for row in rows.values():
        people = [told["people"].get(row[who], {}).get("name", row[who]) for who in ("requester", "beneficiary")]
        begins = f"{row['reference']}{row['entry']}{row['submitted_at'][:19].replace('T', ' ')}"
        who, votes = list(dict.fromkeys(people)), f"{row['approvals']} / {row['denials']}"
        if is_english:
            offering = told["offerings"].get(row["offering"], row["offering"])
            state = f"{row['kind'].capitalize()}: {WORDS.get(row['state'], row['state'])}"
            begins += f"{offering}, v. {row['version']}{told['units'].get(row['unit'], row['unit'])}"
            yield f"{begins}{' for '.join(who)}{state}{votes}{PROMISES[row['promise']]}"
        else:
            yield from (begins, *who, votes)


class Course:
    """How one request fared, entry by entry."""

    def __init__(self) -> None:
        self.told: Json = {"state": "preparing", "seal": None}  # what its row must tell too
        self.entries: dict[int, tuple[str, datetime]] = {}
        self.votes: dict[Any, tuple[str, set[str]]] = {}  # who stands behind each decision, by revision and person
        self.waiting: set[str] = set()  # the sealed stages that have not agreed
        self.breaches: list[str] = []

    def go_on(self, number: int, body: Json, at: datetime) -> None:
        """One entry more."""
        tag, said, told = body["tag"], body.get("facts") or {}, self.told
        self.entries[number] = tag, at
        again = tag == "request:retried" and "task" not in said
        told["state"] = "scheduled" if again else STATES.get(tag, told["state"])
        if tag in ("request:submitted", "request:edited", "request:prepared"):
            told.update({name: said[name] for name in ("kind", "beneficiary") if name in said})
        vote = (said.get("revision"), said.get("person") or body["actor"])
        if tag == "request:submitted":
            told["requester"] = said["requester"]
        elif tag in ("approval:approved", "approval:denied"):
            self.votes[vote] = (tag, set(filter(None, (body["actor"], said.get("on_behalf_of")))))
        elif tag == "approval:voided":
            self.votes.pop(vote, None)
        elif tag == "request:sealed":
            told["seal"], self.waiting = said.get("seal"), set(said.get("stages") or ())
        elif tag == "stage:approved" and said.get("stage") in self.waiting:
            self.waiting.remove(said["stage"])
            if not self.waiting and told["state"] == "pending":
                told["state"] = "scheduled"
        elif tag in ("fulfilment:started", "request:fulfilled"):
            # What counts is what stood there when the work was done: nothing that was written later excuses it.
            self.breaches += self.breached(told, carried_out=True)

    def breached(self, told: Json, *, carried_out: bool) -> Iterator[str]:
        """What the decisions of now do not allow, by the requester, beneficiary and kind that are told."""
        people = set().union(*(who for tag, who in self.votes.values() if tag == "approval:approved"))
        if people & {told["requester"], told["beneficiary"]}:
            yield "somebody approved what they asked for or receive"
        alone = self.has("request:approved-by-policy", "standing:used", "glass:broken")  # these need no person
        if carried_out and told["kind"] == "normal" and not people and not alone:
            yield "it was carried out, but nobody approved it"

    def has(self, *tags: str) -> list[datetime]:
        """When entries with these tags were written."""
        return [at for tag, at in self.entries.values() if tag in tags]

    def promise(self, row: Json, as_of: datetime) -> str:
        """Whether what was promised was kept."""
        if row["promised_by"] is None:
            return "none"
        promised, done = moment(row["promised_by"]), row["fulfilled_at"]
        if done or self.has("request:promise-missed"):
            return "kept" if done and moment(done) <= promised else "missed"
        if row["state"] in ("rejected", "withdrawn", "refused"):
            return "none"
        return "open" if as_of <= promised else "missed"


class Recount:
    """What ledger.jsonl says of the requests: which were submitted, and how far each came."""

    def __init__(self, told: Json, sampled: Mapping[str, Json]) -> None:
        self.told, self.sampled, self.population = told, sampled, told["population"]["rows"]
        self.withheld, self.is_whole = 0, False
        self.submitted: list[tuple[str, int, Json]] = []
        self.requests = {row["reference"]: Course() for row in self.population}
        self.tags: Counter[str] = Counter()
        self.latest: datetime | None = None  # of the entries so far
        self.backdated: list[str] = []
        self.problems: list[str] = []
        #: Audits for which the word had been said before, so that the portal knew it.
        self.known_word: list[str] = []
        #: Roots by size and leaves by number, where a checkpoint or the sample's evidence states one.
        self.roots: dict[int, bytes] = {}
        self.leaves: dict[int, bytes] = {}

    def read(self, lines: Iterable[bytes], sizes: Iterable[int] = ()) -> None:
        """Every line of the period's ledger, hashed onto the edge before it; the roots at these sizes. Raises Wrong."""
        ledger, stated = self.told["ledger"], [one["ledger"] for one in self.sampled.values()]
        edge, after = Edge(ledger["before"]["size"], ledger["before"]["edge"]), read_head(ledger["after"]["checkpoint"])
        sizes = {*sizes, *(read_head(one["checkpoint"]).size for one in stated)}
        numbers = {entry["number"] for one in stated for entry in one["entries"]}
        self.roots.update(shown_heads(self.told))
        for line in lines:
            number, line = edge.size + 1, line.rstrip(b"\n")
            body = read_json(line)
            if body.get("number") != number:
                raise Wrong(f"ledger.jsonl does not go on with entry {number}: lines were removed, added or exchanged.")
            if "leaf_hash" not in body:
                leaf = leaf_hash(line)
                self._entry(number, body)
            elif self.told["disclosure"] == "scope" and set(body) == {"leaf_hash", "number"}:
                leaf, self.withheld = base64.b64decode(body["leaf_hash"], validate=True), self.withheld + 1
            else:
                raise Wrong(f"Entry {number} is withheld, but the whole ledger was to be disclosed.")
            edge.append(leaf)
            if number in numbers:
                self.leaves[number] = leaf
            if number in sizes:
                self.roots[number] = edge.root()
        if (edge.size, edge.root()) != (after.size, after.root):
            raise Wrong(f"ledger.jsonl ends at entry {edge.size} with another root than the one after the period.")
        self.is_whole = True

    def _entry(self, number: int, body: Json) -> None:
        tag, at, (kind, _, name) = body["tag"], moment(body["at"]), str(body["subject"]).partition(":")
        self.tags[tag] += 1
        if tag in ("audit:counted", "audit:nonce-given") and (kind, name) == ("audit", self.told["reference"]):
            self.problems.append(f"Entry {number} ({tag}): this audit was counted or drawn before, from another head.")
        elif tag == "audit:nonce-given" and body["facts"].get("nonce") == self.told["sample"]["nonce"]:
            self.known_word.append(f"{name} (entry {number})")
        if (kind, tag) == ("request", "request:submitted"):
            self.submitted.append((name, number, body))
            # One that says another time than the entries around it could be moved out of any period.
            if self.latest and at < self.latest - LONGEST_TRANSACTION - CLOCK_SKEW:
                self.backdated.append(f"{name} was submitted, by its own word, long before the entries before it.")
        if kind == "request" and name in self.requests:
            self.requests[name].go_on(number, body, at)
        self.latest = max(self.latest or at, at)

    def evidence(self) -> Iterator[str]:
        """The sample's evidence stands on this very ledger, and the sample was drawn from no other head of it."""
        yield from self.problems
        for reference, one in self.sampled.items():
            head, entries = read_head(one["ledger"]["checkpoint"]), one["ledger"]["entries"]
            leaves = {entry["number"]: leaf_hash(canonical(entry["body"])) for entry in entries}
            # Whether it was made before the period's end or after: all that had happened by then is in it.
            left_out = self.requests[reference].entries.keys() - leaves.keys()
            other = [number for number, leaf in leaves.items() if self.leaves.get(number, leaf) != leaf]
            yield from broken(
                f"The evidence of {reference}",
                (self.roots.get(head.size, head.root) == head.root, "is of another ledger"),
                (not other, f"has other entries than the ledger: {other}"),
                (not left_out, f"leaves entries out: {sorted(left_out)}"),
            )

    def completeness(self) -> Iterator[str]:
        """No request of the period is missing: the references have no gap, and the filter leaves no other out."""
        told, query, stated = self.told, self.told["query"], self.told["completeness"]
        names = ("entry", "submitted_at", "offering", "version", "offering_digest", "unit", "requester")
        rows = {row["reference"]: {name: row[name] for name in names} for row in self.population}
        digests = {row["offering_digest"] for row in self.population}
        begins, until, outside, wanted = moment(query["from"]), moment(query["until"]), 0, {}
        for reference, number, body in self.submitted:
            said = {**body["facts"], "entry": number, "submitted_at": body["at"]}
            inside = begins <= moment(body["at"]) < until
            outside += not inside
            fits = all(not query[f"{part}s"] or said[part] in query[f"{part}s"] for part in ("unit", "offering"))
            # Which controls a version supports that no row has stands in the offering's text, not in the ledger.
            if inside and fits and (not query["controls"] or said["offering_digest"] in digests):
                wanted[reference] = {name: said[name] for name in names}
        for reference in sorted(wanted.keys() - rows.keys()):
            yield f"{reference} was submitted in the period and is in scope, but the population leaves it out."
        for reference, row in rows.items():
            if wanted.get(reference) != row:
                yield f"{reference}: no entry tells that it was submitted so, in the period and in scope."
        yield from self.backdated
        references = [reference for reference, _, _ in self.submitted]
        first = int(stated["previous"][3:]) + 1 if stated["previous"] else 1
        if references != [f"SR-{number:06d}" for number in range(first, first + len(references))]:
            yield "The references of the ledger's submissions have a gap, or one stands twice."
        if told["ledger"]["before"]["size"] == 0 and stated["previous"]:
            yield "A reference is said to lie before the ledger's first entry."
        ends = {"first": references[0], "last": references[-1]} if references else {"first": None, "last": None}
        counts = {"submissions": len(references), "outside_period": outside}
        counts["outside_filter"] = len(references) - outside - len(rows)
        yield from differing("The ledger", stated, {**ends, **counts})
        if told["withheld"] != self.withheld:
            yield f"{self.withheld} lines of the ledger are withheld, not {told['withheld']}."

    def rows(self) -> Iterator[str]:
        """Every row tells the state, the decisions and the times that the ledger's entries tell."""
        for row in self.population:
            one = self.requests[row["reference"]]
            if not one.entries:
                continue  # which is told by the one before
            votes = Counter(tag for tag, _ in one.votes.values())
            follows = {name: one.told.get(name) for name in ("state", "kind", "beneficiary")}
            follows.update(approvals=votes["approval:approved"], denials=votes["approval:denied"])
            follows.update(seal=row["seal"] and one.told["seal"], promise=one.promise(row, moment(self.told["as_of"])))
            yield from differing(f"{row['reference']} in the ledger", row, follows)
            done, times = one.has("request:fulfilled")[-1:], [at for _, at in one.entries.values()]
            if done and not row["fulfilled_at"]:
                yield f"{row['reference']}: the ledger tells that it was fulfilled."
            for part, when in (("fulfilled_at", done), ("decided_at", times), ("closed_at", times)):
                if row[part] and not any(abs(at - moment(row[part])) <= LONGEST_TRANSACTION for at in when):
                    yield f"{row['reference']}: the ledger does not tell that it was {part[:-3]} when the row says."

    def duties(self) -> Iterator[str]:
        """Nobody approved what they asked for or receive, and nothing was carried out without a word that allows it."""
        for row in self.population:
            one = self.requests[row["reference"]]
            if one.entries:
                breaches = [*one.breaches, *one.breached(row, carried_out=bool(row["fulfilled_at"]))]
                yield from (f"{row['reference']}: {breach}." for breach in breaches)

    def figures(self) -> Iterator[str]:
        """The figures of duties, timeliness, controls and logging are those that rows and ledger give."""
        rows, sections = self.population, self.told["sections"]
        if sections.get("duties"):
            counts = {"requests": len(rows), "approvals": sum(row["approvals"] for row in rows)}
            yield from differing("Segregation of duties, by the rows,", sections["duties"], counts)
        for part in ("offering", "unit") if "timeliness" in sections else ():
            kept = Counter((row[part], row["promise"]) for row in rows)
            slugs = sorted({slug for slug, _ in kept})
            lines = [{"slug": slug, **{name: kept[slug, name] for name in PROMISES}} for slug in slugs]
            if sorted(sections["timeliness"][f"{part}s"], key=lambda line: str(line["slug"])) != lines:
                yield f"The chapter on timeliness counts promises by {part} otherwise than the rows do."
        if "controls" in sections:
            supports = Counter(control for row in rows for control in row["controls"])
            carried_out = [row for row in rows if row["state"] in ("fulfilled", "ended")]
            done = Counter(control for row in carried_out for control in row["controls"])
            lines = sections["controls"]["lines"]
            stated = {f"{one['framework']} {one['control']}": (one["requests"], one["carried_out"]) for one in lines}
            if stated != {control: (count, done[control]) for control, count in supports.items()}:
                yield "The control matrix counts other requests than the rows do."
        logged = sections.get("logging") if not self.withheld else None
        if logged and ({line["tag"]: line["entries"] for line in logged["tags"]} != self.tags or logged["missing"]):
            yield "The chapter on logging counts other entries than the ledger has."


# ---- 11. A bundle: a ZIP file or the folder into which it was unpacked ------------------------------------------------

#: Members that no signature covers; the others are named in audit.json with their digests.
UNLISTED = ("README.txt", "audit.json", "report.pdf", "verify.py")
#: What members are called: no such name leads out of a folder, and no two of them are one name on some machine.
_MEMBER = re.compile(
    r"README\.txt|audit\.(schema\.)?json|ledger\.jsonl|population\.(csv|xlsx)|report\.pdf|sample\.csv|verify\.py"
    r"|checkpoints/(before|after|made)\.note|evidence/SR-[0-9]{6,}\.pdf|tables/[a-z][a-z_.]*\.csv"
)


class Bundle:
    """The members by name, with their sizes. Raises Wrong for what a bundle never is."""

    def __init__(self, path: Path) -> None:
        self.path, self.zip = path, None if path.is_dir() else _archive(path)
        self.progress: Callable[[str], None] = lambda _: None
        self.sizes = {one.orig_filename: one.file_size for one in self.zip.infolist()} if self.zip else {}
        for one in () if self.zip else path.rglob("*"):
            kind, size = one.lstat().st_mode, one.lstat().st_size
            if not stat.S_ISDIR(kind):  # a link, a pipe and a device count as larger than any member
                self.sizes[one.relative_to(path).as_posix()] = size if stat.S_ISREG(kind) else LARGEST_MEMBER + 1
        for name, size in self.sizes.items():
            if not _MEMBER.fullmatch(name) or size > LARGEST_MEMBER:
                raise Wrong(f"The bundle has a member that no bundle has: {name[:80]!r}.")

    def chunks(self, name: str) -> Iterator[bytes]:
        """The member piece by piece."""
        if name not in self.sizes:
            raise Wrong(f"The bundle has no {name}.")
        self.progress(name)
        try:
            with self.zip.open(name) if self.zip else (self.path / name).open("rb") as stream:
                while piece := stream.read(1 << 20):
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise Wrong(f"{name} cannot be read: the bundle is damaged.") from error

    def read(self, name: str) -> bytes:
        """The whole member. Raises Wrong when it is too large to be what it should be."""
        if self.sizes.get(name, 0) > LARGEST_PDF:
            raise Wrong(f"{name} is larger than it can be.")
        return b"".join(self.chunks(name))

    def lines(self, name: str) -> Iterator[bytes]:
        """The member's lines; a single one may not grow without end."""
        rest = b""
        for piece in self.chunks(name):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
            if len(rest) > 1 << 24:
                raise Wrong(f"{name} has a line that is longer than any entry.")
        if rest:
            raise Wrong(f"{name} was cut off.")


def _archive(path: Path) -> zipfile.ZipFile:
    """A ZIP file (APPNOTE 4.3) that is, but for what is packed, as Countersign writes it, byte for byte. Raises Wrong.

    A member's header leaves only its time, checksum, sizes and name free, and the directory repeats it word for word:
    so every program sees the same members.
    """
    directory, at, last, ours = [], 0, b"", path.stat().st_size < 1 << 31
    try:
        with path.open("rb") as file:
            while ours and (head := file.read(30))[:4] == b"PK\x03\x04":
                packed, size, named = struct.unpack("<18xLLH2x", head)
                name = file.read(named)
                # Version 2.0, no flags, deflated, nothing further; in order, and not packed to less than a thousandth.
                ours = (head[4:10], head[28:]) == (b"\x14\0\0\0\x08\0", b"\0\0") and last < name
                ours = ours and size <= max(1 << 20, 1_000 * packed)
                # Made on Unix, where it was a plain file that everybody may read.
                directory.append(b"PK\x01\x02\x14\x03" + head[4:] + struct.pack("<6xLL", 0o100644 << 16, at) + name)
                at, last = at + 30 + named + packed, name
                file.seek(at)
            count, length = len(directory), sum(map(len, directory))
            end = b"".join(directory) + struct.pack("<4s4xHHLLH", b"PK\x05\x06", count, count, length, at, 0)
            if ours and head + file.read(len(end)) == end:
                return zipfile.ZipFile(path)
    except (struct.error, zipfile.BadZipFile, OSError):
        pass
    raise Wrong("This is no ZIP file as Countersign writes it. What was packed otherwise, give as a folder.")


def _sampled(name: str, content: bytes, trusted: Trusted, result: Result) -> Json | None:
    """One evidence file by this verifier's own checks; told of it is what does not hold, or what was erased."""
    inner = Result(name)
    told = check_pdf(content, trusted, inner)
    for check, holds, sentence in inner.checks:
        if holds is False or (holds is None and check in ("record", "erased", "signature")):
            result.checks.append(("evidence", holds, f"{name}, {check}: {sentence}"))
    return told if inner.holds else None


def check_bundle(
    bundle: Bundle,
    trusted: Trusted,
    result: Result,
    check_sampled: Callable[[str, bytes, Trusted, Result], Json | None] = _sampled,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Everything in a bundle. `check_sampled` may take the place of this verifier's own check of an evidence file."""
    bundle.progress = progress
    opened = open_pdf(bundle.read("report.pdf"), trusted, result)
    if opened is None or opened.name != "audit.json":
        result.bad("bundle", "report.pdf is not an audit report that holds, so nothing else in the bundle counts.")
        return
    told = opened.told
    check_report(opened, trusted, result)
    sampled: dict[str, Json] = {}
    recount = Recount(told, sampled)

    def recounted() -> None:
        recount.read(bundle.lines("ledger.jsonl"), (head.size for head in trusted.kept))
        count = told["ledger"]["after"]["size"] - told["ledger"]["before"]["size"]
        said = f"ledger.jsonl is all {count} entries between the two checkpoints, and the evidence stands on it."
        result.judge("ledger", said, recount.evidence())

    run_checks([("members", lambda: result.judge("members", _members.__doc__ or "", _members(bundle, opened)))], result)
    run_checks([("evidence", lambda: sampled.update(_evidence(bundle, told, trusted, result, check_sampled)))], result)
    run_checks([("ledger", recounted)], result)
    if recount.is_whole:
        for rules in (recount.completeness, recount.rows, recount.duties, recount.figures):
            name = rules.__name__
            run_checks([(name, lambda: result.judge(name, rules.__doc__ or "", rules()))], result)
        check_kept(trusted.kept, told["ledger"]["origin"], recount.roots, result)
        if told["query"]["controls"]:
            said = "What a version supports stands in its text, not in the ledger: that none which supports the controls"
            result.open("scope", f"{said} that were asked for is missing is the portal's word.")
        if recount.withheld:
            said = "entries are withheld: that none of them is about a request in scope is the portal's word."
            result.open("scope", f"{recount.withheld} {said}")
        if recount.known_word:
            said = f"had been said before, for {recount.known_word[0]}: the portal knew it."
            result.open("word", f"The word of this draw {said}")
    result.open(
        "tables",
        "population.xlsx, tables/ and the chapters whose figures are not in the ledger say what the report's signer "
        "says; countersign verify makes pages and tables again from the facts.",
    )
    same = "verify.py" in bundle.sizes and bundle.read("verify.py") == Path(__file__).read_bytes()
    running = "but verify.py is the one that is running" if same else "and the verify.py that is running is another one"
    result.open("unsigned", f"README.txt and verify.py in the bundle are covered by no signature, {running}.")


def _members(bundle: Bundle, opened: Opened) -> Iterator[str]:
    """Every member of the bundle is the one that the report names."""
    told = opened.told
    expected = {"audit.json": opened.files["audit.json"], **_tables(told)}
    for name in ("before", "after", "made"):
        if told["ledger"][name]["checkpoint"] is not None:
            expected[f"checkpoints/{name}.note"] = told["ledger"][name]["checkpoint"].encode()
    drawn = [f"evidence/{reference}.pdf" for reference in told["sample"]["references"]]
    every = {*UNLISTED, *expected, *drawn, "audit.schema.json", "ledger.jsonl", "population.xlsx"}
    listed = {one["name"]: (one["digest"], one["bytes"]) for one in told["files"]}
    named = Counter([*UNLISTED, *(one["name"] for one in told["files"])])
    for name in sorted({*every, *named, *bundle.sizes}):
        if name not in bundle.sizes:
            yield f"The bundle lacks {name}."
        elif named[name] != 1:
            yield f"The bundle has {name}, which the report does not name, or names twice."
        elif name not in every and not name.startswith("tables/"):
            yield f"The report names {name}, which no bundle has."
        else:
            hashed = hashlib.sha256()
            for piece in bundle.chunks(name):
                hashed.update(piece)
            found = f"sha256:{hashed.hexdigest()}"
            if name in listed and listed[name] != (found, bundle.sizes[name]):
                yield f"{name} is not the file that the report names."
            if name in expected and sha256(expected[name]) != found:
                yield f"{name} tells something else than the report's facts."


_REGISTER = (
    "reference", "entry", "submitted_at", "offering", "version", "unit", "kind", "state", "requester", "requester_name",
    "beneficiary", "beneficiary_name", "decided_at", "fulfilled_at", "closed_at", "promised_by", "promise", "approvals",
    "denials", "seal", "controls", "offering_digest",
)


def _tables(told: Json) -> dict[str, bytes]:
    """population.csv: the rows of the facts, people with their names; and sample.csv: what was drawn, with its rank."""
    digests, seed = {one["name"]: one["digest"] for one in told["files"]}, told["sample"]["seed"]
    register: list[Sequence[Any]] = [_REGISTER]
    for row in told["population"]["rows"]:
        shown = {**row, "controls": "; ".join(row["controls"])}
        for who in ("requester", "beneficiary"):
            shown[f"{who}_name"] = told["people"].get(row[who], {}).get("name", "")
        register.append([shown[column] for column in _REGISTER])
    sample: list[Sequence[Any]] = [("drawn", "reference", "rank", "evidence", "digest")]
    for number, one in enumerate(told["sample"]["references"], 1):
        sample.append((number, one, rank(seed, one), f"evidence/{one}.pdf", digests.get(f"evidence/{one}.pdf", "")))
    return {"population.csv": _csv(register), "sample.csv": _csv(sample)}


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """RFC 4180, in UTF-8 with its mark; what a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO(newline="")
    for row in rows:
        shown = [f"'{one}" if str(one).startswith(("=", "+", "-", "@", "\t", "\r")) else one for one in row]
        csv.writer(out).writerow(shown)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _proven(told: Json, trusted: Trusted, result: Result) -> Trusted:
    """What evidence may be signed with: where the report is whose it should be, any key of its ledger.

    A file that was made before the key was changed is signed by the key of then, which handed over.
    """
    if not any(name in ("ledger-key", "given-certificate") and holds for name, holds, _ in result.checks):
        return trusted
    present, earlier = proven_keys(told["ledger"], told["ledger"]["made"]["checkpoint"])
    return trusted.knowing([*present, *earlier])


def _evidence(bundle: Bundle, told: Json, trusted: Trusted, result: Result, check: Callable[..., Any]) -> Json:
    """Each sampled request's file: it holds, is of this ledger, and says of the request what its row says."""
    rows, found = {row["reference"]: row for row in told["population"]["rows"]}, {}
    trusted = _proven(told, trusted, result)
    for reference in told["sample"]["references"]:
        name, row = f"evidence/{reference}.pdf", rows[reference]
        evidence = check(name, bundle.read(name), trusted, result)
        if evidence is None:
            continue
        ledger, controls = evidence["ledger"], evidence["controls"].items()
        said = {**evidence["request"], "reference": evidence["reference"], "origin": ledger["origin"]}
        # The row has the time of its entry, which was written in the same transaction.
        if abs(moment(said["submitted_at"]) - moment(row["submitted_at"])) <= LONGEST_TRANSACTION:
            said["submitted_at"] = row["submitted_at"]
        said["ledger_key"] = ledger["verifier"] in told["ledger"]["verifiers"]
        said["offering_digest"] = evidence["offering"]["digest"]
        said["controls"] = sorted(f"{framework} {one}" for framework, ids in controls for one in ids)
        names = ["reference", "offering_digest", "requester", "submitted_at"]
        names += ["state"] if moment(evidence["as_of"]) <= moment(told["as_of"]) else []
        wanted = {**{part: row[part] for part in names}, "controls": sorted(row["controls"]), "ledger_key": True}
        problems = list(differing(name, said, {**wanted, "origin": told["ledger"]["origin"]}))
        result.checks += [("evidence", False, problem) for problem in problems]
        if not problems:
            found[reference] = evidence
    if len(found) == len(told["sample"]["references"]):
        result.good("evidence", f"All {len(found)} sampled requests' evidence is there, holds and fits the population.")
    return found


# ---- 12. From the command line ---------------------------------------------------------------------------------------


def check_path(path: Path, trusted: Trusted, progress: Callable[[str], None] = lambda _: None) -> Result:
    """A PDF file, a bundle or a folder. Raises OSError when it cannot be read; whatever it holds, nothing else."""
    result = Result(path.name)
    packed = False
    if not path.is_dir():
        with path.open("rb") as file:
            packed = file.read(4) == b"PK\x03\x04"
    try:
        if packed or path.is_dir():
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
    about = (__doc__ or "").split("\n\n")
    parser = argparse.ArgumentParser(description=about[0], epilog=" ".join(about[2].split()))
    parser.add_argument("file", type=Path, help="a PDF file, a bundle, or the folder into which it was unpacked")
    parser.add_argument("--key", action="append", default=[], help="what you were given by another way than the file")
    kept = "a checkpoint of the ledger that you keep"
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, help=kept)
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    asked = parser.parse_args(arguments)

    def put(line: str) -> None:  # what a hostile file says must not steer the terminal
        print("".join(one if one.isprintable() else "?" for one in line))

    def progress(name: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{name[:70]}", end="", file=sys.stderr, flush=True)

    try:
        result = check_path(asked.file, Trusted.of(asked.key, asked.checkpoint), progress)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"{asked.file} cannot be read: {error.strerror}.")
    progress("")
    if asked.json:
        told = {name: getattr(result, name) for name in ("file", "reference", "claim", "holds", "proven", "verdict")}
        told["checks"] = [{"name": name, "holds": holds, "sentence": said} for name, holds, said in result.checks]
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for _, holds, sentence in result.checks:
            put({True: "✓ ", False: "✗ ", None: "? "}[holds] + sentence)
        if result.claim and result.holds:
            put("")
            put(f"{result.reference}: {result.claim}")
        put("")
        put(result.verdict)
    return 0 if result.holds else 1


if __name__ == "__main__":
    sys.exit(main())
