"""Reading a request: what is accepted, and the sentence for each thing that is not."""

from __future__ import annotations

import base64
import ipaddress
import math
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from catalog.fulfilment.connectors.ca import CsrError, read_csr, read_csr_bytes
from tests.catalog.fulfilment.connectors.requests import key_of, make_csr

GOOD = make_csr("www.meridian.example", "meridian.example", common_name="www.meridian.example")


def der_of(pem: str) -> bytes:
    return x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER)


def refusal(pem: str) -> str:
    with pytest.raises(CsrError) as raised:
        read_csr(pem)
    assert str(raised.value) == raised.value.message
    return raised.value.message


def openssl(folder: Path, *arguments: str) -> str:
    """A request made by the openssl command with a new key."""
    made = subprocess.run(
        ["openssl", "req", "-new", "-nodes", "-keyout", "/dev/null", "-out", "made.csr", *arguments],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr.decode()
    return (folder / "made.csr").read_text()


def test_a_request_of_the_openssl_command_is_read(tmp_path: Path) -> None:
    pem = openssl(
        tmp_path,
        *("-newkey", "rsa:3072", "-sha256", "-subj", "/O=Meridian/CN=WWW.meridian.example"),
        *("-addext", "subjectAltName=DNS:www.meridian.example,DNS:api.meridian.example,IP:10.1.2.3"),
    )
    facts = read_csr(pem)
    assert facts.names == ("www.meridian.example", "api.meridian.example", "10.1.2.3")
    assert facts.common_name == "www.meridian.example"
    assert (facts.key_kind, facts.key_bits, facts.signature) == ("RSA", 3072, "SHA-256")
    assert facts.left_out == ("O=Meridian",)
    assert not facts.wildcard
    assert len(facts.spki_sha256) == len(facts.sha256) == 64


@pytest.mark.parametrize(
    ("key", "digest", "kind"),
    [
        (key_of("rsa2048"), hashes.SHA256(), ("RSA", 2048, "SHA-256")),
        (key_of("p256"), hashes.SHA256(), ("ECDSA P-256", 256, "SHA-256")),
        (key_of("p384"), hashes.SHA384(), ("ECDSA P-384", 384, "SHA-384")),
        (key_of("p256"), hashes.SHA512(), ("ECDSA P-256", 256, "SHA-512")),
        (ed25519.Ed25519PrivateKey.generate(), None, ("Ed25519", 256, "Ed25519")),
    ],
)
def test_keys_that_are_accepted(key: object, digest: object, kind: tuple[str, int, str]) -> None:
    facts = read_csr(make_csr("www.meridian.example", key=key, digest=digest))
    assert (facts.key_kind, facts.key_bits, facts.signature) == kind


def test_the_openssl_digest_of_the_public_key_is_the_one_shown(tmp_path: Path) -> None:
    (tmp_path / "r.csr").write_text(GOOD)
    command = (
        "openssl req -in r.csr -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r"
    )
    shown = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, check=True, text=True, timeout=60
    )
    assert shown.stdout.split()[0] == read_csr(GOOD).spki_sha256


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "Certificate Request:\n    Data:\n        Version: 1 (0x0)\n" + GOOD,
        GOOD + "\n-- \nDaniel\n",
        "\ufeff" + GOOD,
        GOOD.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
        "  " + GOOD.replace("\n", "\n  "),
        GOOD.replace("\n", "\n\n"),
    ],
    ids=["crlf", "leading text", "trailing text", "byte order mark", "old label", "indented", "blank lines"],
)
def test_the_same_request_in_other_clothes_has_the_same_facts(text: str) -> None:
    assert read_csr(text) == read_csr(GOOD)


def test_an_upload_may_be_pem_or_der() -> None:
    assert read_csr_bytes(GOOD.encode()) == read_csr(GOOD)
    assert read_csr_bytes(der_of(GOOD)) == read_csr(GOOD)


# --- Weak and foreign keys


def test_rsa_with_1024_bits_is_refused(tmp_path: Path) -> None:
    pem = openssl(
        tmp_path, "-newkey", "rsa:1024", "-subj", "/CN=a.example", "-addext", "subjectAltName=DNS:a.example"
    )
    assert refusal(pem) == (
        "The RSA key has 1024 bits, which is too short. Make a new key: "
        "RSA with 2048 to 4096 bits, ECDSA P-256 or P-384, or Ed25519."
    )


