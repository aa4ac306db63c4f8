"""The form of a file: nothing may lie in it that Countersign never writes, and no program may find another thing in it."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from reports.audits.verify.again import differences
from reports.verifier import recount
from reports.verifier import verify as single
from reports.verifier.recount import Pdf, check_form
from reports.verifier.verify import Result, Wrong
from tests.reports.verifier.conftest import GenuineBundle


def said_of(content: bytes) -> list[str]:
    """What does not hold of its form."""
    result = Result("report.pdf")
    check_form(content, single.Pdf(content), result)
    assert result.checks
    return [sentence for _, holds, sentence in result.checks if not holds]


def test_both_ways_of_reading_find_the_same_pages_and_files(bundle: GenuineBundle) -> None:
    pdfs = [content for name, content in bundle.members.items() if name.endswith(".pdf")]
    assert len(pdfs) == 3
    for content in pdfs:
        assert single.Pdf(content).attachments() == Pdf(content).attachments()
        assert recount.in_order(single.text_of_pages(single.Pdf(content))) == recount.text_of_pages(
            Pdf(content)
        )
        assert said_of(content) == []


#: Where no signature reaches: behind the container, and what in it is not signed.
UNSIGNED: dict[str, Callable[[bytes], bytes]] = {
    "the space behind the container": lambda room: room[:-2] + b"41",
    "the version of the container": lambda room: room.replace(b"0201013", b"0201033", 1),
    "a second certificate": lambda room: room[:200] + room,
}


@pytest.mark.parametrize("what", UNSIGNED)
def test_the_room_of_the_signature_holds_the_signature_alone(bundle: GenuineBundle, what: str) -> None:
    content = bundle.members["report.pdf"]
    start = content.index(b"/Contents <", content.index(b"/Type /Catalog")) + len(b"/Contents <")
    room = content[start : content.index(b">", start)]
    changed = UNSIGNED[what](room)[: len(room)]
    assert changed != room
    assert said_of(content.replace(room, changed)) != []


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
    with pytest.raises(Wrong, match=sentence):
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
    assert recount.text_of_pages(Pdf(nothing)) == recount.text_of_pages(Pdf(plain))
    with pytest.raises(Wrong, match=sentence):
        recount.text_of_pages(Pdf(with_changes(plain, change)))


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
    with pytest.raises(Wrong, match="own structure cannot be read"):
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


def with_object(text: bytes) -> Callable[[bytes], bytes]:
    """An object more, before the end of what was laid out."""
    return lambda content: content.replace(b"\nstartxref\n", b"\n" + text + b"\nendobj\n\nstartxref\n", 1)


HIDDEN: dict[str, Callable[[bytes], bytes]] = {
    "a second catalog that speaks another language": with_object(
        b"9999 0 obj\n<<\n/Type /Catalog\n/Lang (xx)\n>>"
    ),
    "a page more that no number names": with_object(b"9999 0 obj\n<</Type /Page/Contents 6 0 R>>"),
    "an object without an end": lambda content: content + b"\n9999 0 obj\n",
}


@pytest.mark.parametrize("what", HIDDEN)
def test_what_lies_in_a_file_unseen_is_not_read_in_the_place_of_what_is_shown(
    bundle: GenuineBundle, what: str
) -> None:
    plain = before_signing(bundle)
    changed = HIDDEN[what](plain)
    assert changed != plain
    with pytest.raises((Wrong, KeyError)):
        recount.in_order(single.text_of_pages(single.Pdf(changed)))


def test_what_takes_the_place_of_an_object_is_what_is_read(bundle: GenuineBundle) -> None:
    plain = before_signing(bundle)
    signed = bundle.members["report.pdf"]
    assert single.text_of_pages(single.Pdf(signed)) == single.text_of_pages(single.Pdf(plain))

    def other_content(writer: IncrementalPdfFileWriter) -> None:
        content = generic.StreamObject(stream_data=b"BT ET")
        first_page(writer)["/Contents"] = writer.add_object(content)

    with pytest.raises(Wrong, match="not numbered"):
        recount.in_order(single.text_of_pages(single.Pdf(with_changes(plain, other_content))))


def packed(number: int, dictionary: bytes, content: bytes) -> bytes:
    """An object with a stream, as Countersign writes it."""
    squeezed = zlib.compress(content, 9)
    head = b"<<%s/Filter /FlateDecode/Length %d>>" % (dictionary, len(squeezed))
    return b"\n%d 0 obj\n%s\nstream\n%s\nendstream\nendobj\n" % (number, head, squeezed)


#: What is small and would keep a reader busy, or fill its memory, by what it makes of it.
BOMBS: dict[str, Callable[[], bytes]] = {
    "objects within objects": lambda: (
        b"".join(b"\n%d 0 obj\n/Length 0 \nstream\n" % number for number in range(1, 300_000)) + b"\nendobj\n"
    ),
    "packed objects that go to and fro": lambda: packed(
        1,
        b"/Type /ObjStm/First 40000",
        b" ".join(b"%d %d" % (number, number % 2 * 2_000_000) for number in range(1, 3_000)).ljust(40_000)
        + b" " * 2_000_000,
    ),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(what: str) -> None:
    with pytest.raises(Wrong, match="structure"):
        single.Pdf(b"%PDF-1.7" + BOMBS[what]())


def test_brackets_that_never_close_cost_no_time_that_grows_with_its_square(bundle: GenuineBundle) -> None:
    pdf = single.Pdf(before_signing(bundle))
    assert list(single._shown(pdf, b"[" * 2_000_000, {}, {})) == []


def test_what_is_drawn_again_and_again_is_counted(
    bundle: GenuineBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf = single.Pdf(before_signing(bundle))
    monkeypatch.setattr(single, "LARGEST_STREAM", pdf.spent)
    pdf.streams[9_999] = b" " * 1_000_000
    with pytest.raises(Wrong, match="more than any evidence can"):
        list(single._shown(pdf, b"/X Do " * 1_000_000, {"X": [9_999]}, {}))


def test_a_file_of_beginnings_without_ends_costs_no_time_that_grows_with_its_square() -> None:
    """Each of them would be read up to the end of the file."""
    with pytest.raises(Wrong, match="structure"):
        single.Pdf(b"%PDF-1.7" + b"\n1 0 obj\n" * 1_000_000)
