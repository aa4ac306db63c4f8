"""`countersign audit export` and `audit proof`: what broke off is gone on with, and others can check it."""

from __future__ import annotations

import base64
import fcntl
import gzip
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select, text

from portal.audit import queries, record
from portal.audit.checkpoint import checkpoint
from portal.audit.model import Checkpoint, Entry, Node
from portal.cli import cli
from portal.core.errors import PortalError
from portal.core.migrate import upgrade
from portal.core.settings import Settings
from portal.identity.actor import PORTAL
from portal.wiring import Portal, build
from tests.portal.audit.independent.foreign import includes, openssl_verifies, signed_head


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal with a few dozen entries, some of them under checkpoints."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings.from_environment({"COUNTERSIGN_HOME": str(home)})
    upgrade(settings)
    made = build(settings)
    write(made, 20)
    checkpoint(made.db, made.signer)
    write(made, 13)
    checkpoint(made.db, made.signer)
    write(made, 2)
    yield made
    made.db.dispose()


@pytest.fixture
def portal(kept: Portal, monkeypatch: pytest.MonkeyPatch) -> Portal:
    monkeypatch.setenv("COUNTERSIGN_HOME", str(kept.settings.home))
    monkeypatch.setattr(queries, "EXPORT_PART", 7)
    return kept


def write(portal: Portal, count: int) -> None:
    with portal.db.transaction() as session:
        for number in range(count):
            record(
                session,
                "thing:done",
                subject=f"thing:{number}",
                actor=PORTAL,
                facts={"words": "über\nalles"},
                personal={"reason": "Because of Milo."},
            )


def lines_of(portal: Portal) -> list[str]:
    with portal.db.reading() as session:
        return list(session.scalars(select(Entry.body).order_by(Entry.number)))


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["audit", *map(str, words)])


def refused(*words: str | Path) -> str:
    """The sentence with which the command ends."""
    done = run(*words)
    assert done.exit_code == 1
    return done.exception.sentence if isinstance(done.exception, PortalError) else done.output


def test_the_exact_texts_go_out_a_line_each(portal: Portal) -> None:
    wanted = lines_of(portal)
    assert run("export").stdout.splitlines() == wanted
    assert run("export", "--since", "30").stdout.splitlines() == wanted[30:]
    assert run("export", "--since", "900").stdout == ""
    with portal.db.reading() as session:
        leaves = session.scalars(select(Node.hash).where(Node.level == 0).order_by(Node.position)).all()
    assert [hashlib.sha256(b"\0" + line.encode()).digest() for line in wanted] == leaves


def test_compressed_it_is_the_same_and_one_file_to_gzip(portal: Portal) -> None:
    done = run("export", "--gz")
    assert gzip.decompress(done.stdout_bytes).decode().splitlines() == lines_of(portal)
    assert done.stdout_bytes == run("export", "--gz").stdout_bytes