def test_rsa_with_the_exponent_3_is_refused(tmp_path: Path) -> None:
    pem = openssl(
        tmp_path,
        *("-newkey", "rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3", "-subj", "/CN=a.example"),
        *("-addext", "subjectAltName=DNS:a.example"),
    )
    assert refusal(pem) == "The RSA key has the public exponent 3. Make a new key with the exponent 65537."


def test_rsa_with_more_than_4096_bits_is_refused() -> None:
    key = rsa_of((2**2203 - 1, 2**2281 - 1))  # Mersenne primes, as large primes are slow to find
    assert refusal(make_csr("a.example", key=key)) == (
        "The RSA key has 4484 bits, which is more than servers support. "
        "Use RSA with 2048 to 4096 bits, ECDSA P-256 or P-384, or Ed25519."
    )


def test_rsa_whose_primes_are_close_is_refused() -> None:
    first = next_prime(3 << 1022)
    key = rsa_of((first, next_prime(first + 2)))
    assert refusal(make_csr("a.example", key=key)) == (
        "The RSA key is broken: its factors can be found. Make a new key with a current tool."
    )


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256K1()),
        ec.generate_private_key(ec.SECP521R1()),
        dsa.generate_private_key(2048),
    ],
    ids=["secp256k1", "P-521", "DSA"],
)
def test_other_kinds_of_keys_are_refused(key: object) -> None:
    assert refusal(make_csr("a.example", key=key)) == (
        "The key in the request is of a kind that is not accepted. "
        "Use RSA with 2048 to 4096 bits, ECDSA P-256 or P-384, or Ed25519."
    )


def test_ed448_is_refused() -> None:
    pem = make_csr("a.example", key=ed448.Ed448PrivateKey.generate(), digest=None)
    assert "of a kind that is not accepted" in refusal(pem)


def test_a_curve_with_its_parameters_written_out_is_refused(tmp_path: Path) -> None:
    pem = openssl(
        tmp_path,
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"),
        *("-subj", "/CN=a.example", "-addext", "subjectAltName=DNS:a.example"),
    )
    assert "encoded in an unusual way" in refusal(pem)


# --- Signatures


@pytest.mark.parametrize(("digest", "name"), [("sha1", "SHA-1"), ("md5", "MD5")])
def test_an_outdated_signature_is_refused(tmp_path: Path, digest: str, name: str) -> None:
    pem = openssl(
        tmp_path,
        *(
            "-newkey",
            "rsa:2048",
            f"-{digest}",
            "-subj",
            "/CN=a.example",
            "-addext",
            "subjectAltName=DNS:a.example",
        ),
    )
    assert refusal(pem) == (
        f"The request is signed with {name}, which is no longer safe. "
        "Make it again with SHA-256: openssl req -new -sha256 …"
    )


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
def test_a_signature_that_does_not_fit_is_refused(kind: str) -> None:
    der = bytearray(der_of(make_csr("www.meridian.example", key=key_of(kind))))
    position = bytes(der).index(b"www.meridian.example")
    der[position : position + 3] = b"xxx"
    with pytest.raises(CsrError) as raised:
        read_csr_bytes(bytes(der))
    assert raised.value.message == (
        "The request's signature does not fit its key: it was changed or damaged after it was made. "
        "Make it again and paste it whole."
    )


# --- Names


def test_a_common_name_that_is_not_among_the_alternative_names_is_refused() -> None:
    assert refusal(make_csr("a.example", common_name="b.example")) == (
        "The common name (CN) “b.example” is not among the alternative names (a.example). "
        "Add it there, or leave the common name out."
    )


def test_a_request_without_alternative_names_is_refused() -> None:
    assert refusal(make_csr(common_name="a.example")) == (
        "The request holds no subject alternative names, which browsers read instead of the common name. "
        "Make it again, for example with: openssl req … -addext subjectAltName=DNS:www.example.com"
    )


@pytest.mark.parametrize("address", ["10.1.2.3", "2001:db8::1"])
def test_an_ip_address_as_common_name_is_refused(address: str) -> None:
    entry = x509.IPAddress(ipaddress.ip_address(address))
    assert refusal(make_csr(common_name=address, alternatives=(entry,))) == (
        f"The common name (CN) is the IP address {address}. Put a DNS name there or leave it out, "
        "and give the address as an alternative name only."
    )


