"""A bundle whose period spans a change of every key: whoever was given one key of the ledger, old or new, can check all of it."""

from __future__ import annotations

import base64
import io

import pypdf
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.audit.notes import verifier_key
from reports.evidence.document import read_evidence
from reports.verifier import verify as single
from reports.verifier.verify import Trusted, check_path, signed_by
from tests.reports.verifier.conftest import GenuineBundle
from tests.reports.verifier.test_report import judged


def failing(result: single.Result) -> list[tuple[str, str]]:
    return [(name, sentence) for name, holds, sentence in result.checks if holds is False]


def test_its_heads_are_signed_by_one_key_each_and_the_sample_by_both(bundle: GenuineBundle) -> None:
    ledger = bundle.audit.ledger
    assert ledger.verifiers == (bundle.first, bundle.second, bundle.verifier)
    notes = (ledger.before.checkpoint, ledger.after.checkpoint, ledger.made.checkpoint)
    for note, signer in zip(notes, ledger.verifiers, strict=True):
        assert [one for one in ledger.verifiers if signed_by(note or "", one)] == [signer]
    signers = []
    for reference in sorted(bundle.audit.sample.references):
        pdf = pypdf.PdfReader(io.BytesIO(bundle.members[f"evidence/{reference}.pdf"]))
        signers.append(read_evidence(pdf.attachments["evidence.json"][0]).ledger.verifier)
    assert (bundle.early, signers) == ("SR-000001", [bundle.second, bundle.verifier])


@pytest.mark.parametrize("given", ["the first", "the newest", "both"])
def test_it_is_proven_with_the_first_key_the_newest_and_both(bundle: GenuineBundle, given: str) -> None:
    keys = {"the first": [bundle.first], "the newest": [bundle.verifier]}.get(
        given, [bundle.first, bundle.verifier]
    )
    result = check_path(bundle.path, Trusted.of(keys))
    assert failing(result) == []
    assert result.proven
    said = {name: sentence for name, _, sentence in result.checks}["ledger-key"]
    printed = single.fingerprint(single.read_vkey(bundle.verifier)[1])
    if given == "the first":
        assert said.startswith(
            "The key that you gave signed for the ledger's present key when it was changed."
        )
        assert said.endswith(printed)
    else:
        assert said == "The ledger's key is the one that you gave."


def test_with_the_certificate_of_now_it_holds_and_with_that_of_then_it_says_why_not(
    bundle: GenuineBundle,
) -> None:
    then, now = bundle.certificates
    result = check_path(bundle.path, Trusted.of([now]))
    assert failing(result) == []
    assert not result.proven
    assert "given-certificate" in {name for name, holds, _ in result.checks if holds}
    told = failing(check_path(bundle.path, Trusted.of([then])))
    assert {name for name, _ in told} == {"ledger-key", "evidence"}
    assert all("not made with a key that you gave" in sentence for _, sentence in told)


def test_a_key_that_came_later_says_plainly_that_it_is_not_the_files(bundle: GenuineBundle) -> None:
    """As when the newest key alone is given for a file of before it was made."""
    name = bundle.audit.ledger.origin
    later = verifier_key(name, Ed25519PrivateKey.generate().public_key())
    early = single.Result("early")
    single.check_pdf(bundle.members[f"evidence/{bundle.early}.pdf"], Trusted.of([bundle.verifier]), early)
    other = single.Result("other")
    single.check_pdf(bundle.members["report.pdf"], Trusted.of([later]), other)
    for result in (early, other):
        ((check, said),) = failing(result)
        assert check == "ledger-key"
        assert "If yours is newer than the file, give the one of its time too: " in said


