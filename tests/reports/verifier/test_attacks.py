"""What an insider with the portal, its database and the key that signs PDF files tried, and how each of it is found."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports.evidence.verify import verify_file
from reports.verifier import verify as single
from reports.verifier.recount import Recount, check_archive, list_problems
from reports.verifier.verify import Bundle, Opened, Pdf, PeriodLedger, Signed
from tests.reports.verifier.conftest import GenuineBundle, zipped
from tests.reports.verifier.test_report import judged

Told = dict[str, Any]


def told_of(bundle: GenuineBundle) -> Told:
    return dict(json.loads(bundle.members["audit.json"]))


# ---- The archive ------------------------------------------------------------------------------------------------------


def with_a_member_that_no_directory_names(content: bytes) -> bytes:
    """A program that reads from the front unpacks it; one that reads the directory never sees it."""
    hidden = io.BytesIO()
    with zipfile.ZipFile(hidden, "w") as archive:
        archive.writestr("evidence/SR-000099.pdf", b"%PDF-")
    end = content.rindex(b"PK\x05\x06")
    (start,) = struct.unpack_from("<L", content, end + 16)
    part = hidden.getvalue()[: hidden.getvalue().index(b"PK\x01\x02")]
    head = content[end : end + 16] + struct.pack("<L", start + len(part)) + content[end + 20 :]
    return content[:start] + part + content[start:end] + head


def with_a_second_name(content: bytes) -> bytes:
    """The same length, so that nothing moves: the front says another name than the directory does."""
    return content.replace(b"README.txt", b"README.pdf", 1)


def with_further_members(*names: str, extra: bytes = b"") -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        made = io.BytesIO(content)
        with zipfile.ZipFile(made, "a") as archive:
            for name in names:
                member = zipfile.ZipInfo(name)
                member.extra = extra
                archive.writestr(member, b"x")
        return made.getvalue()

    return change


def packed_with(content: bytes, name: str) -> bytes:
    """A further member in an archive that is otherwise as the portal writes it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return zipped({**{one: archive.read(one) for one in archive.namelist()}, name: b"x"})


#: Info-ZIP's field 0x7075: a name that some programs show in the place of the other.
OTHER_NAME = struct.pack("<HHBL", 0x7075, 6, 1, 0) + b"x"
ARCHIVES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a member that no directory names": (with_a_member_that_no_directory_names, "as Countersign writes"),
    "a second name": (with_a_second_name, "as Countersign writes"),
    "a name for some programs": (with_further_members("x.csv", extra=OTHER_NAME), "as Countersign writes"),
    "two names that are one elsewhere": (
        lambda content: packed_with(content, "SAMPLE.csv"),
        "that no bundle has",
    ),
    "two names in Unicode": (with_further_members("e\u0301.csv", "\u00e9.csv"), "as Countersign writes"),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_an_archive_shows_every_program_the_same_members(
    tmp_path: Path, bundle: GenuineBundle, what: str
) -> None:
    change, wanted = ARCHIVES[what]
    file = tmp_path / "AR-000001.zip"
    file.write_bytes(change(zipped(bundle.members)))
    (check,) = verify_file(file).checks
    assert (check.name, check.holds) == ("bundle", False)
    assert wanted in check.sentence


def test_no_byte_around_what_is_packed_can_be_another(tmp_path: Path, bundle: GenuineBundle) -> None:
    """Headers, directory and end: each of their bytes, changed alone, is found before anything is unpacked."""
    file = tmp_path / "AR-000001.zip"
    names = ("README.txt", "audit.json", "tables/controls.csv")
    content = zipped({name: bundle.members[name] for name in names})
    file.write_bytes(content)
    check_archive(file)
    assert set(Bundle(file).sizes) == set(names)
    with zipfile.ZipFile(file) as archive:
        members, start = archive.infolist(), archive.start_dir
    around = [one.header_offset + at for one in members for at in range(30 + len(one.filename))]
    for at in [*around, *range(start, len(content))]:
        file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(single.Wrong):
            check_archive(file)


