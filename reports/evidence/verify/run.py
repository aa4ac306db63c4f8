"""One file, checked from the outside in: signature, attached files, facts, ledger, seals, story, pages."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdf
from pydantic import ValidationError

from catalog.offerings.language import OfferingDocument
from catalog.requests.answers import answer_lines
from portal.audit.notes import read_head
from portal.core.canonical import canonical_json
from portal.core.language import SOURCE, speaking
from reports.evidence.claims import claim_of
from reports.evidence.deviations import deviations_of
from reports.evidence.document import FILE_NAME, Evidence, read_evidence
from reports.evidence.html import CHECKPOINT_NAME, SCHEMA_NAME, attachments_of
from reports.evidence.verify.pages import check_pages
from reports.evidence.verify.proofs import check_keys, check_ledger
from reports.evidence.verify.result import Verification
from reports.evidence.verify.seals import check_seals
from reports.evidence.verify.signature import SignedBy, check_signature
from reports.evidence.verify.signatures import check_signatures
from reports.evidence.verify.single_file import tell
from reports.evidence.verify.story import check_story
from reports.evidence.verify.trusted import Trusted
from reports.verifier.recount import check_kept
from reports.verifier.verify import SCHEMAS, UNKNOWN_SCHEMA, Result, sha256

#: What the file inside is called that tells a review's result.
REVIEW_FILE_NAME = "access-review.json"
LARGEST_FILE = 256 * 1024 * 1024
NOBODY = Trusted()


def verify_file(
    file: Path, *, trusted: Trusted = NOBODY, progress: Callable[[str], None] = lambda _: None
) -> Verification:
    """Check a PDF file, or an audit's bundle as a ZIP file or a folder. `progress` is told which member is looked at.

    Raises OSError when it cannot be read; whatever it holds, nothing else is raised.
    """
    # Read here, because that room's checks stand on this one's.
    from reports.audits.verify import is_bundle, verify_bundle  # noqa: PLC0415

    if is_bundle(file):
        with speaking(SOURCE):
            return verify_bundle(file, trusted=trusted, progress=progress)
    if file.stat().st_size > LARGEST_FILE:
        result = Verification(file.name)
        result.bad("pdf-signature", "The file is larger than any evidence can be.")
        return result
    return verify_content(file.read_bytes(), name=file.name, trusted=trusted)


def verify_content(content: bytes, *, name: str = "", trusted: Trusted = NOBODY) -> Verification:
    """As `verify_file`, for a file's content. What it says is English, whatever language the pages are in."""
    with speaking(SOURCE):
        return _verified(content, name=name, trusted=trusted)


def _verified(content: bytes, *, name: str, trusted: Trusted) -> Verification:
    result = Verification(name)
    signed = check_signature(content, result, trusted)
    if signed is None:
        return result
    if _is_of_a_review(content):
        # Read here, because that room's checks stand on this one's.
        from reports.access_reviews.verify import check_result  # noqa: PLC0415

        check_result(content, signed, trusted, result)
        if trusted.kept:
            result.open(
                "kept", "An access review's result is not compared with the checkpoint that you keep."
            )
        return result
    # As above.
    from reports.audits.verify import is_report, verify_report  # noqa: PLC0415

    if is_report(content):
        return verify_report(content, name=name, trusted=trusted)
    evidence = _facts(content, result)
    if evidence is None:
        return result
    result.reference = evidence.reference
    for what, check in _checks(content, evidence, signed, trusted, result):
        try:
            check()
        except Exception as error:  # noqa: BLE001  (facts that no portal wrote may break any check; that is a no)
            result.bad(
                what,
                f"The facts cannot be checked ({what}, {type(error).__name__}); no portal wrote them so.",
            )
    return result


def _is_of_a_review(content: bytes) -> bool:
    """Whether the file carries the result of an access review instead of one request's evidence."""
    try:
        return REVIEW_FILE_NAME in pypdf.PdfReader(io.BytesIO(content)).attachments
    except Exception:  # noqa: BLE001  (what cannot be read is said by the check that reads it)
        return False