def test_two_common_names_are_refused() -> None:
    second = x509.NameAttribute(NameOID.COMMON_NAME, "b.example")
    pem = make_csr("a.example", "b.example", common_name="a.example", subject=(second,))
    assert refusal(pem) == "The subject holds more than one common name (CN). Keep one, or none."


def test_a_request_without_a_common_name_is_read() -> None:
    facts = read_csr(make_csr("b.example", "a.example", "2001:0db8::0001"))
    assert facts.common_name == ""
    assert facts.names == ("a.example", "b.example", "2001:db8::1")


def test_a_wildcard_is_flagged() -> None:
    assert read_csr(make_csr("*.meridian.example")).wildcard
    assert read_csr(make_csr("*.meridian.example")).names == ("*.meridian.example",)
    assert not read_csr(make_csr("star.meridian.example")).wildcard


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("www.*.example", "“www.*.example” has a star inside. A star may only stand for the whole first part: *.example.com."),
        ("w*.meridian.example", "“w*.meridian.example” has a star inside. A star may only stand for the whole first part: *.example.com."),
        ("*.*.example", "“*.*.example” has a star inside. A star may only stand for the whole first part: *.example.com."),
        ("*", "“*” has a star inside. A star may only stand for the whole first part: *.example.com."),
        ("*.example", "“*.example” would stand for a whole top-level domain. Name the domain: *.example.com."),
        ("intranet", "“intranet” is not a full name. Write it with its domain, for example www.example.com."),
        ("", "“” is not a full name. Write it with its domain, for example www.example.com."),
        ("a_b.example", "“a_b.example” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        ("a..example", "“a..example” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        ("www.example.", "“www.example.” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        ("-a.example", "“-a.example” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        ("a.example/x", "“a.example/x” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        ("a.example\x00.evil.example", "“a.example\x00.evil.example” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        ("https://a.example", "“https://a.example” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        ("xn--zz--a.example", "“xn--zz--a.example” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        ("1.2.3.4.5", "“1.2.3.4.5” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        ("10.1.2.3", "“10.1.2.3” is an IP address in the place of a DNS name. Write it as an IP entry: IP:10.1.2.3."),
        (f"{'a' * 64}.example", f"“{'a' * 64}.example” is not a DNS name. Use letters, digits and hyphens between the dots: www.example.com."),
        (f"{'a.' * 125}example", f"A name is longer than 253 characters: “{'a.' * 30}…”. Use a shorter one."),
    ],
)  # fmt: skip
def test_a_name_that_is_not_a_full_dns_name_is_refused(name: str, sentence: str) -> None:
    assert refusal(make_csr(alternatives=(x509.DNSName._init_without_validation(name),))) == sentence


def test_a_name_with_letters_beyond_ascii_becomes_an_a_label(tmp_path: Path) -> None:
    pem = openssl(
        tmp_path,
        *("-newkey", "rsa:2048", "-utf8", "-subj", "/CN=BÜCHER.example"),
        *("-addext", "subjectAltName=DNS:bücher.example,DNS:xn--strae-oqa.example"),
    )
    facts = read_csr(pem)
    assert facts.common_name == "xn--bcher-kva.example"
    assert facts.names == ("xn--bcher-kva.example", "xn--strae-oqa.example")


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (x509.RFC822Name("daniel@meridian.example"), "a mail address"),
        (x509.UniformResourceIdentifier("https://meridian.example/"), "a web address"),
        (x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])), "a directory name"),
        (x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")), "a network"),
        (x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01x"), "another kind"),
    ],
)
def test_other_kinds_of_alternative_names_are_refused(entry: x509.GeneralName, kind: str) -> None:
    assert refusal(make_csr("a.example", alternatives=(entry,))) == (
        f"The request holds a name that is neither a DNS name nor an IP address ({kind}). "
        "A server certificate carries those two only; leave the other out."
    )


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "::"])
def test_an_address_that_no_server_has_is_refused(address: str) -> None:
    entry = x509.IPAddress(ipaddress.ip_address(address))
    assert refusal(make_csr(alternatives=(entry,))) == (
        f"{address} is not the address of one server. Give the address under which the server is reached."
    )


def test_more_than_a_hundred_names_are_refused() -> None:
    assert refusal(make_csr(*(f"h{n}.example" for n in range(101)))) == (
        "The request holds 101 names; 100 are the most. Split it."
    )


