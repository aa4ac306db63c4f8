"""The keys that an auditor brings."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from portal.audit.notes import fingerprint, read_verifier_key
from reports.evidence.verify import Trusted, verify_content
from reports.evidence.verify.trusted import plain
from tests.reports.conftest import Genuine


def test_a_key_is_known_in_every_form_in_which_it_is_handed_over(tmp_path: Path, genuine: Genuine) -> None:
    _, key = read_verifier_key(genuine.verifier)
    printed = fingerprint(key)
    file = tmp_path / "key.txt"
    file.write_text(genuine.verifier + "\n")
    for value in (
        genuine.verifier,
        printed,
        printed.upper(),
        plain(printed),
        f"sha256:{plain(printed)}",
        str(file),
    ):
        assert Trusted.of([value]).has_ledger_key(key)
        assert not Trusted.of([value]).has_certificate(genuine.key.certificate)


def test_so_is_a_certificate(tmp_path: Path, genuine: Genuine) -> None:
    file = tmp_path / "pdf-signing.crt"
    file.write_bytes(genuine.key.certificate.public_bytes(Encoding.PEM))
    digits = plain(genuine.key.fingerprint)
    colons = ":".join(digits[start : start + 2] for start in range(0, 64, 2))
    for value in (genuine.key.fingerprint, colons.upper(), str(file)):
        assert Trusted.of([value]).has_certificate(genuine.key.certificate)


@pytest.mark.parametrize(
    "value", ["", "nonsense", "ab" * 31, "a+b", "a+00000000+AAAA", "/etc", "missing.pem"]
)
def test_anything_else_is_refused_with_a_sentence(value: str) -> None:
    with pytest.raises(ValueError, match=r"key|hash"):
        Trusted.of([value])


def test_one_key_that_fits_is_enough(genuine: Genuine) -> None:
    assert verify_content(genuine.content, trusted=Trusted.of(["0" * 64, genuine.verifier])).proven


def test_the_certificate_alone_does_not_prove_the_ledger(genuine: Genuine) -> None:
    result = verify_content(genuine.content, trusted=Trusted.of([genuine.key.fingerprint]))
    assert result.holds
    assert not result.proven
