"""Files that carry a timestamp of a real authority, and files that had to do without one."""

from __future__ import annotations

import hashlib
import io
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers import PdfSignatureMetadata, sign_pdf
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from portal.core.errors import SettingsError
from reports.evidence.verify import Trusted, Verification
from reports.evidence.verify.signature import check_signature
from reports.pdf.keys import PdfKey, load_or_create_pdf_key
from reports.pdf.pades import simple_signer
from reports.pdf.render import render
from reports.pdf.signing import NO_TIMESTAMP, sign
from reports.pdf.timestamps import TimestampMissing, authority_of, has_timestamp
from reports.verifier import verify as single
from reports.verifier.recount import container_problems
from reports.verifier.verify import Result, check_pdf_signature
from reports.verifier.verify import Trusted as Single
from tests.fixtures_servers import required
from tests.reports.timestamps.conftest import Authority, certify

AT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def plain() -> bytes:
    html = "<!DOCTYPE html><html lang='en'><head><title>x</title></head><body><p>x</p></body></html>"
    return render(html, identifier=b"0", created=AT, title="x", lang="en")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> PdfKey:
    return load_or_create_pdf_key(tmp_path_factory.mktemp("keys"), name="portal.test", at=AT)


@pytest.fixture
def stamped(tmp_path: Path, plain: bytes, key: PdfKey, authority: Authority) -> bytes:
    return sign(plain, key, at=AT, reason="Evidence", timestamps=authority_of(authority.settings(tmp_path)))


def der(path: Path) -> bytes:
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)


def fingerprint(path: Path) -> str:
    return hashlib.sha256(der(path)).hexdigest()


def told(content: bytes, *keys: str) -> dict[str, tuple[bool | None, str]]:
    """What both verifiers say, which must be the same."""
    single, strong = Result("x.pdf"), Verification("x.pdf")
    check_pdf_signature(content, Single.of(keys), single)
    check_signature(content, strong, Trusted.of(keys))
    found = {name: (holds, sentence) for name, holds, sentence in single.checks}
    assert {check.name: (check.holds, check.sentence) for check in strong.checks} == found
    return found


def test_both_verifiers_say_when_it_was_stamped_and_whose_stamp_remains_unproved(stamped: bytes) -> None:
    assert has_timestamp(stamped)
    found = told(stamped)
    assert found["pdf-signature"][0]
    assert found["timestamp"][0]
    assert f"{datetime.now(UTC):%Y-%m-%d}"[:8] in found["timestamp"][1]
    assert found["timestamp-key"][0] is None


def test_the_authoritys_certificate_or_its_issuers_proves_whose_it_is(
    stamped: bytes, authority: Authority
) -> None:
    for given in ("tsa.pem", "ca.pem"):
        assert told(stamped, str(authority.folder / given))["timestamp-key"][0]
        assert told(stamped, fingerprint(authority.folder / given))["timestamp-key"][0]
    assert told(stamped, "ab" * 32)["timestamp-key"][0] is None


def test_pyhanko_and_poppler_validate_signature_and_stamp(
    tmp_path: Path, stamped: bytes, key: PdfKey, authority: Authority
) -> None:
    mine = asn1_x509.Certificate.load(key.certificate.public_bytes(Encoding.DER))
    ca = asn1_x509.Certificate.load(der(authority.folder / "ca.pem"))
    (embedded,) = PdfFileReader(io.BytesIO(stamped)).embedded_signatures
    status = validate_pdf_signature(
        embedded,
        ValidationContext(trust_roots=[mine], allow_fetching=False, moment=AT, revocation_mode="soft-fail"),
        ts_validation_context=ValidationContext(
            trust_roots=[ca], allow_fetching=False, revocation_mode="soft-fail"
        ),
        skip_diff=True,
    )
    assert status.intact
    assert status.valid
    assert status.timestamp_validity
    assert status.timestamp_validity.intact
    assert status.timestamp_validity.valid
    assert status.timestamp_validity.trusted
    file = tmp_path / "stamped.pdf"
    file.write_bytes(stamped)
    said = subprocess.run(
        [required("pdfsig"), "-nocert", str(file)], capture_output=True, text=True, check=True
    ).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said