# ---- Members that fit their digests, which the insider signed ------------------------------------------------------


def members_problems(tmp_path: Path, bundle: GenuineBundle, members: dict[str, bytes]) -> list[str]:
    """What both readings say. As an insider would: every digest made to fit the members again."""
    told = told_of(bundle)
    told["files"] = [
        {"name": name, "digest": "sha256:" + hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in sorted(members.items())
        if name not in single.UNLISTED
    ]
    facts = single.canonical(told)
    file = tmp_path / "AR-000001.zip"
    file.write_bytes(zipped({**members, "audit.json": facts}))
    opened = Opened(Signed(b"", None), Pdf(members["report.pdf"]), "audit.json", told, {"audit.json": facts})
    result = single.Result("members")
    single.check_members(Bundle(file), opened, result)
    assert result.holds, "the first reading finds the files that the report names"
    return list(list_problems(Bundle(file), opened))


def test_tables_that_tell_something_else_than_the_facts_are_found(
    tmp_path: Path, bundle: GenuineBundle
) -> None:
    assert members_problems(tmp_path, bundle, bundle.members) == []
    for name, was, forged in (
        ("population.csv", b"rejected", b"fulfilled"),
        ("sample.csv", b"1,SR-", b"7,SR-"),
    ):
        assert was in bundle.members[name]
        changed = {**bundle.members, name: bundle.members[name].replace(was, forged)}
        assert members_problems(tmp_path, bundle, changed) == [
            f"{name} tells something else than the report's facts."
        ]


def test_a_member_that_no_bundle_has_is_found_even_where_the_report_names_it(
    tmp_path: Path, bundle: GenuineBundle
) -> None:
    name = "evidence/SR-000099.pdf"
    found = members_problems(tmp_path, bundle, {**bundle.members, name: b"%PDF-"})
    assert found == [f"The report names {name}, which no bundle has."]
    for name in ("statement.pdf", "tables/x.pdf"):
        with pytest.raises(single.Wrong, match="a member that no bundle has"):
            members_problems(tmp_path, bundle, {**bundle.members, name: b"%PDF-"})


# ---- The period, the filter and the draw ---------------------------------------------------------------------------


EDITS: dict[str, Callable[[Told], object]] = {
    "a zone that does not exist": lambda t: t["query"].update(zone="Europe/Atlantis"),
    "a filter that was not ordered": lambda t: t["query"].update(offerings=["firewall-opening"]),
    "controls that were not ordered": lambda t: t["query"].update(controls=["SOC 2 TSC 2017 CC6.1"]),
    "a scope that was not ordered": lambda t: t.update(disclosure="scope"),
}


@pytest.mark.parametrize("what", EDITS)
def test_a_query_is_the_one_that_was_ordered(bundle: GenuineBundle, what: str) -> None:
    told = told_of(bundle)
    assert judged(bundle, copy.deepcopy(told)) == set()
    EDITS[what](told)
    assert "query" in judged(bundle, told)


def test_a_draw_from_a_second_root_is_found(bundle: GenuineBundle) -> None:
    """Counted and drawn, it did not suit: counted again from a later head, with the auditor's word known."""
    told = told_of(bundle)
    mine: Told = {"at": told["as_of"], "actor": "portal", "subject": f"audit:{told['reference']}"}
    for tag in ("audit:counted", "audit:nonce-given"):
        ledger = PeriodLedger(told)
        ledger.read_entry(9, {**mine, "tag": tag, "facts": {"nonce": told["sample"]["nonce"]}})
        assert ledger.problems == [
            f"Entry 9 ({tag}): this audit was counted or drawn before, from another head."
        ]
    other: Told = {**mine, "subject": "audit:AR-000007", "tag": "audit:nonce-given"}
    ledger = PeriodLedger(told)
    ledger.read_entry(9, {**other, "facts": {"nonce": told["sample"]["nonce"]}})
    assert (ledger.problems, ledger.word_was_said) == ([], ["AR-000007 (entry 9)"])


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-10-01T08:00:00+00:00", "was submitted, by its own word, long before the entries before it"),
        (
            "2027-03-01T08:00:00+00:00",
            "was written, by its own word, long before a request that stands before it",
        ),
    ],
)
def test_a_submission_that_is_dated_out_of_the_period_is_found(
    bundle: GenuineBundle, at: str, said: str
) -> None:
    ledger = PeriodLedger(told_of(bundle))
    lines = [json.loads(line) for line in bundle.members["ledger.jsonl"].splitlines()]
    last = [one for one in lines if one["tag"] == "request:submitted"][-1]
    last["at"] = at
    for body in lines:
        ledger.read_entry(body["number"], body)
    (problem,) = ledger.problems
    assert said in problem


