"""The signer signs what contains its last head and says in the protocol's words why it signs nothing else."""

from __future__ import annotations

import socket
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.audit.notes import Head, NoteError, is_signed_by, read_verifier_key, verify_head
from portal.audit.signer.notary import Notary
from portal.audit.signer.server import listening
from portal.audit.signer.vault import FileVault
from tests.portal.audit.signer.conftest import LIMIT, ORIGIN, Log, SignerProcess, body_of

RIGHTS_OF_OTHERS = 0o077


def signed_size(running: SignerProcess) -> int:
    size = running.desk.state().size
    assert size is not None
    return size


@pytest.fixture
def last(running: SignerProcess, log: Log) -> int:
    """The size of a head that is signed, whatever ran before."""
    old = signed_size(running)
    head = log.grow(3)
    assert running.add(old, log.proof(old), head).status == 200
    return head.size


def test_a_head_that_contains_the_last_one_is_signed(running: SignerProcess, log: Log, last: int) -> None:
    head = log.grow(5)
    answer = running.add(last, log.proof(last), head)
    assert (answer.status, answer.text.count("\n")) == (200, 1)
    name, key = read_verifier_key(running.desk.state().verifiers[-1])
    assert verify_head(f"{head.body()}\n{answer.text}", name, key) == head
    assert signed_size(running) == head.size


def test_the_same_head_is_signed_again_by_the_same_bytes(running: SignerProcess, log: Log, last: int) -> None:
    one, other = running.add(last, [], log.head()), running.add(last, [], log.head())
    assert (one.status, one) == (200, other)


def test_a_proof_from_elsewhere_is_answered_with_the_signers_own_size(
    running: SignerProcess, log: Log, last: int
) -> None:
    log.grow(4)
    for old in (0, last - 1, last + 1):
        answer = running.add(old, log.proof(old), log.head())
        assert (answer.status, answer.kind, answer.text) == (409, "text/x.tlog.size", f"{last}\n")
    assert signed_size(running) == last


def test_another_past_is_refused_and_remembered_until_the_true_one_comes(
    running: SignerProcess, log: Log, last: int
) -> None:
    forged = Log([b"something else", *log.entries[1:]])
    head = forged.grow(2)
    answer = running.add(last, forged.proof(last), head)
    assert answer.status == 422
    assert f"its first {last} are not those that were signed before" in answer.text
    same_size = running.add(last, [], forged.head(last))
    assert (same_size.status, same_size.kind, same_size.text) == (409, "text/x.tlog.size", f"{last}\n")
    state = running.desk.state()
    assert (state.size, "not those that were signed before" in state.refused) == (last, True)
    true = log.grow(1)
    assert running.add(last, log.proof(last), true).status == 200
    assert running.desk.state().refused == ""


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "does not begin"),
        (b"old 1", 400, "does not begin"),
        (b"old 01\n\nx\n1\nAA==\n", 400, "does not begin"),
        (b"old -1\n\nx\n1\nAA==\n", 400, "does not begin"),
        (b"\xff\xfe", 400, "UTF-8"),
        (b"old 0\n\nx\n1\nAA==\n", 400, "malformed"),
        (b"old 0\nnot base64\n\n" + Head(ORIGIN, 3, bytes(32)).body().encode(), 400, "base64"),
        (b"old 0\nAAAA\n\n" + Head(ORIGIN, 3, bytes(32)).body().encode(), 400, "SHA-256"),
        (
            b"old 0\n" + b"AAAA\n" * 64 + b"\n" + Head(ORIGIN, 3, bytes(32)).body().encode(),
            400,
            "more than 63",
        ),
        (body_of(9, [], Head(ORIGIN, 3, bytes(32))), 400, "larger than the head"),
        (body_of(0, [], Head(ORIGIN, 0, bytes(32))), 400, "nothing else"),
        (b"old 0\n\n" + Head(ORIGIN, 3, bytes(32)).body().encode() + b"one line more\n", 400, "nothing else"),
        (body_of(0, [], Head("portal.other/ledger", 3, bytes(32))), 404, "portal.test/ledger and not"),
        (b"old 0\n" + b"x" * 40_000, 413, "at most"),
    ],
)
def test_what_is_malformed_is_refused_with_a_sentence(
    running: SignerProcess, body: bytes, status: int, words: str
) -> None:
    answer = running.ask("POST", "/add-checkpoint", body)
    assert (answer.status, words in answer.text) == (status, True)


def test_a_request_that_does_not_say_how_long_it_is_is_not_read(running: SignerProcess) -> None:
    assert running.ask("POST", "/add-checkpoint", headers={"Content-Length": ""}).status == 411
    assert running.ask("GET", "/keys").status == 404
    assert running.ask("POST", "/rotate", b'{"overlap_days": "1"}').status == 400
    assert running.ask("POST", "/rotate", b'{"overlap_days": 0}').status == 403


def test_many_at_once_are_answered_one_after_the_other(running: SignerProcess, log: Log, last: int) -> None:
    log.grow(24)
    sizes = [last + step for step in range(1, 25)]

    def bring(size: int) -> tuple[int, str]:
        """Ask as the portal does: from the size that the signer names, until it is beyond this one."""
        old = last
        while old <= size:
            answer = running.add(old, log.proof(old, size), log.head(size))
            if answer.status == 200:
                return size, answer.text
            assert answer.status == 409
            old = int(answer.text)
        return size, ""

    with ThreadPoolExecutor(8) as pool:
        answers = dict(pool.map(bring, sizes))
    verifier = running.desk.state().verifiers[-1]
    signed = {size: lines for size, lines in answers.items() if lines}
    assert sizes[-1] in signed
    assert signed_size(running) == sizes[-1]
    assert all(is_signed_by(f"{log.head(size).body()}\n{lines}", verifier) for size, lines in signed.items())


def test_only_the_group_of_the_socket_may_ask_and_nobody_else_may_read_the_folder(
    running: SignerProcess,
) -> None:
    assert stat.S_IMODE(running.socket.stat().st_mode) == 0o660
    kept = [path for path in running.folder.rglob("*") if path.is_file()]
    assert {"ledger.pem", "head.note", "keys.json"} <= {path.name for path in kept}
    assert [path.name for path in kept if path.stat().st_mode & RIGHTS_OF_OTHERS] == []
    assert running.folder.stat().st_mode & RIGHTS_OF_OTHERS == 0


def test_one_that_is_slow_to_ask_holds_up_nobody_and_is_sent_away(tmp_path: Path) -> None:
    notary = Notary(tmp_path / "signer", FileVault(tmp_path / "signer"), origin=ORIGIN)
    process, log = SignerProcess(), Log()
    with listening(process.socket, notary, seconds=3.0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as slow:
                slow.settimeout(LIMIT)
                slow.connect(str(process.socket))
                slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 500\r\n\r\nold")
                assert process.add(0, [], log.grow(2)).status == 200
                assert slow.recv(1) == b""
        finally:
            server.shutdown()
            thread.join()
    process.clear()


def test_a_changed_signature_is_no_signature(running: SignerProcess, log: Log, last: int) -> None:
    lines = running.add(last, [], log.head()).text
    name, key = read_verifier_key(running.desk.state().verifiers[-1])
    with pytest.raises(NoteError, match="does not hold"):
        verify_head(f"{log.head(last - 1).body()}\n{lines}", name, key)