def test_a_stamp_that_was_changed_does_not_hold(stamped: bytes) -> None:
    container = single.Der(single.room_of(stamped)[1]).raw
    at = stamped.index(b"/Contents <") + len(b"/Contents <")
    # A digit of the time that it states, and the last byte of its authority's signature.
    for place in (container.index(b"\x18\x0f20") + 7, len(container) - 1):
        digit = at + 2 * place + 1
        turned = b"1" if stamped[digit : digit + 1] != b"1" else b"2"
        forged = stamped[:digit] + turned + stamped[digit + 1 :]
        assert not all(holds for holds, _ in told_of(forged)), place


def test_the_stamp_of_another_file_does_not_hold(
    tmp_path: Path, stamped: bytes, plain: bytes, key: PdfKey, authority: Authority
) -> None:
    """The token of one signature beside another: its imprint tells."""
    timestamps = authority_of(authority.settings(tmp_path))
    other = sign(plain, key, at=AT, reason="Something else", timestamps=timestamps)
    found = Result("x.pdf")
    token, signature = opened(other).timestamp, opened(stamped).signature
    single.check_timestamp(token, signature, Single(), found)
    assert [sentence for _, holds, sentence in found.checks if holds is False] == [
        "The timestamp is over another signature than this file's."
    ]


def test_a_container_of_another_form_does_not_hold_even_if_the_true_key_signed_it(
    plain: bytes, key: PdfKey
) -> None:
    content = sign(plain, key, at=AT, reason="Evidence")
    info = cms.ContentInfo.load(single.Der(single.room_of(content)[1]).raw)
    signer = info["content"]["signer_infos"][0]
    signer["signed_attrs"].append(
        cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": AT})]})
    )
    attributes = signer["signed_attrs"].untag().dump()
    signer["signature"] = key.key.sign(attributes, padding.PKCS1v15(), hashes.SHA256())
    forged = info.dump(force=True).hex().upper().encode()
    at = content.index(b"/Contents <") + len(b"/Contents <")
    changed = content[:at] + forged + content[at + len(forged) :]
    assert [sentence for holds, sentence in told_of(changed) if not holds] == [
        "The signature's container or the space beside it was changed, or was not made by Countersign."
    ]


def test_what_was_signed_of_one_file_signs_no_other_from_inside_its_container(
    plain: bytes, key: PdfKey
) -> None:
    """A content in the container is signed in the place of the file: anybody could put what was signed once there."""
    content = sign(plain, key, at=AT, reason="Evidence")
    covered, container, _ = single.room_of(content)
    info = cms.ContentInfo.load(single.Der(container).raw)
    info["content"]["encap_content_info"]["content"] = core.OctetString(covered)
    with pytest.raises(single.Wrong, match="over something else"):
        single.read_cms(info.dump(force=True), single.DATA, "the PDF's signature", detached=b"another file")
    info = cms.ContentInfo.load(single.Der(container).raw)
    info["content"]["signer_infos"][0]["unsigned_attrs"] = [
        cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": AT})]})
    ]
    with pytest.raises(single.Wrong, match="nobody signed"):
        single.read_cms(info.dump(force=True), single.DATA, "the PDF's signature", detached=covered)


@pytest.mark.parametrize("how", ["replaced", "before", "behind"])
def test_the_authoritys_certificate_is_the_one_that_it_signed(stamped: bytes, how: str) -> None:
    """Anybody can write a certificate over the authority's public key, for any time, and put it beside the true one."""
    _, room, _ = single.room_of(stamped)
    token = cms.ContentInfo.load(single.Der(room)[1][0][-1][0][6][0][1][0].raw)
    imprint = hashlib.sha256(single.Der(room)[1][0][-1][0][5].body).digest()
    _, true, others = single.read_timestamp(token.dump(), imprint)
    forged = cms.CertificateChoices.load(own_certificate_over(true))
    beside = [cms.CertificateChoices.load(other) for other in (true, *others)]
    chosen = {
        "replaced": [forged, *beside[1:]],
        "before": [forged, *beside],
        "behind": [*beside, forged],
    }[how]
    token["content"]["certificates"] = cms.CertificateSet(chosen)
    if how == "replaced":
        with pytest.raises(single.Wrong, match="does not hold"):
            single.read_timestamp(token.dump(force=True), imprint)
    else:
        assert single.read_timestamp(token.dump(force=True), imprint)[1] == true