def test_the_first_submission_is_held_against_the_last_entry_before_the_period(bundle: GenuineBundle) -> None:
    told = told_of(bundle)
    lines = [json.loads(line) for line in bundle.members["ledger.jsonl"].splitlines()]
    first = next(one for one in lines if one["tag"] == "request:submitted")
    ledger = PeriodLedger(told)
    ledger.read_entry(first["number"], first)
    assert ledger.problems == []
    ledger = PeriodLedger(told)
    ledger.read_entry(first["number"], {**first, "at": "2026-10-01T08:00:00+00:00"})
    assert ["long before the entries before it" in problem for problem in ledger.problems] == [True]


# ---- Who approved what -----------------------------------------------------------------------------------------------


def played(told: Told, *after: Told) -> list[str]:
    """The duties that fail for one request that its own requester approved, and for what was written afterwards."""
    told = copy.deepcopy(told)
    reference, at = told["population"]["rows"][0]["reference"], told["as_of"]
    told["population"]["rows"] = [
        {**told["population"]["rows"][0], "requester": "person:1", "beneficiary": "person:2"}
    ]
    said = {"kind": "normal", "requester": "person:1", "beneficiary": "person:3"}
    approver: Told = {"actor": "person:3", "tag": "approval:approved", "facts": {"revision": 1}}
    first: Told = {"actor": "person:1", "tag": "request:submitted", "facts": said}
    done: list[Told] = [{"tag": "fulfilment:started"}, {"tag": "request:fulfilled"}]
    about: Told = {"actor": "portal", "facts": {}, "subject": f"request:{reference}", "at": at}
    recount = Recount(told)
    recount.read(single.canonical({**about, **body}) for body in (first, approver, *done, *after))
    return list(recount.duties())


def test_what_is_written_after_the_work_excuses_nobody(bundle: GenuineBundle) -> None:
    told = told_of(bundle)
    afterwards: tuple[Told, ...] = (
        {"tag": "request:prepared", "facts": {"beneficiary": "person:2", "kind": "standard"}},
        {"tag": "approval:voided", "facts": {"revision": 1, "person": "person:3"}},
        {"tag": "standing:used"},
    )
    for after in afterwards:
        assert any("approved what they asked for or receive" in one for one in played(told, after))


# ---- Figures, pages and what signing adds ----------------------------------------------------------------------------


def test_figures_of_the_chapters_follow_from_rows_and_ledger(bundle: GenuineBundle) -> None:
    told = told_of(bundle)
    recount = Recount(told)
    recount.read(bundle.members["ledger.jsonl"].splitlines())
    assert list(recount.figures()) == []
    sections = told["sections"]
    sections["duties"]["approvals"] += 1
    sections["timeliness"]["offerings"][0]["kept"] += 1
    sections["controls"]["lines"][0]["requests"] += 1
    sections["logging"]["tags"].pop()
    assert len(list(recount.figures())) == 4
