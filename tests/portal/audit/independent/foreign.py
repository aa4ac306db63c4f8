"""Our proofs and checkpoints as somebody else reads them: sigstore's verifier of transparency logs, and OpenSSL.

sigstore-python looks at inclusion proofs and signed notes. A consistency proof is checked by the functions with which
it chains hashes, in the order in which Trillian's VerifyConsistency, from which they come, does it.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sigstore._internal.merkle import (
    _chain_border_right,
    _chain_inner,
    _decomp_inclusion_proof,
    verify_merkle_inclusion,
)
from sigstore._internal.rekor.checkpoint import LogCheckpoint, SignedCheckpoint
from sigstore._internal.trust import Keyring
from sigstore.errors import VerificationError
from sigstore_models.common.v1 import PublicKey, PublicKeyDetails

from tests.fixtures_servers import required


def includes(entry: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether sigstore takes the entry for the leaf `index` of the tree."""
    told = SimpleNamespace(log_index=index, tree_size=size, root_hash=root, hashes=list(proof))
    inner = SimpleNamespace(inclusion_proof=told, canonicalized_body=entry)
    try:
        verify_merkle_inclusion(SimpleNamespace(_inner=inner))
    except VerificationError:
        return False
    return True


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the larger tree begins with the smaller one; 0 < old < new."""
    inner, border = _decomp_inclusion_proof(old - 1, new)
    shift = (old & -old).bit_length() - 1
    inner -= shift
    path = list(proof) if old != 1 << shift else [old_root, *proof]
    if len(path) != 1 + inner + border:
        return False
    seed, sides, edge = path[0], path[1 : 1 + inner], path[1 + inner :]
    mask = (old - 1) >> shift
    left = [step for place, step in enumerate(sides) if mask >> place & 1]
    before = _chain_border_right(_chain_border_right(seed, left), edge)
    after = _chain_border_right(_chain_inner(seed, sides, mask), edge)
    return (before, after) == (old_root, new_root)


def signed_head(note: str, verifier: str) -> LogCheckpoint | None:
    """What sigstore reads in a checkpoint that this key (name+hash+key) signed; None when it did not."""
    _, hashed, encoded = verifier.split("+", 2)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    keys = Keyring([PublicKey(raw_bytes=base64.b64encode(der), key_details=PublicKeyDetails.PKIX_ED25519)])
    try:
        read = SignedCheckpoint.from_text(note)
        read.signed_note.verify(keys, bytes.fromhex(hashed))
    except VerificationError:
        return None
    return read.checkpoint


def openssl_accepts(note: str, verifier: str, folder: Path) -> bool:
    """Whether OpenSSL takes the key's line under the note for an Ed25519 signature over its text."""
    name, hashed, encoded = verifier.split("+", 2)
    text, _, lines = note.partition("\n\n")
    (signature,) = [
        found[4:]
        for line in lines.splitlines()
        if line.split(" ")[1] == name and (found := base64.b64decode(line.split(" ")[2]))[:4].hex() == hashed
    ]
    # RFC 8410: a raw Ed25519 key becomes a SubjectPublicKeyInfo by these twelve bytes before it.
    spki = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(encoded)[1:]
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(spki) + b"-----END PUBLIC KEY-----\n"
    return openssl_verifies(pem, (text + "\n").encode(), signature, folder)


def openssl_verifies(pem: bytes, text: bytes, signature: bytes, folder: Path) -> bool:
    """Whether `openssl pkeyutl` takes the signature."""
    for name, content in (("key.pem", pem), ("text", text), ("signature", signature)):
        (folder / name).write_bytes(content)
    command = [required("openssl"), "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"]
    done = subprocess.run(
        [*command, "-in", "text", "-sigfile", "signature"], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode in {0, 1}
    assert done.returncode or b"Signature Verified Successfully" in done.stdout
    return done.returncode == 0