@pytest.mark.parametrize("name", ["ledger.jsonl", "ledger.jsonl.gz"])
def test_a_file_that_broke_off_anywhere_is_gone_on_with(portal: Portal, tmp_path: Path, name: str) -> None:
    whole, file = tmp_path / f"whole-{name}", tmp_path / name
    size = len(lines_of(portal))
    assert f"Entries 1 to {size} written to" in run("export", "--out", whole).stdout
    content = whole.read_bytes()
    read = gzip.decompress if name.endswith(".gz") else bytes
    assert read(content).decode().splitlines() == lines_of(portal)
    # A part is 7 entries: what a kill leaves is cut within the second, at an end, and within the last.
    for end in (len(content) // 3, len(content) // 2, len(content) - 1, len(content) - 40):
        file.write_bytes(content[:end])
        done = run("export", "--out", file)
        assert done.exit_code == 0, done.output
        assert "Entries 1 to" not in done.stdout
        assert read(file.read_bytes()) == read(content)
        if name.endswith(".gz"):
            assert file.read_bytes() == content
    assert "No new entries written" in run("export", "--out", file).stdout
    assert read(file.read_bytes()) == read(content)


def test_a_file_goes_on_with_what_is_new(portal: Portal, tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    size = len(lines_of(portal))
    run("export", "--since", "10", "--out", file)
    write(portal, 3)
    done = run("export", "--since", "10", "--out", file)
    assert f"Entries {size + 1} to {size + 3} written" in done.stdout
    assert file.read_text().splitlines() == lines_of(portal)[10:]


def test_what_is_no_export_of_this_ledger_stays_as_it_is(portal: Portal, tmp_path: Path) -> None:
    first = lines_of(portal)[0]
    odd = {
        "a.jsonl": (b"{}\n", "no export"),
        "b.jsonl": (b"[1]\nwords", "no export"),
        "c.jsonl": (b"no line at all", "no whole entry"),
        "d.jsonl": (first.replace("portal", "porter").encode() + b"\n", "not of this ledger"),
        "e.jsonl": (first.replace('"number":1,', '"number":"1",').encode() + b"\n", "no export"),
        "f.jsonl": (gzip.compress(first.encode() + b"\n"), "is compressed"),
        "g.gz": (first.encode() + b"\n", "is not compressed"),
        "h.gz": (gzip.compress(b"something else"), "no export"),
        "i.gz": (gzip.compress(os.urandom(99))[:40], "no whole entry"),
    }
    for name, (content, sentence) in odd.items():
        file = tmp_path / name
        file.write_bytes(content)
        assert sentence in refused("export", "--out", file)
        assert file.read_bytes() == content
    good = tmp_path / "good.jsonl"
    good.write_text(first + "\n")
    assert "would leave a gap" in refused("export", "--out", good, "--since", "5")
    with good.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "Another export" in refused("export", "--out", good)
    assert good.read_text() == first + "\n"
    assert "cannot be written" in refused("export", "--out", tmp_path / "nowhere" / "x")


def test_an_entry_that_is_missing_is_told_of_and_the_rest_is_there(portal: Portal, tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = Settings.from_environment({"COUNTERSIGN_HOME": str(home)})
    upgrade(settings)
    other = build(settings)
    write(other, 5)
    with other.db.transaction() as session:
        session.execute(text("DROP TRIGGER ledger_entry_no_delete"))
        session.execute(text("DELETE FROM ledger_entry WHERE number = 3"))
    done = CliRunner(env={"COUNTERSIGN_HOME": str(home)}).invoke(cli, ["audit", "export"])
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 4
    assert "Entry 3 is missing in the ledger" in done.stderr
    other.db.dispose()


@pytest.mark.parametrize("size", [None, 20])
def test_a_printed_proof_is_accepted_by_others(portal: Portal, tmp_path: Path, size: int | None) -> None:
    done = run("proof", "12", *(("--size", str(size)) if size else ()))
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    proof, note = told["inclusion_proof"], told["checkpoint"]
    with portal.db.reading() as session:
        last = session.scalar(select(func.max(Checkpoint.size)))
    assert proof["tree_size"] == size or proof["tree_size"] == last
    assert json.loads(told["entry"])["number"] == 12
    assert "Milo" not in done.stdout
    head = signed_head(note, told["signed_by"])
    assert head is not None
    assert (head.log_size, head.log_hash) == (proof["tree_size"], proof["root_hash"])
    hashes = [bytes.fromhex(one) for one in proof["hashes"]]
    root = bytes.fromhex(proof["root_hash"])
    assert includes(told["entry"].encode(), 11, proof["tree_size"], root, hashes)
    assert told["signed_by"] == portal.signer.verifier
    by_hand(told, tmp_path)


def by_hand(told: dict, folder: Path) -> None:
    """As the sentence beside the proof says it, with sha256sum and openssl."""
    proof = told["inclusion_proof"]
    made = sha256(b"\0" + told["entry"].encode())
    assert made.hex() == proof["leaf_hash"]
    for listed, side in zip(map(bytes.fromhex, proof["hashes"]), proof["sides"], strict=True):
        made = sha256(b"\1" + (listed + made if side == "left" else made + listed))
    text_signed, lines = told["checkpoint"].split("\n\n")
    _, size, root = text_signed.splitlines()
    assert made.hex() == proof["root_hash"] == base64.b64decode(root).hex()
    assert int(size) == proof["tree_size"]
    signature = base64.b64decode(lines.splitlines()[0].split(" ")[2])[4:]
    signed = (text_signed + "\n").encode()
    assert openssl_verifies(told["public_key"].encode(), signed, signature, folder)
    assert not openssl_verifies(told["public_key"].encode(), signed + b"\n", signature, folder)


def sha256(content: bytes) -> bytes:
    done = subprocess.run(["sha256sum"], input=content, capture_output=True, check=True)
    return bytes.fromhex(done.stdout.split()[0].decode())


def test_there_is_no_proof_of_what_is_not_there_or_not_signed(portal: Portal) -> None:
    size = len(lines_of(portal))
    assert f"no entry {size + 1}" in refused("proof", size + 1)
    assert f"No checkpoint covers entry {size}" in refused("proof", size)
    assert "No checkpoint covers entry 21: the one of 20 ends before it" in refused("proof", 21, "--size", 20)
    assert "no checkpoint of 19" in refused("proof", 3, "--size", 19)