def test_a_listed_key_that_nobody_handed_over_to_signs_no_evidence(bundle: GenuineBundle) -> None:
    """An insider lists a key of their own among the ledger's, and signs a sampled request's head with it."""
    told = single.read_json(bundle.members["audit.json"])
    mine = verifier_key(told["ledger"]["origin"], Ed25519PrivateKey.generate().public_key())
    told["ledger"]["verifiers"].insert(0, mine)
    result = single.Result("listed")
    result.good("ledger-key", "as it is with the true key")
    known = single.evidence_keys(told, Trusted.of([bundle.verifier]), result)
    assert all(known.has(single.read_vkey(one)[1]) for one in (bundle.first, bundle.second))
    assert not known.has(single.read_vkey(mine)[1])
    # Where whose report it is was not proved, the keys beside it prove nothing either.
    unproved = single.evidence_keys(told, Trusted(), single.Result("unproved"))
    assert unproved.fingerprints == frozenset()


def test_evidence_of_before_the_head_leaves_nothing_out_that_had_happened_by_then(
    bundle: GenuineBundle,
) -> None:
    """It was made before the period's end, and nothing came after: so it stands. One entry more, and it does not."""
    told = single.read_json(bundle.members["audit.json"])
    pdf = pypdf.PdfReader(io.BytesIO(bundle.members[f"evidence/{bundle.early}.pdf"]))
    evidence = single.read_json(pdf.attachments["evidence.json"][0])
    head = single.read_head(evidence["ledger"]["checkpoint"])
    assert head.size < told["ledger"]["after"]["size"]
    lines = bundle.members["ledger.jsonl"].splitlines()
    ledger = single.PeriodLedger(told)
    ledger.read(lines)
    assert [*ledger.problems, *ledger.evidence_problems(bundle.early, evidence)] == []
    # What happened to a passkey that signed, as the ledger of the period tells: a revocation that the evidence leaves out.
    evidence["ledger"]["entries"].append({"number": head.size + 9, "body": {"subject": "passkey:mine"}})
    revoked = {"subject": "passkey:mine", "tag": "passkey:revoked", "at": told["as_of"], "actor": "portal"}
    other = {**revoked, "subject": "passkey:other"}
    for number, entry in ((head.size, revoked), (head.size - 1, other), (head.size + 1, revoked)):
        ledger.read_entry(number, entry)
    assert list(ledger.evidence_problems(bundle.early, evidence)) == [
        f"The evidence of {bundle.early} leaves entries out: [{head.size}]."
    ]
    evidence["ledger"]["entries"].pop()
    late = {
        "subject": f"request:{bundle.early}",
        "tag": "approval:voided",
        "at": told["as_of"],
        "actor": "portal",
    }
    ledger.read_entry(head.size + 1, late)
    assert list(ledger.evidence_problems(bundle.early, evidence)) == [
        f"The evidence of {bundle.early} leaves entries out: [{head.size + 1}]."
    ]
    # A head of the same size with another root, however it was signed, is of another ledger.
    note = evidence["ledger"]["checkpoint"].replace(base64.b64encode(head.root).decode(), "A" * 43 + "=")
    fresh = single.PeriodLedger(told)
    fresh.read(lines)
    forged = {**evidence, "ledger": {**evidence["ledger"], "checkpoint": note}}
    another = [f"The evidence of {bundle.early} is of another ledger."]
    assert list(fresh.evidence_problems(bundle.early, forged)) == another
    # So is one of which it is not shown that the ledger went on from there.
    proven = told["ledger"]["consistency"]["evidence_made"]
    assert head.size in [one["size"] for one in proven]
    assert list(fresh.evidence_problems(bundle.early, evidence)) == []
    told["ledger"]["consistency"]["evidence_made"] = [one for one in proven if one["size"] != head.size]
    assert list(fresh.evidence_problems(bundle.early, evidence)) == another


def test_whose_rotation_is_bent_proves_no_key_at_all(bundle: GenuineBundle) -> None:
    told = single.read_json(bundle.members["audit.json"])
    assert judged(bundle, told, bundle.first) == set()
    told["ledger"]["rotations"][0]["consistency"] = []
    assert "keys" in judged(bundle, told, bundle.first)
