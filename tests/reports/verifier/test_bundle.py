"""A bundle holds as it was made, and every change to it is found: by the single file, and so by countersign verify."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from reports.evidence.verify import Trusted as Given
from reports.evidence.verify import verify_file
from reports.verifier import recount
from reports.verifier import verify as single
from reports.verifier.recount import Recount, check_archive, check_report_pages, check_rows
from reports.verifier.verify import PeriodLedger, Result, Trusted, check_path
from tests.reports.verifier.conftest import GenuineBundle, zipped

Members = dict[str, bytes]


def failing(result: Result) -> set[str]:
    return {name for name, holds, _ in result.checks if holds is False}


def checked(tmp_path: Path, content: bytes, *keys: str) -> Result:
    file = tmp_path / "AR-000001.zip"
    file.write_bytes(content)
    return check_path(file, Trusted.of(keys))


def test_a_genuine_bundle_is_proven_with_the_ledgers_key(bundle: GenuineBundle) -> None:
    result = check_path(bundle.path, Trusted.of([bundle.verifier]))
    assert [check for check in result.checks if check[1] is False] == []
    assert [name for name, holds, _ in result.checks if holds is None] == ["draw", "rows", "unsigned"]
    assert result.proven
    assert result.reference == "AR-000001"
    assert result.claim == "5 requests from 2026-10-31 23:00 to 2026-11-30 23:00 UTC, 2 of them drawn."
    names = {name for name, holds, _ in result.checks if holds}
    assert {
        "pdf-signature",
        "consistency",
        "query",
        "population",
        "sample",
        "pages",
        "members",
        "evidence",
    } <= names
    assert {"ledger", "completeness", "ledger-key"} <= names


def recounted(path: Path) -> Result:
    """What the second reading says of a bundle that holds."""
    bundle, result = single.Bundle(path), Result(path.name)
    opened = single.open_pdf(bundle.read("report.pdf"), Trusted(), Result(path.name))
    assert opened is not None
    check_archive(path)
    check_rows(bundle, opened, result)
    check_report_pages(opened, result)
    return result


def test_the_second_reading_tells_what_the_first_leaves_open(bundle: GenuineBundle) -> None:
    told = {name: holds for name, holds, _ in recounted(bundle.path).checks}
    assert told == {
        "rows": True,
        "duties": True,
        "figures": True,
        "lists": True,
        "tables": None,
        "register": True,
    }


@pytest.mark.parametrize(
    ("part", "other"),
    [("version", 9), ("promise", "missed"), ("kind", "emergency"), ("seal", f"sha256:{0:064}")],
)
def test_the_second_reading_holds_english_pages_to_every_word_of_the_register(
    bundle: GenuineBundle, part: str, other: object
) -> None:
    """The digest of the facts is the one that the pages state, so that nothing but the row is another."""
    opened = single.open_pdf(bundle.members["report.pdf"], Trusted(), Result("report.pdf"))
    assert opened is not None
    row = next(one for one in opened.told["population"]["rows"] if one["reference"] == bundle.early)
    assert row[part] != other
    row[part] = other
    result = Result("report.pdf")
    check_report_pages(opened, result)
    assert {(name, holds) for name, holds, _ in result.checks} == {("register", False)}
    assert all(said.startswith("The pages leave out what the facts say") for _, _, said in result.checks)


def test_without_a_key_it_says_what_remains_unproved(bundle: GenuineBundle) -> None:
    result = check_path(bundle.path, Trusted())
    assert result.holds
    assert not result.proven
    assert "remains unproved" in result.verdict


def test_the_files_that_the_bundle_carries_run_alone_and_are_those_that_were_tested(
    tmp_path: Path, bundle: GenuineBundle
) -> None:
    """Unpacked, isolated from this checkout, as an auditor runs them; they leave nothing behind in the bundle."""
    for name, content in bundle.members.items():
        path = tmp_path / "AR" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def run(module: ModuleType, *further: str) -> subprocess.CompletedProcess[str]:
        program = tmp_path / "AR" / Path(str(module.__file__)).name
        assert program.read_bytes() == Path(str(module.__file__)).read_bytes()
        command = [sys.executable, "-I", str(program), str(tmp_path / "AR"), *further]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    for module in (recount, single, recount):
        done = run(module, "--key", bundle.verifier, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert told["holds"]
        assert told["proven"]
    (tmp_path / "AR" / "sample.csv").write_bytes(b"reference\n")
    for module in (single, recount):
        done = run(module, "--key", bundle.verifier)
        assert done.returncode == 1
        assert "sample.csv is not the file that the report names." in done.stdout
        done = run(module, "--key", "nonsense")
        assert done.returncode == 2
        assert "is no key" in done.stderr


def test_an_output_that_has_not_every_sign_breaks_nothing(tmp_path: Path, bundle: GenuineBundle) -> None:
    """As where a verdict is written into a file on a machine that does not write UTF-8."""
    file = tmp_path / "SR-000001.pdf"
    file.write_bytes(bundle.members[f"evidence/{bundle.early}.pdf"])
    command = [sys.executable, str(single.__file__), str(file)]
    done = subprocess.run(command, capture_output=True, env={"PYTHONIOENCODING": "cp1252"}, check=False)
    assert done.returncode == 0, done.stderr
    assert b"? The PDF's signature is intact" in done.stdout


def test_countersign_verify_says_the_same_of_bundle_folder_and_report(
    tmp_path: Path, bundle: GenuineBundle
) -> None:
    trusted = Given.of([bundle.verifier])
    looked_at: list[str] = []
    result = verify_file(bundle.path, trusted=trusted, progress=looked_at.append)
    assert [check.line for check in result.checks if check.holds is False] == []
    assert result.proven
    assert "ledger.jsonl" in looked_at
    report = tmp_path / "report.pdf"
    report.write_bytes(bundle.members["report.pdf"])
    alone = verify_file(report, trusted=trusted)
    assert alone.proven
    assert [check.name for check in alone.checks if check.holds is None] == ["draw", "bundle"]
    report.write_bytes(bundle.members["report.pdf"] + b"\n")
    assert not verify_file(report, trusted=trusted).holds


#: The evidence of whichever request was drawn first.
EVIDENCE = "evidence/*"


def named(members: Members, name: str) -> str:
    return min(one for one in members if one.startswith("evidence/")) if name == EVIDENCE else name


def replaced(name: str, change: Callable[[bytes], bytes]) -> Callable[[Members], Members]:
    return lambda members: {**members, named(members, name): change(members[named(members, name)])}


def without(name: str) -> Callable[[Members], Members]:
    return lambda members: {one: content for one, content in members.items() if one != named(members, name)}


def with_evidence_exchanged(members: Members) -> Members:
    one, other = sorted(name for name in members if name.startswith("evidence/"))
    return {**members, one: members[other], other: members[one]}


def line_removed(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:9] + lines[10:])


def lines_exchanged(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    lines[3], lines[4] = lines[4], lines[3]
    return b"".join(lines)


#: What is changed, and the checks that find it.
CHANGES: dict[str, tuple[Callable[[Members], Members], set[str]]] = {
    "a byte of the report": (
        replaced("report.pdf", lambda c: c[:9_000] + b"x" + c[9_001:]),
        {"pdf-signature", "bundle"},
    ),
    "no report": (without("report.pdf"), {"bundle"}),
    "evidence for a report": (lambda m: {**m, "report.pdf": m[named(m, EVIDENCE)]}, {"bundle"}),
    "other facts": (replaced("audit.json", lambda c: c.replace(b"SR-000002", b"SR-000009")), {"members"}),
    "another schema": (replaced("audit.schema.json", lambda c: b"{}"), {"members"}),
    "a table": (replaced("tables/controls.csv", lambda c: c + b"x"), {"members"}),
    "the register": (
        replaced("population.csv", lambda c: c.replace(b"SR-000002", b"SR-000009")),
        {"members"},
    ),
    "a checkpoint": (replaced("checkpoints/made.note", lambda c: c.replace(b"\n", b"\n1", 1)), {"members"}),
    "a member added": (lambda m: {**m, "evidence/SR-000009.pdf": b"%PDF-"}, {"members"}),
    "a member removed": (without("tables/controls.csv"), {"members"}),
    "no verifier": (without("verify.py"), {"members"}),
    "evidence removed": (without(EVIDENCE), {"members", "evidence"}),
    "evidence exchanged": (with_evidence_exchanged, {"members", "evidence"}),
    "a byte of evidence": (replaced(EVIDENCE, lambda c: c[:900] + b"x" + c[901:]), {"members", "evidence"}),
    "a line of the ledger removed": (replaced("ledger.jsonl", line_removed), {"members", "ledger"}),
    "two lines exchanged": (replaced("ledger.jsonl", lines_exchanged), {"members", "ledger"}),
    "the ledger cut off": (replaced("ledger.jsonl", lambda c: c[:-30]), {"members", "ledger"}),
    "the last line removed": (
        replaced("ledger.jsonl", lambda c: c[: c[:-1].rindex(b"\n") + 1]),
        {"members", "ledger"},
    ),
    "an entry edited": (
        replaced("ledger.jsonl", lambda c: c.replace(b"approval:approved", b"approval:denied", 1)),
        {"members", "ledger"},
    ),
    "no ledger": (replaced("ledger.jsonl", lambda c: b""), {"members", "ledger"}),
    "a line that is no JSON": (replaced("ledger.jsonl", lambda c: b"{{" + c), {"members", "ledger"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_member_is_found(tmp_path: Path, bundle: GenuineBundle, what: str) -> None:
    change, wanted = CHANGES[what]
    result = checked(tmp_path, zipped(change(bundle.members)), bundle.verifier)
    assert failing(result) == wanted
    assert all(sentence.endswith(".") for _, holds, sentence in result.checks if holds is False)


def packed(write: Callable[[zipfile.ZipFile], None]) -> Callable[[Members], bytes]:
    def make(members: Members) -> bytes:
        made = io.BytesIO(zipped(members))
        with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
            write(archive)
        return made.getvalue()

    return make


def linked(archive: zipfile.ZipFile) -> None:
    link = zipfile.ZipInfo("population.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    archive.writestr(link, "/etc/passwd")


def twice(archive: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("audit.json", b"{}")


def with_a_lying_size(members: Members) -> bytes:
    """A bomb: the directory says that a member is small."""
    content = zipped({**members, "population.csv": b"0" * 40_000_000})
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"population.csv"))
    return content[: at + 24] + (2_000).to_bytes(4, "little") + content[at + 28 :]


PACKINGS: dict[str, Callable[[Members], bytes]] = {
    "a path that leads out": packed(lambda archive: archive.writestr("../evil.pdf", b"x")),
    "a path from the root": packed(lambda archive: archive.writestr("/evil.pdf", b"x")),
    "a path of another system": packed(lambda archive: archive.writestr("C:\\evil.pdf", b"x")),
    "a folder": packed(lambda archive: archive.writestr("empty/", b"")),
    "a link": packed(linked),
    "a member twice": packed(twice),
    "a bomb": packed(lambda archive: archive.writestr("bomb.csv", b"0" * 30_000_000)),
    "a bomb that says that it is small": with_a_lying_size,
    "a member packed otherwise": packed(lambda archive: archive.writestr("x.csv", b"x", zipfile.ZIP_BZIP2)),
    "bytes before it": lambda members: b"PK\x03\x04" + b"x" * 60 + zipped(members),
    "a word behind it": packed(lambda archive: setattr(archive, "comment", b"hello")),
    "cut off": lambda members: zipped(members)[:-100],
    "nothing but its first bytes": lambda members: b"PK\x03\x04",
}


#: What shows every program that reads the directory the same members: the second reading alone minds it.
AROUND = {"bytes before it", "a word behind it"}


@pytest.mark.parametrize("what", PACKINGS)
def test_what_no_bundle_is_is_refused_with_a_sentence(
    tmp_path: Path, bundle: GenuineBundle, what: str
) -> None:
    content = PACKINGS[what](bundle.members)
    result = checked(tmp_path, content, bundle.verifier)
    assert result.holds == (what in AROUND)
    assert all(sentence.endswith(".") for _, holds, sentence in result.checks if holds is False)
    with pytest.raises(single.Wrong, match="no ZIP file as Countersign writes it"):
        check_archive(tmp_path / "AR-000001.zip")
    again = verify_file(tmp_path / "AR-000001.zip", trusted=Given.of([bundle.verifier]))
    assert [check.name for check in again.checks] == ["bundle"]


def test_a_folder_with_a_link_is_refused(tmp_path: Path, bundle: GenuineBundle) -> None:
    (tmp_path / "report.pdf").write_bytes(bundle.members["report.pdf"])
    (tmp_path / "audit.json").symlink_to("/etc/passwd")
    assert failing(check_path(tmp_path, Trusted())) == {"bundle"}


def test_a_folder_with_what_is_no_file_is_refused_before_it_is_opened(
    tmp_path: Path, bundle: GenuineBundle
) -> None:
    (tmp_path / "report.pdf").write_bytes(bundle.members["report.pdf"])
    os.mkfifo(tmp_path / "audit.json")
    assert failing(check_path(tmp_path, Trusted())) == {"bundle"}


def test_withheld_lines_still_give_the_root(bundle: GenuineBundle) -> None:
    """For an auditor of one unit: what is not theirs is a hash, and completeness is proven all the same."""
    told = json.loads(bundle.members["audit.json"])
    lines = bundle.members["ledger.jsonl"].splitlines()
    hidden = 0
    for index, line in enumerate(lines):
        body = json.loads(line)
        if not body["subject"].startswith(("request:", "audit:")):
            leaf = base64.b64encode(single.leaf_hash(line)).decode()
            lines[index] = single.canonical({"leaf_hash": leaf, "number": body["number"]})
            hidden += 1
    assert hidden
    withheld = {**told, "disclosure": "scope", "withheld": hidden}
    ledger, recount = PeriodLedger(withheld), Recount(withheld)
    ledger.read(lines)
    recount.read(lines)
    assert [*ledger.problems, *ledger.completeness_problems(), *recount.rows(), *recount.duties()] == []
    with pytest.raises(single.Wrong, match="withheld, but the whole ledger"):
        PeriodLedger({**told, "withheld": hidden}).read(lines)
    lied = PeriodLedger({**told, "disclosure": "scope"})
    lied.read(lines)
    assert [*lied.completeness_problems()] == [f"{hidden} lines of the ledger are withheld, not 0."]