def test_a_request_for_an_authority_is_refused(tmp_path: Path) -> None:
    pem = openssl(
        tmp_path,
        *("-newkey", "rsa:2048", "-subj", "/CN=a.example", "-addext", "subjectAltName=DNS:a.example"),
        *("-addext", "basicConstraints=CA:TRUE"),
    )
    assert refusal(pem) == (
        "The request asks for the right to issue certificates (CA:TRUE). A server needs none; leave it out."
    )


# --- What is not a request

PRIVATE = (
    "This is a private key. Never give it to anybody: treat it as disclosed, make a new key, and paste only the "
    "certificate signing request. It begins with -----BEGIN CERTIFICATE REQUEST-----."
)


@pytest.mark.parametrize(
    "pem",
    [
        key_of("p256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key_of("p256").private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        key_of("rsa2048").private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        key_of("p256").private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        key_of("p256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")),
    ],
    ids=["pkcs8", "ec", "rsa", "openssh", "encrypted"],
)
def test_a_private_key_is_refused_loudly(pem: bytes) -> None:
    assert refusal(pem.decode()) == PRIVATE
    assert refusal(GOOD + pem.decode()) == PRIVATE


def test_an_uploaded_private_key_in_der_is_refused_loudly() -> None:
    der = key_of("p256").private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(CsrError) as raised:
        read_csr_bytes(der)
    assert raised.value.message == PRIVATE


def test_a_certificate_is_not_a_request() -> None:
    text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert refusal(text) == (
        "This is a certificate, not a request for one. Paste the certificate signing request. "
        "It begins with -----BEGIN CERTIFICATE REQUEST-----."
    )


@pytest.mark.parametrize(
    "text", ["hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "\x00\x01"]
)
def test_junk_is_refused(text: str) -> None:
    assert refusal(text) == (
        "There is no certificate signing request in the text. It begins with -----BEGIN CERTIFICATE REQUEST-----."
    )


@pytest.mark.parametrize("text", ["", "  \n "])
def test_nothing_is_refused(text: str) -> None:
    assert refusal(text) == (
        "Paste the certificate signing request. It begins with -----BEGIN CERTIFICATE REQUEST-----."
    )


def test_half_a_request_is_refused() -> None:
    assert refusal(GOOD[: len(GOOD) // 2]) == (
        "The certificate signing request is not whole. Paste all of it, with its first and last line."
    )


@pytest.mark.parametrize("inside", ["", "AAAA", "not base64!", base64.b64encode(der_of(GOOD)[:-1]).decode()])
def test_a_damaged_request_is_refused(inside: str) -> None:
    text = f"-----BEGIN CERTIFICATE REQUEST-----\n{inside}\n-----END CERTIFICATE REQUEST-----"
    assert refusal(text) == (
        "The certificate signing request cannot be read: it is damaged or not whole. "
        "Make it again and paste all of it."
    )


def test_two_requests_at_once_are_refused() -> None:
    assert refusal(GOOD + GOOD) == (
        "There are 2 certificate signing requests in the text. Send one at a time."
    )


def test_more_than_16_kib_is_refused() -> None:
    sentence = (
        "The certificate signing request is larger than 16 KiB. Send the request alone, without other files."
    )
    assert refusal(GOOD + " " * (16 * 1024 - len(GOOD) + 1)) == sentence
    assert read_csr(GOOD + " " * (16 * 1024 - len(GOOD))) == read_csr(GOOD)
    with pytest.raises(CsrError) as raised:
        read_csr_bytes(b"\x30" * (16 * 1024 + 1))
    assert raised.value.message == sentence


@given(st.binary(max_size=400))
def test_no_bytes_make_reading_fail_in_another_way(content: bytes) -> None:
    with pytest.raises(CsrError):
        read_csr_bytes(content)


@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
def test_a_request_with_any_one_bit_changed_is_refused_in_words(kind: str) -> None:
    whole = der_of(make_csr("www.meridian.example", common_name="www.meridian.example", key=key_of(kind)))
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CsrError):
            read_csr_bytes(bytes(changed))


# --- Keys that no current tool would make


def next_prime(start: int) -> int:
    candidate = start | 1
    while any(candidate % small == 0 for small in (3, 5, 7, 11, 13)) or pow(2, candidate - 1, candidate) != 1:
        candidate += 2
    return candidate


def rsa_of(primes: tuple[int, int]) -> rsa.RSAPrivateKey:
    """A working key of two given primes, the exponent 65537."""
    p, q = primes
    d = pow(65537, -1, math.lcm(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return numbers.private_key()
