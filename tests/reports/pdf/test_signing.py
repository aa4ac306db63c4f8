"""Signing PDF files, and the key that does it."""

from __future__ import annotations

import stat
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from portal.core.errors import SettingsError
from reports.pdf.keys import CERTIFICATE_FILE, KEY_FILE, PdfKey, fingerprint_of, load_or_create_pdf_key
from reports.pdf.render import render
from reports.pdf.signing import sign
from tests.fixtures_servers import required

AT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


def key_in(folder: Path) -> PdfKey:
    return load_or_create_pdf_key(folder, name="portal.test", at=AT)


@pytest.fixture(scope="module")
def plain() -> bytes:
    html = "<!DOCTYPE html><html lang='en'><head><title>x</title></head><body><p>x</p></body></html>"
    return render(html, identifier=b"0", created=AT, title="x", lang="en")


def test_poppler_accepts_the_signature_over_the_whole_file(tmp_path: Path, plain: bytes) -> None:
    file = tmp_path / "signed.pdf"
    file.write_bytes(sign(plain, key_in(tmp_path / "keys"), at=AT, reason="Evidence of request SR-000001"))
    said = subprocess.run(
        [required("pdfsig"), "-nocert", str(file)], capture_output=True, text=True, check=True
    ).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said
    assert "Signing Time: Nov 18 2026 09:00:00" in said
    assert "Evidence of portal.test" in said


def test_poppler_refuses_a_changed_file(tmp_path: Path, plain: bytes) -> None:
    signed = bytearray(sign(plain, key_in(tmp_path / "keys"), at=AT, reason="x"))
    signed[signed.index(b"/Lang (en)") + 7] ^= 1
    file = tmp_path / "changed.pdf"
    file.write_bytes(signed)
    said = subprocess.run(
        [required("pdfsig"), "-nocert", str(file)], capture_output=True, text=True, check=False
    )
    assert "Signature is Valid" not in said.stdout
    assert "Digest Mismatch" in said.stdout


def test_the_same_file_key_and_time_give_the_same_bytes(tmp_path: Path, plain: bytes) -> None:
    key = key_in(tmp_path / "keys")
    signed = sign(plain, key, at=AT, reason="x")
    assert signed == sign(plain, key_in(tmp_path / "keys"), at=AT, reason="x")
    assert signed.startswith(plain)
    assert signed != sign(plain, key_in(tmp_path / "other"), at=AT, reason="x")


def test_the_key_is_its_own_and_only_the_portal_may_read_it(tmp_path: Path) -> None:
    made = key_in(tmp_path / "keys")
    file = tmp_path / "keys" / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_pem_private_key(file.read_bytes(), None).public_key() == made.key.public_key()
    public = load_pem_x509_certificate((tmp_path / "keys" / CERTIFICATE_FILE).read_bytes())
    assert fingerprint_of(public) == made.fingerprint
    assert b"PRIVATE" not in (tmp_path / "keys" / CERTIFICATE_FILE).read_bytes()


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    key_in(tmp_path / "keys")
    file = tmp_path / "keys" / KEY_FILE
    file.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        key_in(tmp_path / "keys")


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / KEY_FILE
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="no key and certificate"):
        key_in(tmp_path)


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    key_in(one), key_in(other)
    end = b"-----END PRIVATE KEY-----\n"
    mixed = (one / KEY_FILE).read_bytes().split(end)[0] + end + (other / CERTIFICATE_FILE).read_bytes()
    (one / KEY_FILE).write_bytes(mixed)
    with pytest.raises(SettingsError, match="its own certificate"):
        key_in(one)


def test_two_who_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(key_in(tmp_path / "keys").fingerprint)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1