def own_certificate_over(true: bytes) -> bytes:
    """A certificate with the key of the true one, of somebody's own making, that is valid at any time."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mallory's time")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(x509.load_der_x509_certificate(true).public_key())
        .serial_number(7)
        .not_valid_before(datetime(1970, 1, 2, tzinfo=UTC))
        .not_valid_after(datetime(2999, 1, 1, tzinfo=UTC))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def test_a_file_with_an_earlier_signature_does_not_hold(plain: bytes, key: PdfKey) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(plain))
    earlier = sign_pdf(writer, PdfSignatureMetadata(field_name="Earlier"), simple_signer(key)).getvalue()
    assert [holds for holds, _ in told_of(earlier)] == [False]
    assert [holds for holds, _ in told_of(sign(earlier, key, at=AT, reason="Evidence"))] == [False]


def opened(content: bytes) -> single.Cms:
    covered, container, _ = single.room_of(content)
    return single.read_cms(container, single.DATA, "the PDF's signature", detached=covered)


def told_of(content: bytes) -> list[tuple[bool | None, str]]:
    """As the auditors' two files say, key aside; the product agrees on whether it holds."""
    single, strong = Result("x.pdf"), Verification("x.pdf")
    if check_pdf_signature(content, Single(), single):
        single.checks += [("form", False, problem) for problem in container_problems(content)]
    check_signature(content, strong)
    assert single.holds == strong.holds
    return [(holds, sentence) for name, holds, sentence in single.checks if name != "timestamp-key"]


@pytest.mark.parametrize("mood", ["broken", "nonsense", "another question"])
def test_an_authority_that_gives_no_stamp_stops_nothing_and_the_signature_says_so(
    tmp_path: Path, plain: bytes, key: PdfKey, authority: Authority, mood: str
) -> None:
    timestamps = authority_of(authority.settings(tmp_path))
    sign(plain, key, at=AT, reason="Evidence", timestamps=timestamps)
    authority.mood = mood
    content = sign(plain, key, at=AT, reason="Evidence", timestamps=timestamps)
    assert not has_timestamp(content)
    (embedded,) = PdfFileReader(io.BytesIO(content)).embedded_signatures
    assert embedded.sig_object["/Reason"] == f"Evidence. {NO_TIMESTAMP}"
    assert [name for name, holds in ((n, h) for n, (h, _) in told(content).items()) if holds] == [
        "pdf-signature"
    ]
    assert content == sign(plain, key, at=AT, reason="Evidence", timestamps=timestamps)


def test_an_authority_that_is_down_and_one_that_nobody_knows_stop_nothing(
    tmp_path: Path, plain: bytes, key: PdfKey, authority: Authority
) -> None:
    down = authority_of(authority.settings(tmp_path, TIMESTAMP_URL="http://127.0.0.1:9/tsr"))
    assert not has_timestamp(sign(plain, key, at=AT, reason="x", timestamps=down))
    (tmp_path / "other").mkdir()
    certify(tmp_path / "other", "Somebody else")
    unknown = authority_of(
        authority.settings(tmp_path, TIMESTAMP_CERTIFICATE=str(tmp_path / "other" / "ca.pem"))
    )
    assert unknown
    assert not has_timestamp(sign(plain, key, at=AT, reason="x", timestamps=unknown))
    with pytest.raises(TimestampMissing, match="another certificate"):
        unknown.try_out()


def test_the_way_out_is_the_allow_lists(
    tmp_path: Path, plain: bytes, key: PdfKey, authority: Authority
) -> None:
    inside = authority_of(authority.settings(tmp_path, OUTGOING_NETWORKS=""))
    assert not has_timestamp(sign(plain, key, at=AT, reason="x", timestamps=inside))
    assert authority.asked == []


def test_settings_that_cannot_work_are_refused_with_a_sentence(tmp_path: Path, authority: Authority) -> None:
    for wrong in (
        {"TIMESTAMP_URL": "ftp://stamps.test"},
        {"TIMESTAMP_CERTIFICATE": ""},
        {"TIMESTAMP_CERTIFICATE": str(tmp_path / "missing.pem")},
    ):
        with pytest.raises(SettingsError, match="TIMESTAMP_"):
            authority_of(authority.settings(tmp_path, **wrong))
    assert authority_of(authority.settings(tmp_path, TIMESTAMP_URL="")) is None


def test_trying_it_out_names_the_authority(tmp_path: Path, authority: Authority) -> None:
    found = authority_of(authority.settings(tmp_path))
    assert found
    assert found.try_out() == "CN=Stamps of tests"
