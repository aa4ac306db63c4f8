"""Cosignatures are checked against the witness's own key, and nothing else counts as one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.audit.holders.cosignatures import find_cosignature, is_witness_key, read_witness_key
from portal.audit.notes import Head, NoteError, sign_head, verifier_key, verify_head
from tests.portal.audit.holders.witness import Witness

LOG = Ed25519PrivateKey.generate()
NOTE = sign_head(Head("portal.test/ledger", 9, bytes(32)), "portal.test/ledger", LOG)


@pytest.fixture
def witness() -> Witness:
    return Witness(clock=lambda: 1_679_315_147.0)


@pytest.fixture
def cosigned(witness: Witness) -> str:
    return NOTE + witness.cosign(NOTE.partition("\n\n")[0] + "\n").decode()


def test_a_witness_s_signature_is_found_beside_the_log_s(witness: Witness, cosigned: str) -> None:
    key = read_witness_key(witness.vkey)
    assert key.verifier == witness.vkey
    found = find_cosignature(cosigned, key)
    assert found is not None and found.at.isoformat() == "2023-03-20T12:25:47+00:00"
    assert found.line == cosigned.splitlines()[-1]
    assert find_cosignature(NOTE, key) is None
    assert verify_head(cosigned, "portal.test/ledger", LOG.public_key()).size == 9


def test_it_holds_for_no_other_head_and_no_other_witness(witness: Witness, cosigned: str) -> None:
    with pytest.raises(NoteError, match=r"witness.test/w1 does not hold"):
        find_cosignature(cosigned.replace("\n9\n", "\n8\n", 1), read_witness_key(witness.vkey))
    assert find_cosignature(cosigned, read_witness_key(Witness().vkey)) is None, "the same name, another key"
    # The same bytes as the log's kind of signature are none.
    head, _, line = cosigned.rpartition("\u2014 ")
    assert (
        find_cosignature(f"{head}\u2014 {line.replace('w1', 'w2')}", read_witness_key(witness.vkey)) is None
    )


def test_a_key_with_a_plus_sign_in_it_is_read_whole() -> None:
    witness = next(witness for witness in iter(Witness, None) if witness.vkey.count("+") > 2)
    assert is_witness_key(witness.vkey)
    assert read_witness_key(witness.vkey).verifier == witness.vkey


def test_a_log_s_key_is_no_witness_s(witness: Witness) -> None:
    log = verifier_key("portal.test/ledger", LOG.public_key())
    assert is_witness_key(witness.vkey) and not is_witness_key(log)
    name, hashed, key = witness.vkey.split("+", 2)
    for text in (
        log,
        f"{name}+00000000+{key}",
        f"other+{hashed}+{key}",
        f"{name}+{hashed}",
        "",
        f"{name}+{hashed}+BAAA",
    ):
        with pytest.raises(NoteError):
            read_witness_key(text)
