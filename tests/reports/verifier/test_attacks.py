"""What an insider with the portal, its database and the key that signs PDF files tried, and how each of it is found."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from reports.audits.verify.again import differences
from reports.verifier import verify as single
from reports.verifier.verify import Bundle, Opened, Pdf, Recount, Signed, Trusted, check_path
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
    result = check_path(file, Trusted())
    assert not result.holds
    assert wanted in result.checks[-1][2]


def test_no_byte_around_what_is_packed_can_be_another(tmp_path: Path, bundle: GenuineBundle) -> None:
    """Headers, directory and end: each of their bytes, changed alone, is found before anything is unpacked."""
    file = tmp_path / "AR-000001.zip"
    names = ("README.txt", "audit.json", "tables/controls.csv")
    content = zipped({name: bundle.members[name] for name in names})
    file.write_bytes(content)
    assert set(Bundle(file).sizes) == set(names)
    with zipfile.ZipFile(file) as archive:
        members, start = archive.infolist(), archive.start_dir
    around = [one.header_offset + at for one in members for at in range(30 + len(one.filename))]
    for at in [*around, *range(start, len(content))]:
        file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(single.Wrong):
            Bundle(file)


# ---- Members that fit their digests, which the insider signed ------------------------------------------------------


def members_problems(tmp_path: Path, bundle: GenuineBundle, members: dict[str, bytes]) -> list[str]:
    """As an insider would: every digest made to fit the members again."""
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
    return list(single._members(Bundle(file), opened))


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
    "days in another form": lambda t: t["query"].update(first_day="20261101"),
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
        recount = Recount(told, {})
        recount._entry(9, {**mine, "tag": tag, "facts": {"nonce": told["sample"]["nonce"]}})
        assert len(list(recount.evidence())) == 1
    other: Told = {**mine, "subject": "audit:AR-000007", "tag": "audit:nonce-given"}
    recount = Recount(told, {})
    recount._entry(9, {**other, "facts": {"nonce": told["sample"]["nonce"]}})
    assert recount.known_word == ["AR-000007 (entry 9)"]


def test_a_submission_that_is_dated_back_out_of_the_period_is_found(bundle: GenuineBundle) -> None:
    told = told_of(bundle)
    recount = Recount(told, {})
    lines = [json.loads(line) for line in bundle.members["ledger.jsonl"].splitlines()]
    last = [one for one in lines if one["tag"] == "request:submitted"][-1]
    last["at"] = "2026-10-01T08:00:00+00:00"
    for body in lines:
        recount._entry(body["number"], body)
    assert any("long before the entries before it" in problem for problem in recount.completeness())


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
    recount = Recount(told, {})
    first: Told = {"actor": "person:1", "tag": "request:submitted", "facts": said}
    done: list[Told] = [{"tag": "fulfilment:started"}, {"tag": "request:fulfilled"}]
    for number, body in enumerate((first, approver, *done, *after), 1):
        entry = {"actor": "portal", "facts": {}, "subject": f"request:{reference}", "at": at, **body}
        recount._entry(number, entry)
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
    recount = Recount(told, {})
    recount.read(bundle.members["ledger.jsonl"].splitlines())
    assert list(recount.figures()) == []
    sections = told["sections"]
    sections["duties"]["approvals"] += 1
    sections["timeliness"]["offerings"][0]["kept"] += 1
    sections["controls"]["lines"][0]["requests"] += 1
    sections["logging"]["tags"].pop()
    assert len(list(recount.figures())) == 4


def before_signing(bundle: GenuineBundle) -> bytes:
    content = bundle.members["report.pdf"]
    return content[: content.index(b"%%EOF") + 6]


def with_changes(content: bytes, change: Callable[[IncrementalPdfFileWriter], object]) -> bytes:
    """What may be put behind a file before it is signed."""
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    change(writer)
    changed = io.BytesIO()
    writer.write(changed)  # type: ignore[no-untyped-call]
    return changed.getvalue()


def first_page(writer: IncrementalPdfFileWriter) -> generic.DictionaryObject:
    page = writer.root["/Pages"]
    while "/Kids" in page:
        page = page["/Kids"][0]
    writer.update_container(page)
    return page


def note(**entries: str) -> Callable[[IncrementalPdfFileWriter], object]:
    """An annotation on the first page."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        box = generic.ArrayObject(map(generic.NumberObject, (50, 550, 200, 650)))
        one = {"/Type": "/Annot", **{f"/{name}": value for name, value in entries.items()}}
        made = {generic.NameObject(name): generic.NameObject(value) for name, value in one.items()}
        made[generic.NameObject("/Rect")] = box
        added = writer.add_object(generic.DictionaryObject(made))
        first_page(writer)[generic.NameObject("/Annots")] = generic.ArrayObject([added])

    return change