def _check_kept(evidence: Evidence, trusted: Trusted, result: Verification) -> None:
    """Whether the checkpoint is one that whoever verifies has kept, where its size is the same."""
    found = Result(result.file)
    head = read_head(evidence.ledger.checkpoint)
    check_kept(trusted.kept, evidence.ledger.origin, {head.size: head.root}, found)
    tell(found, result)


def _checks(
    content: bytes, evidence: Evidence, signed: SignedBy, trusted: Trusted, result: Verification
) -> Iterator[tuple[str, Callable[[], None]]]:
    yield "facts", lambda: _check_facts(evidence, signed, result)
    yield "ledger", lambda: check_ledger(evidence, result)
    yield "seals", lambda: check_seals(evidence, result)
    yield "signature", lambda: check_signatures(evidence, result)
    yield "story", lambda: check_story(evidence, result)
    yield "pages", lambda: check_pages(content, evidence, result)
    yield "keys", lambda: check_keys(evidence, signed.certificate, trusted, result)
    yield "kept", lambda: _check_kept(evidence, trusted, result)


def _facts(content: bytes, result: Verification) -> Evidence | None:
    """The attached facts, if they are there and have the published form."""
    try:
        files = pypdf.PdfReader(io.BytesIO(content)).attachments
        names = sorted(files)
        if names != sorted((CHECKPOINT_NAME, FILE_NAME, SCHEMA_NAME)) or any(
            len(files[name]) != 1 for name in names
        ):
            result.bad(
                "attachments", f"The files inside are not those of evidence: {', '.join(names) or 'none'}."
            )
            return None
        attached = {name: files[name][0] for name in names}
        evidence = read_evidence(attached[FILE_NAME])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        result.bad(
            "attachments", f"The attached facts do not have the published form: {where}: {first['msg']}."
        )
        return None
    except Exception as error:  # noqa: BLE001  (somebody's own PDF, signed by themselves, may break the reader)
        result.bad("attachments", f"The files inside cannot be read ({type(error).__name__}).")
        return None
    wanted = {file.name: file.content for file in attachments_of(evidence)}
    if attached[SCHEMA_NAME] != wanted[SCHEMA_NAME]:
        if sha256(attached[SCHEMA_NAME]) not in SCHEMAS[FILE_NAME]:
            result.bad("attachments", UNKNOWN_SCHEMA)
            return None
        result.open(
            "schema",
            "The schema inside is of another version of Countersign; the facts fit this version's too.",
        )
    problems = []
    if attached[FILE_NAME] != wanted[FILE_NAME]:
        problems.append("The attached facts are not written as evidence writes them (RFC 8785).")
    if attached[CHECKPOINT_NAME] != wanted[CHECKPOINT_NAME]:
        problems.append("The attached checkpoint is another one than the facts hold.")
    result.judge("attachments", "The attached facts are there and have the published form.", problems)
    return evidence


def _check_facts(evidence: Evidence, signed: SignedBy, result: Verification) -> None:
    result.claim = claim_of(evidence).sentence
    result.judge(
        "facts", "What the facts conclude follows from what they state.", _conclusions(evidence, signed)
    )


def _conclusions(evidence: Evidence, signed: SignedBy) -> Iterator[str]:
    if list(evidence.deviations) != deviations_of(evidence):
        yield "The deviations are not those that follow from the facts."
    known = {person.id for person in evidence.people}
    request = evidence.request
    if not {request.requester, request.beneficiary, request.editor} <= known or len(known) != len(
        evidence.people
    ):
        yield "The people who are named are not told of, or told of twice."
    if signed.signed_at is None or signed.signed_at.isoformat() != evidence.as_of.partition(".")[
        0
    ] + "+00:00" * ("." in evidence.as_of):
        yield "The signature states another time than the facts."
    answers = {answer.name: answer.value for answer in evidence.answers}
    try:
        offering = OfferingDocument.model_validate_json(canonical_json(evidence.offering.document))
    except ValidationError:
        yield "The offering's text cannot be read by this version of Countersign."
        return
    shown = [(line.field, line.label, line.text) for line in answer_lines(offering, answers)]
    if shown != [(answer.name, answer.label, answer.shown) for answer in evidence.answers]:
        yield "The answers are shown otherwise than they were given."