def entry(name: str) -> Callable[[IncrementalPdfFileWriter], object]:
    """An entry of the catalogue."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root[generic.NameObject(name)] = generic.DictionaryObject()
        writer.update_root()

    return change


def further_file(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/AF"].append(writer.root["/AF"][0])
    writer.update_root()


def script(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/Names"][generic.NameObject("/JavaScript")] = generic.DictionaryObject()
    writer.update_root()


def form(writer: IncrementalPdfFileWriter) -> None:
    writer.root[generic.NameObject("/AcroForm")] = generic.DictionaryObject(
        {generic.NameObject("/XFA"): generic.ArrayObject()}
    )
    writer.update_root()


def of_the_page(name: str) -> Callable[[IncrementalPdfFileWriter], object]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        first_page(writer)[generic.NameObject(name)] = generic.DictionaryObject()

    return change


NEVER = "what evidence never has"
ADDED: dict[str, tuple[Callable[[IncrementalPdfFileWriter], object], str]] = {
    "a note over a page": (note(Subtype="/FreeText", Contents="/No"), NEVER),
    "a note that calls itself a link": (note(Type="/Link", Subtype="/FreeText", Contents="/No"), NEVER),
    "a stamp that calls itself a link": (note(Type="/Link", Subtype="/Stamp"), NEVER),
    "a field over a page": (note(Subtype="/Widget", AP="/No"), NEVER),
    "a link that acts": (note(Subtype="/Link", A="/No"), NEVER),
    "a link with a look": (note(Subtype="/Link", AP="/No"), NEVER),
    "an action": (entry("/OpenAction"), NEVER),
    "more actions": (entry("/AA"), NEVER),
    "layers": (entry("/OCProperties"), NEVER),
    "a collection": (entry("/Collection"), NEVER),
    "rights": (entry("/Perms"), NEVER),
    "a script": (script, NEVER),
    "a form": (form, NEVER),
    "an action of a page": (of_the_page("/AA"), NEVER),
    "a file of a page": (of_the_page("/AF"), NEVER),
    "a further file": (further_file, "more files than it names"),
}


@pytest.mark.parametrize("what", ADDED)
def test_what_no_evidence_has_is_refused(bundle: GenuineBundle, what: str) -> None:
    change, sentence = ADDED[what]
    plain = before_signing(bundle)
    assert Pdf(plain).attachments().keys() == {"audit.json", "audit.schema.json", "after.note"}
    with pytest.raises(single.Wrong, match=sentence):
        Pdf(with_changes(plain, change)).attachments()


def shown(content: bytes) -> Callable[[IncrementalPdfFileWriter], object]:
    """The first page with something on top of what it has."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        added = writer.add_object(generic.StreamObject(stream_data=content))
        first_page(writer)["/Contents"].append(added)

    return change


def letter(writer: IncrementalPdfFileWriter) -> None:
    """A font's letters that mean others: a range of codes behind the one by one."""
    fonts = first_page(writer)["/Resources"]["/Font"]
    font = fonts[next(iter(fonts))]
    meaning = font["/ToUnicode"].data.replace(
        b"endcmap", b"1 beginbfrange\n<0003> <00ff> <0041>\nendbfrange\nendcmap"
    )
    font[generic.NameObject("/ToUnicode")] = writer.add_object(generic.StreamObject(stream_data=meaning))
    writer.update_container(font)


OTHERWISE = "drawn in another way than evidence is"
DRAWN: dict[str, tuple[Callable[[IncrementalPdfFileWriter], object], str]] = {
    "invisible text": (shown(b"BT\n3 Tr\nET"), OTHERWISE),
    "text by another operator": (shown(b"BT\n<0041> '\nET"), OTHERWISE),
    "text in a string of another form": (shown(b"BT\n(A) Tj\nET"), OTHERWISE),
    "text in the place of another": (shown(b"/Span\n<</ActualText (A)>>\nBDC\nEMC"), OTHERWISE),
    "text of a layer": (shown(b"/OC /L1 BDC\nEMC"), OTHERWISE),
    "an image in the line": (shown(b"BI /W 1 /H 1 ID x EI"), OTHERWISE),
    "a comment": (shown(b"% q"), OTHERWISE),
    "letters that mean others": (letter, "says in another way what its letters mean"),
}


@pytest.mark.parametrize("what", DRAWN)
def test_pages_that_are_drawn_otherwise_are_not_read(bundle: GenuineBundle, what: str) -> None:
    change, sentence = DRAWN[what]
    plain = before_signing(bundle)
    nothing = with_changes(plain, shown(b"q\nQ"))
    assert single.text_of_pages(Pdf(nothing)) == single.text_of_pages(Pdf(plain))
    with pytest.raises(single.Wrong, match=sentence):
        single.text_of_pages(Pdf(with_changes(plain, change)))


def by_another_program(content: bytes) -> bytes:
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.save(made, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return made.getvalue()


def a_third_section(content: bytes) -> bytes:
    return with_changes(with_changes(content, entry("/PageMode")), entry("/PageMode"))


def a_longer_stream(content: bytes) -> bytes:
    """Read by its length it is another one than read up to its end."""
    return re.sub(
        rb"(/Type /ObjStm.{,60}/Length \d*?)([0-8])>>", lambda one: one[1] + b"9>>", content, flags=re.DOTALL
    )


STRUCTURES: dict[str, Callable[[bytes], bytes]] = {
    "laid down by another program": by_another_program,
    "changed twice": a_third_section,
    "a stream of another length": a_longer_stream,
    "nothing at its end": lambda content: content + b"\n",
    "another beginning of its end": lambda content: content.replace(b"\nstartxref\n", b"\nstartxref\n1"),
}


@pytest.mark.parametrize("what", STRUCTURES)
def test_a_structure_that_two_programs_may_read_in_two_ways_is_refused(
    bundle: GenuineBundle, what: str
) -> None:
    plain = before_signing(bundle)
    changed = STRUCTURES[what](plain)
    assert changed != plain
    with pytest.raises(single.Wrong, match="own structure cannot be read"):
        Pdf(changed)


def test_what_signing_adds_replaces_no_page(bundle: GenuineBundle) -> None:
    """The file begins as it was laid out, and what is put behind it before it is signed shows something else."""
    plain = before_signing(bundle)
    assert list(differences(bundle.members["report.pdf"], plain)) == []

    def other_content(writer: IncrementalPdfFileWriter) -> None:
        content = generic.StreamObject(stream_data=b"BT ET")
        first_page(writer)["/Contents"] = writer.add_object(content)

    forged = with_changes(plain, other_content)
    assert forged.startswith(plain)
    assert any("replaces" in one for one in differences(forged, plain))
