#!/usr/bin/env python3
"""Work Countersign's evidence and audit reports out again: whether what they say follows from the ledger's entries.

    python recount.py FILE.pdf | BUNDLE.zip | FOLDER  [--key KEY ...] [--checkpoint FILE ...] [--json]

verify.py, which has to lie beside this file and runs first, shows that a file is genuine, complete and drawn fairly.
This one reads the same files a second time and asks for more: that nothing lies in them that Countersign never writes
(chapter 1); that the ledger is the one that others know, witnesses whose key is given and checkpoints that somebody kept
(chapter 2); that every fact stands on the pages where it should (chapter 3); that a request's story is the one that the
entries tell and keeps the rules of the house (chapter 4); and that a report's rows, figures and tables follow from the
entries (chapter 5). Its other arguments and its exit status are those of verify.py; it needs nothing more, opens no
connection and writes no file.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache, partial
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if __package__:
    from reports.verifier import verify
else:
    sys.dont_write_bytecode = True  # no file is written, least of all into the bundle
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import verify  # type: ignore[no-redef,import-not-found]

Json = dict[str, Any]
Wrong = verify.Wrong

# ---- 1. The form of a file: nothing in it that Countersign never writes ----------------------------------------------


def check_form(content: bytes, read: verify.Pdf, result: verify.Result) -> None:
    """The file is built as Countersign builds it, so that no program finds anything else in it than verify.py, which read it."""
    holds = "Nothing lies in the file that Countersign never writes, and its pages and files can be read in one way only."
    verify.run_check("form", lambda: result.judge("form", holds, _odd_form(content, read)), result)


def container_problems(content: bytes) -> Iterator[str]:
    """Whether the signature's container says anything that nobody signed, or anything lies beside it."""
    covered, room, _ = verify.room_of(content)
    if room != _container(covered, room).ljust(len(room), b"\0"):
        yield "The signature's container or the space beside it was changed, or was not made by Countersign."


def _odd_form(content: bytes, read: verify.Pdf) -> Iterator[str]:
    yield from container_problems(content)
    strict = Pdf(content)
    if read.language != strict.root["Lang"].decode():
        yield "Two ways of reading the file find different languages in it."
    if read.attachments() != strict.attachments():
        yield "Two ways of reading the file find different files in it."
    if in_order(_pages_of(read)) != text_of_pages(strict):
        yield "Two ways of reading the file find different pages in it."


SEQUENCE, OCTETS, SET, FIRST_OPTION = verify.SEQUENCE, verify.OCTETS, 0x31, 0xA0


def der(tag: int, *parts: bytes) -> bytes:
    """One value in DER (X.690), written: these parts are its content."""
    body = b"".join(parts)
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, len(body)] if len(body) < 0x80 else [tag, 0x80 + len(length), *length]) + body


def _container(covered: bytes, room: bytes) -> bytes:
    """RFC 5652's SignedData with one signer, built again of the certificate, signature and timestamp in this one.

    All else in it follows from these and from what is covered.
    """
    data = verify.Der(room)[1][0]
    certificate, signer = data[3][0], data[4][0]
    signature, token = signer[5].body, signer[6][0][1][0].raw if len(signer) > 6 else b""
    serial, _, issuer = [part.raw for part in certificate[0] if part.tag != FIRST_OPTION][:3]
    by_sha256 = der(SEQUENCE, verify.SHA256, bytes.fromhex("0500"))
    by_rsa, version = bytes.fromhex("300d06092a864886f70d01010b0500"), bytes.fromhex("020101")
    named = der(
        SEQUENCE,
        der(OCTETS, hashlib.sha256(certificate.raw).digest()),
        der(SEQUENCE, der(SEQUENCE, der(0xA4, issuer)), serial),
    )
    attributes = _attribute(verify.CONTENT_TYPE, verify.DATA)
    attributes += _attribute(verify.MESSAGE_DIGEST, der(OCTETS, hashlib.sha256(covered).digest()))
    attributes += _attribute(verify.NAMED, der(SEQUENCE, der(SEQUENCE, named)))
    signer_info = der(
        SEQUENCE, version, der(SEQUENCE, issuer, serial), by_sha256, der(0xA0, attributes), by_rsa,
        der(OCTETS, signature), der(0xA1, _attribute(verify.TIMESTAMP, token)) if token else b"",
    )  # fmt: skip
    return der(SEQUENCE, verify.SIGNED_DATA, der(0xA0, der(
        SEQUENCE, version, der(SET, by_sha256), der(SEQUENCE, verify.DATA), der(0xA0, certificate.raw),
        der(SET, signer_info),
    )))  # fmt: skip


def _attribute(name: bytes, value: bytes) -> bytes:
    return der(SEQUENCE, name, der(SET, value))


#: The entries that Countersign's dictionaries may have. Any other might act, hide what a page says or say otherwise.
_ENTRIES = {
    "XRef": "Type Size W Index Root Info ID Prev Filter Length",
    "ObjStm": "Type N First Filter Length",
    "Catalog": "Type Pages Lang Metadata MarkInfo ViewerPreferences StructTreeRoot OutputIntents Outlines PageMode "
    "Names AF AcroForm Extensions",
    "Names": "Dests EmbeddedFiles",
    "EmbeddedFiles": "Names",
    "Filespec": "Type F UF EF Desc AFRelationship",
    "EmbeddedFile": "Type Subtype Params Filter Length",
    "AcroForm": "Fields SigFlags",
    "Pages": "Type Parent Count Kids",
    "Page": "Type Parent MediaBox TrimBox BleedBox Contents Resources Tabs StructParents Annots",
    "Link": "Type Subtype Rect Dest F BS Contents StructParent",
    "Widget": "Type Subtype Rect F FT T TU P V",
    "Form": "Type Subtype BBox Group Resources Filter Length",
    "Stream": "Filter Length",
}
#: A value in the few forms in which it occurs.
_VALUE = re.compile(
    rb"""[ \n]* (?: (?P<opening> << | \[ )
      | / (?P<name> (?: [\w.+-] | \#2f )+ )
      | \( (?P<literal> (?: [^\\()] | \\[\\()] | \\[0-3][0-7]{2} )* ) \)
      | < (?P<digits> (?: [0-9A-Fa-f]{2} )* ) >
      | (?: (?P<reference> [1-9]\d{0,9} ) [ ]0[ ]R | (?P<number> -?\d{1,20} (?: \.\d{1,20} )? )
          | (?P<word> true | false | null ) ) (?! [\w.+-] ) )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(\d{3}|.)")
_MEANING: dict[str, Callable[[bytes], Any]] = {
    "name": bytes.decode,
    "literal": lambda word: _ESCAPE.sub(lambda one: bytes([int(one[1], 8)]) if len(one[1]) == 3 else one[1], word),
    "digits": lambda word: bytes.fromhex(word.decode()),
    "reference": lambda word: Ref(int(word)),
    "number": lambda word: float(word) if b"." in word else int(word),
    "word": {b"true": True, b"false": False, b"null": None}.get,
}
_CLOSING = {b"<<": re.compile(rb"[ \n]*>>"), b"[": re.compile(rb"[ \n]*\]")}


class Ref(NamedTuple):
    """A reference to an object."""

    number: int


class Stream(NamedTuple):
    """A dictionary with bytes."""

    head: Json
    raw: bytes


def _value(content: bytes, at: int, depth: int = 0) -> tuple[Any, int]:
    """The value at this place, a name as str and a string as bytes, and where it ends."""
    token = _VALUE.match(content, at)
    if token is None or depth > 64:
        raise Wrong(verify.ODD)
    kind, at = str(token.lastgroup), token.end()
    if kind != "opening":
        return _MEANING[kind](token[kind]), at
    items: list[Any] = []
    while not (end := _CLOSING[token[kind]].match(content, at)):
        one, at = _value(content, at, depth + 1)
        items.append(one)
    if token[kind] == b"[":
        return items, end.end()
    entries = dict(zip(items[::2], items[1::2]))
    if 2 * len(entries) != len(items):
        raise Wrong(verify.ODD)
    return entries, end.end()


class Pdf:
    """A PDF's pages, and its objects by their numbers. Refuses, by Wrong or another error, what we never write."""

    def __init__(self, content: bytes) -> None:
        self.content, self.spent = content, 0
        self.packed: dict[int, tuple[bytes, list[int], list[int]]] = {}
        start = re.search(rb"\nstartxref\n([1-9]\d{0,11})\n%%EOF\n\Z", content[-64:])
        self.trailer, self.places = self._section(int(start[1]) if start else 0)
        if "Prev" in self.trailer:
            # What signing adds takes the place of what was there before (§7.5.6).
            before, places = self._section(self.trailer["Prev"])
            self.places = {**places, **self.places}
            if "Prev" in before or before["Root"] != self.trailer["Root"]:
                raise Wrong(verify.ODD)
        self.root: Json = self.get(self.trailer["Root"], "Catalog")
        self.pages = self._pages()

    def _section(self, start: int) -> tuple[Json, dict[int, tuple[int, int, int]]]:
        """A stream of cross-references (§7.5.8): its dictionary, and the kind and place of each object, named once."""
        head, rows = self.stream(self._object_at(start)[1], "XRef")
        index, (one, second, third) = head.get("Index", [0, head["Size"]]), head["W"]
        numbers = (first + more for first, count in zip(index[::2], index[1::2]) for more in range(count))
        places, size = {}, 1 + second + third
        for number, at in zip(numbers, range(0, len(rows), size)):
            middle = at + 1 + second
            last = int.from_bytes(rows[middle : at + size], "big")
            places[number] = rows[at], int.from_bytes(rows[at + 1 : middle], "big"), last
        if one != 1 or min(second, third) < 1 or max(places) >= head["Size"]:
            raise Wrong(verify.ODD)
        if not len(places) * size == sum(index[1::2]) * size == len(rows):
            raise Wrong(verify.ODD)
        return head, places

    def get(self, value: Any, kind: str = "") -> Any:
        """The object that a reference leads to, or the value itself; with a kind, it has to be a dictionary of that."""
        if isinstance(value, Ref):
            packed, second, third = self.places[value.number]
            number, found = self._packed_at(second, third) if packed == 2 else self._object_at(second)
            if packed not in (1, 2) or number != value.number or isinstance(found, Ref):
                raise Wrong(verify.ODD)
            value = found
        if kind:
            head = value.head if isinstance(value, Stream) else value
            others = sorted(head.keys() - _ENTRIES[kind].split())
            stated = head.get("Subtype") if kind in ("Link", "Widget", "Form") else head.get("Type", kind)
            if others or stated != kind:
                said = ", ".join(others) or "another type"
                raise Wrong(f"The PDF has what evidence never has (in a {kind}: {said}).")
        return value

    def _object_at(self, start: int) -> tuple[int, Any]:
        """Number and value of the object that begins here (§7.3.10)."""
        head = re.compile(rb"([1-9]\d{0,9}) 0 obj\n").match(self.content, start)
        if head is None:
            raise Wrong(verify.ODD)
        value, end = _value(self.content, head.end())
        after = b"\nendobj\n"
        if self.content.startswith(b"\nstream\n", end):
            start = end + len(b"\nstream\n")
            end, after = start + value["Length"], b"\nendstream" + after
            value = Stream(value, self.content[start:end])
        if end < start or not self.content.startswith(after, end):
            raise Wrong(verify.ODD)
        return int(head[1]), value

    def _packed_at(self, number: int, place: int) -> tuple[int, Any]:
        """Number and value of an object in an object stream (§7.5.7)."""
        if number not in self.packed:
            head, content = self.stream(Ref(number), "ObjStm")
            index = [int(word) for word in content[: head["First"]].split()]
            if not len(index) == 2 * len(set(index[::2])) == 2 * head["N"]:
                raise Wrong(verify.ODD)
            self.packed[number] = content, index[::2], [*(head["First"] + at for at in index[1::2]), len(content)]
        content, numbers, starts = self.packed[number]
        value, end = _value(content, starts[place])
        if content[end : starts[place + 1]] not in (b"", b"\n"):
            raise Wrong(verify.ODD)
        return numbers[place], value

    def stream(self, value: Any, kind: str = "Stream") -> tuple[Json, bytes]:
        """A stream's dictionary and bytes. Refuses a bomb: neither one stream nor all together may grow without end."""
        found = self.get(value, kind)
        head, content = found.head, found.raw
        if "Filter" in head:
            reader = zlib.decompressobj()
            content = reader.decompress(content, verify.LARGEST_STREAM)
            self.spent += len(content)
            if reader.unconsumed_tail or self.spent > 8 * verify.LARGEST_STREAM:
                raise Wrong("The PDF holds more than any evidence can; it was made to exhaust its reader.")
            if head["Filter"] != "FlateDecode" or not reader.eof or reader.unused_data:
                raise Wrong(verify.ODD)
        return head, content

    def attachments(self) -> dict[str, bytes]:
        """The files inside by their names (§7.11.4)."""
        names = self.get(self.root["Names"], "Names")
        pairs = self.get(names["EmbeddedFiles"], "EmbeddedFiles")["Names"]
        found = {}
        for name, place in zip(pairs[::2], pairs[1::2]):
            file = self.get(place, "Filespec")
            if not file["F"] == file["UF"] == name or file["EF"].keys() != {"F"} or place not in self.root["AF"]:
                raise Wrong("A file inside is called by two names.")
            found[name.decode()] = self.stream(file["EF"]["F"], "EmbeddedFile")[1]
        if len(self.root["AF"]) != len(found):
            raise Wrong("The PDF holds more files than it names.")
        return found

    def _pages(self) -> list[Json]:
        """The pages in order, or those of the parts in order. Over them lie links alone, and the signature's field."""
        places: list[Ref] = []
        for place in self.get(self.root["Pages"], "Pages")["Kids"]:
            places += self.get(place, "Pages")["Kids"] if "Kids" in self.get(place) else [place]
        pages = [self.get(place, "Page") for place in places]
        if not pages or len(set(places)) != len(places):
            raise Wrong(verify.ODD)
        for note in (self.get(one) for page in pages for one in page.get("Annots", ())):
            self.get(note, "Widget" if note["Rect"] == [0, 0, 0, 0] else "Link")
        self.get(self.root.get("AcroForm", {}), "AcroForm")
        return pages


#: The operators in a page's content (§8, §9), first those that matter to its text. Whatever does not stand here is
#: refused: text shown by other operators, invisibly or in the place of another (/ActualText), images and layers.
_OPERATORS = re.compile(
    rb"""
    (?: / (?P<font> \w+ ) [ ][.\d]+[ ]Tf
      | (?P<text> \[ (?: < (?: [0-9a-f]{4} )* > | [-+.e\d ] )* \][ ]TJ | < (?: [0-9a-f]{4} )+ >[ ]Tj )
      | / (?P<form> \w+ ) [ ]Do
      | (?P<state> q | Q | BT )
      | (?: [-+.e\d]+[ ] )* (?: cm|w|J|j|M|m|l|c|h|re|W\*?|n|f\*?|S|B\*?|rg|RG|Tm|Ts )
      | \[ [.\d ]* \][ ][.\d]+[ ]d | / [.\w]+[ ]gs | 0[ ]Tr | ET | EMC
      | / \w+ [ \n] (?: BMC | << (?: /MCID[ ]\d+ | /Type[ ]/Pagination[ ]/Subtype[ ]/Footer ) >> [ \n] BDC )
    ) [ \n]""",
    re.VERBOSE,
)
#: What each code of two bytes means. Beside a dictionary and the range of all codes nothing else stands in brackets.
_TO_UNICODE = re.compile(
    rb"[^<>]*<< [^<>]*>>[^<>]*<0000> <ffff>\nendcodespacerange\n"
    rb"((?:\d+ beginbfchar\n(?:<[0-9a-f]{4}> <(?:[0-9a-f]{4})*>\n)+endbfchar\n)*)[^<>]*"
)


def _letters(pdf: Pdf, font: Any) -> dict[bytes, str]:
    """What each code of a font means; the code as four hex digits."""
    found = _TO_UNICODE.fullmatch(pdf.stream(pdf.get(font)["ToUnicode"])[1])
    pairs = re.findall(rb"<(.{4})> <(.*)>", found[1]) if found else []
    if found is None or len(dict(pairs)) != len(pairs):
        raise Wrong("A font of the PDF says in another way what its letters mean than evidence's do.")
    return {code: bytes.fromhex(text.decode()).decode("utf-16-be", "replace") for code, text in pairs}


def _shown(pdf: Pdf, content: bytes, resources: Json, fonts: dict[str, dict[bytes, str]]) -> Iterator[str]:
    """The text that a page's content shows, and the forms that are drawn on it. All text begins by naming its font."""
    letters: dict[bytes, str] = {}
    content, at = content + b"\n", 0
    while at < len(content):
        found = _OPERATORS.match(content, at)
        if found is None:
            raise Wrong("A page is drawn in another way than evidence is; Countersign did not write it.")
        kind, at = found.lastgroup, found.end()
        if kind == "state":
            letters = {}
        elif kind == "font":
            letters = fonts[found[kind].decode()]
        elif kind == "text":
            codes = b"".join(re.findall(rb"<([0-9a-f]+)>", found[kind]))
            yield "".join(letters.get(codes[place : place + 4]) or "\ufffd" for place in range(0, len(codes), 4))
        elif kind == "form":
            head, drawing = pdf.stream(resources["XObject"][found[kind].decode()], "Form")
            inner = {**pdf.get(head["Resources"]), "XObject": {}}
            if inner["Font"] != resources["Font"]:
                raise Wrong(verify.ODD)
            yield from _shown(pdf, drawing, inner, fonts)


def text_of_pages(pdf: Pdf) -> list[str]:
    """Each page's text without what all pages end with and their number. Raises Wrong where the numbers are wrong."""
    number = re.compile(r"([^\d]{1,20})(\d+)([^\d]{1,20})(\d+)([^\d]{0,20})\Z")
    (place,) = {pdf.get(page["Resources"])["Font"] for page in pdf.pages}
    fonts = {name: _letters(pdf, font) for name, font in pdf.get(place).items()}
    bodies = []
    for at, page in enumerate(pdf.pages, start=1):
        streams = page["Contents"] if isinstance(page["Contents"], list) else [page["Contents"]]
        content = b"\n".join(pdf.stream(one)[1] for one in streams)
        text = verify.compact("".join(_shown(pdf, content, pdf.get(page["Resources"]), fonts)))
        found = number.search(text)
        if not found or (found[2], found[4]) != (str(at), str(len(pdf.pages))):
            raise Wrong(f"Page {at} is not numbered as it should be: pages were added, removed or exchanged.")
        bodies.append(text[: found.start()])
    return bodies


# ---- 2. What others hold: witnesses that signed a head, and checkpoints that somebody kept -----------------------------

COSIGNATURE = 4


class Others(NamedTuple):
    """Witnesses' keys (name+hash+key), and the heads of checkpoints that somebody kept."""

    witnesses: tuple[str, ...] = ()
    kept: tuple[verify.Head, ...] = ()


def given(values: Iterable[str], checkpoints: Iterable[Path]) -> tuple[verify.Trusted, Others]:
    """What was given by another way than the file. Raises ValueError with a sentence."""
    keys = {value: witness_key(value) for value in values}
    trusted = verify.Trusted.of(value for value, witness in keys.items() if not witness)
    return trusted, Others(tuple(filter(None, keys.values())), tuple(map(read_kept, checkpoints)))


def witness_key(text: str) -> str:
    """The verifier key if it is a witness's, or a file's first line is one; empty if not."""
    line = text
    if "+" not in text and Path(text).is_file():
        with Path(text).open("rb") as file:
            line = file.read(65_536).decode(errors="replace").strip().partition("\n")[0]
    try:
        verify.read_vkey(line, COSIGNATURE)
    except ValueError:
        return ""
    return line.strip()


def read_kept(path: Path) -> verify.Head:
    """The head of a checkpoint in a file. Raises ValueError with a sentence."""
    try:
        with path.open("rb") as file:
            return verify.read_head(file.read(65_536).decode("utf-8", errors="replace"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    except Wrong as error:
        raise ValueError(f"{path} is no checkpoint of a ledger.") from error


def check_others(told: Json, others: Others, result: verify.Result, lines: Iterable[bytes] = ()) -> None:
    """What was given of others is held against the ledger's heads, and against `lines`, the bundle's ledger.jsonl."""
    note = (told["ledger"].get("made") or told["ledger"])["checkpoint"]
    for vkey in others.witnesses:  # other witnesses are not looked at
        witness = f"The witness {verify.read_vkey(vkey, COSIGNATURE)[0]}"
        if is_cosigned(note, vkey):
            result.good("witnesses", f"{witness}, whose key you gave, saw this checkpoint and signed it.")
        else:
            result.open("witnesses", f"{witness}, whose key you gave, did not sign this checkpoint.")
    if others.kept:
        roots = known_roots(told, {head.size for head in others.kept}, lines)
        check_kept(others.kept, told["ledger"]["origin"], roots, result)


def check_kept(
    kept: Iterable[verify.Head], origin: str, known: Mapping[int, bytes], result: verify.Result
) -> None:
    """Whether the ledger has the roots that somebody kept; `known` are those that the file shows, by their sizes."""
    for head in kept:
        yours, root = f"Your checkpoint of {head.size} entries", known.get(head.size)
        if head.origin != origin:
            result.bad("kept", f"{yours} is of another ledger, {head.origin}; this one is {origin}.")
        elif root is None:
            result.open("kept", f"{yours} cannot be compared: this file does not show the ledger as it was then.")
        elif root != head.root:
            result.bad("kept", f"{yours} states another root: the ledger is not the one that it was then.")
        else:
            result.good("kept", f"The ledger of {head.size} entries is the one that your checkpoint states.")


def is_cosigned(note: str, vkey: str) -> bool:
    """Whether this witness signed the checkpoint (C2SP tlog-cosignature, cosignature/v1). Raises Wrong for a false one."""
    key = Ed25519PublicKey.from_public_bytes(verify.read_vkey(vkey, COSIGNATURE)[1])
    text = note.partition("\n\n")[0]
    for signature in verify.signatures(note, vkey, COSIGNATURE):
        time = int.from_bytes(signature[:8], "big")
        try:
            key.verify(signature[8:], f"cosignature/v1\ntime {time}\n{text}\n".encode())
        except InvalidSignature as error:
            raise Wrong("The checkpoint's signature by a witness does not hold: its text was changed.") from error
        return True
    return False


def known_roots(told: Json, sizes: set[int], lines: Iterable[bytes]) -> dict[int, bytes]:
    """The roots that the facts show, by size, and those of these sizes in ledger.jsonl, which verify.py found whole."""
    parts = [told["ledger"], *(told["ledger"].get(name) or {} for name in ("before", "after", "made"))]
    heads = [verify.read_head(part["checkpoint"]) for part in parts if part.get("checkpoint")]
    roots = {head.size: head.root for head in heads}
    if "before" in told["ledger"]:
        edge = verify.Edge(told["ledger"]["before"]["size"], told["ledger"]["before"]["edge"])
        for line in lines:
            withheld = verify.read_json(line).get("leaf_hash")
            edge.append(base64.b64decode(withheld) if withheld else verify.leaf_hash(line))
            if edge.size in sizes:
                roots[edge.size] = edge.root()
    return roots


# ---- 3. The pages in their order ---------------------------------------------------------------------------------------


#: The pages of the file that was read last: its form is looked at, and then its values.
_pages_of = lru_cache(maxsize=1)(verify.text_of_pages)


def in_order(pages: Iterable[str]) -> list[str]:
    """The pages by the numbers that they carry, without these and what all pages end with.

    Raises Wrong where these numbers are not those from 1 to the number of pages.
    """
    number, bodies, found = re.compile(r"[^\d]{1,20}(\d+)[^\d]{1,20}(\d+)[^\d]{0,20}\Z"), {}, list(pages)
    for page in found:
        end = number.search(page)
        if not end or int(end[2]) != len(found):
            raise Wrong("A page is not numbered as it should be: pages were added or removed.")
        bodies[int(end[1])] = page[: end.start()]
    if sorted(bodies) != list(range(1, len(found) + 1)):
        raise Wrong("The pages are not numbered one after another: pages were added or exchanged.")
    return [bodies[page] for page in sorted(bodies)]


def values_missing(pages: Sequence[str], values: Iterable[str]) -> Iterator[str]:
    """Those of the values that do not stand on the pages, each somewhere behind the one before.

    A value may go on upon the next page, below the head of its table, which stands there again: “sha256:3f9c” stands on the
    pages “…sha256:3f” and “NumberWhatDigest9c…”.
    """
    whole, at = "".join(pages), 0
    ends = [0, *accumulate(map(len, pages))]
    for value in values:
        wanted = verify.compact(value)
        found = whole.find(wanted, at)
        end = found + len(wanted) if found >= 0 else _end_of_broken(wanted, whole, ends, at)
        if end < 0:
            yield value
        at = max(at, end)


def _end_of_broken(wanted: str, whole: str, ends: Sequence[int], at: int) -> int:
    """Where a value ends of which as much as possible stands on one page and the rest on the next; -1 where none is."""
    for start, middle, end in zip(ends, ends[1:], ends[2:]):
        for cut in range(len(wanted) - 1, 0, -1):
            if whole.find(wanted[:cut], max(at, start), middle) >= 0:
                found = whole.find(wanted[cut:], middle, end)
                if found >= 0:
                    return found + len(wanted) - cut
                break
    return -1


def check_pages(opened: verify.Opened, values: Iterable[str], result: verify.Result) -> None:
    """That each of these values stands on the pages, in this order."""
    bodies = in_order(_pages_of(opened.pdf))
    letters = set("".join(bodies))
    shown = [verify.legible(value, letters) for value in values if value.strip()]
    said = f"What was looked for of the facts, {len(shown)} values, stands on the {len(bodies)} pages in their order."
    wrongly = "The pages leave out what the facts say, or say it elsewhere: "
    result.judge("pages", said, [f"{wrongly}“{value[:60]}”" for value in list(values_missing(bodies, shown))[:3]])


# ---- 4. A request's story, held against the ledger's entries in both directions -----------------------------------------

_ASKED = "actor offering version offering_digest requester beneficiary ends_at"
_DECISION = ("revision actor", "stage seal auth_time acr amr on_behalf_of signature", "comment", "decided_at")
#: What binds an entry of each kind to the facts, by names: what makes it the entry of this and of nothing else; what it
#: says as the facts do; which personal values; and the time in the facts at which it was written.
KINDS = {
    "request:submitted": ("", _ASKED, "title reason answers", "submitted_at"),
    "request:edited": ("", "actor beneficiary", "title reason", ""),
    "request:prepared": ("revision", "risk steps", "", ""),
    "request:sealed": ("revision", "seal stages", "", "sealed_at"),
    "request:fulfilled": ("", "", "", "fulfilled_at"),
    "request:withdrawn": ("", "", "", "closed_at"),
    "approval:approved": _DECISION,
    "approval:denied": _DECISION,
    "approval:voided": ("revision person", "seal", "why", ""),
    "stage:opened": ("revision stage", "seal quorum due_at", "", "opened_at"),
    "stage:approved": ("revision stage", "seal", "", ""),
    "stage:rejected": ("revision stage", "seal", "", "closed_at"),
    "stage:closed": ("revision stage", "seal", "", "closed_at"),
    "step:applied": ("key", "step connector found seal", "outcome", ""),
    "step:read-back": ("key", "step", "read", ""),
    "step:failed": ("key", "", "why", ""),
    "step:reverted": ("key", "", "", ""),
    "step:not-reverted": ("key", "", "why", ""),
    "entitlement:granted": ("entitlement", "step connector holder ends_at", "key", "granted_at"),
    "entitlement:moved": ("entitlement", "ends_at", "", ""),
    "entitlement:ended": ("entitlement", "why holder", "", "ended_at"),
}
#: What may happen, and be told, again; the last entry counts.
AGAIN = ("request:edited", "step:applied", "step:not-reverted", "entitlement:moved")
#: The state in which each entry leaves a request.
STATES = {
    "request:submitted": "preparing", "request:sealed": "pending", "request:approved-by-policy": "scheduled",
    "request:refused": "refused", "request:withdrawn": "withdrawn", "request:edited": "preparing",
    "request:stopped": "preparing", "stage:rejected": "rejected", "stage:expired": "rejected",
    "stage:cancelled": "rejected", "fulfilment:started": "fulfilling", "request:fulfilled": "fulfilled",
    "request:failed": "failed", "request:ended": "ended",
}
#: Those that no request reaches before everybody has agreed.
AGREED = ("scheduled", "fulfilling", "fulfilled", "ended", "failed")
#: Tags of one kind, “entitlement:moved”: something live got another end.
MOVES = ("entitlement:extended", "entitlement:extension-undone", "entitlement:replaced", "entitlement:review-moved")
#: In the place of a value that the facts do not tell, or that was erased from the entry: it is not compared.
UNTOLD = object()
#: Issuer and subject, as sealed documents have them.
Who = tuple[tuple[str, str], ...]
#: Somebody whom the facts do not know (any more).
NOBODY: Who = ()


def english(text: Any) -> Any:
    """A text of the portal's own as the ledger has it."""
    return text["en"] if isinstance(text, dict) else text


def _who(one: Json) -> Who:
    return tuple(sorted((name, value) for name, value in one.items() if name != "rule"))


def _step(step: Json) -> str:
    return f"Step {step['position']} “{english(step['name'])}”"


class Entry:
    """One entry of the ledger: its kind (its tag), what it says (also who did it), and its personal values."""

    def __init__(self, entry: Json) -> None:
        body = entry["body"]
        self.number, self.subject, self.at = entry["number"], str(body.get("subject")), body.get("at")
        self.kind = "entitlement:moved" if body.get("tag") in MOVES else str(body.get("tag"))
        self.said: Json = {**verify.facts(entry), "actor": body.get("actor")}
        self.personal: Json = dict.fromkeys(body.get("personal") or (), UNTOLD)
        self.personal.update((name, one["value"]) for name, one in entry["personal"].items())


class Story(verify.Evidence):
    """The same with the ledger's entries by their kinds, and who is who."""

    def __init__(self, told: Json) -> None:
        super().__init__(told)
        self.sealings = told["sealings"]
        self.seals = {one["revision"]: one["seal"] for one in self.sealings}
        self.ledger = [Entry(one) for one in told["ledger"]["entries"]]
        self.about = [one for one in self.ledger if one.subject == f"request:{told['reference']}"]
        self.stages = {(one["revision"], one["slug"]): one for one in told["stages"]}
        known = {person: one for person, one in self.identities.items() if person not in self.erased}
        self.known = {person: _who(one) for person, one in known.items()}

    def of(self, *kinds: str, **said: Any) -> list[Entry]:
        """The entries of these kinds about the request that say this, in order."""
        return [one for one in self.about if one.kind in kinds and said.items() <= one.said.items()]

    def places(self) -> tuple[dict[str, list[Any]], dict[Who, list[Any]]]:
        """Where the facts have each person:<number>, and where the sealed documents have each issuer and subject."""
        named: dict[str, list[Any]] = {}
        sealed: dict[Who, list[Any]] = {}
        told = {number: document for number, document in self.documents.items() if document}  # and not erased
        for number, document in told.items():
            # An edit between two seals may change the beneficiary, so only the last one's is known.
            for role in ("requester", "beneficiary") if number == len(self.sealings) else ("requester",):
                named.setdefault(self.request[role], []).append((number, role))
                sealed.setdefault(_who(document[role]), []).append((number, role))
            for stage in document["route"]:
                for one in stage["approvers"]:
                    sealed.setdefault(_who(one), []).append((number, stage["slug"], one["rule"]))
        for stage in (one for one in self.told["stages"] if one["revision"] in told):
            number, slug = stage["revision"], stage["slug"]
            later = [one.said.get("approvers") or () for one in self.of("stage:escalated", revision=number, stage=slug)]
            joined = [(one.get("person"), one.get("rule")) for people in later for one in people]
            for one in stage["approvers"]:
                if (one["person"], one["rule"]) not in joined:
                    named.setdefault(one["person"], []).append((number, slug, one["rule"]))
        return named, sealed


def told_to_the_ledger(story: Story) -> Iterator[tuple[str, Json]]:
    """What the ledger must tell if the facts are true: the kind of each entry, and what it says, by its own names."""
    told, request, offering, seals = story.told, story.request, story.told["offering"], story.seals
    asked = {**request, "what": "the request", "actor": request["editor"], "title": english(request["title"])}
    asked["answers"] = verify.digest(story.sealings[-1]["document"].get("answers")) if story.sealings else UNTOLD
    # What was asked for is in the last edit, if there is one; the end and the answers are then in the last seal alone.
    changed = ("actor", "beneficiary", "ends_at", "title", "reason", "answers") if story.of("request:edited") else ()
    version = {"offering": offering["slug"], "version": offering["version"], "offering_digest": offering["digest"]}
    yield "request:submitted", {**asked, **version, **dict.fromkeys(changed, UNTOLD)}
    yield "request:edited", {**asked, "optional": True}
    yield "request:fulfilled", {**asked, "optional": request["fulfilled_at"] is None}
    yield "request:withdrawn", {**asked, "optional": True}
    for one in story.sealings:
        plan, risk, route = (one["document"].get(part) or {} for part in ("plan", "risk", "route"))
        said = {**one, "what": f"seal {one['revision']}", "risk": dict(risk).get("level"), "steps": len(plan)}
        said["stages"] = [stage.get("slug") for stage in route]
        yield "request:prepared", said
        yield "request:sealed", said
    for one in told["decisions"]:
        said = {**one, "what": f"the decision of {story.names[one['person']]}", "actor": one["person"]}
        yield verify.VERDICTS[one["verdict"]], {**said, "signature": verify.signature_told(one)}
        if one["voided_at"]:
            yield "approval:voided", {**said, "why": english(one["voided_because"])}
    for one in told["stages"]:
        state, what = one["state"], f"the stage “{english(one['name'])}”"
        said = {**one, "what": what, "stage": one["slug"], "seal": seals.get(one["revision"])}
        if one["opened_at"]:
            yield "stage:opened", said
        if state == "rejected" or (state == "closed" and one["opened_at"]):
            yield f"stage:{state}", said
        if state in ("approved", "rejected", "closed"):  # it may have been approved before
            yield "stage:approved", {**said, "optional": state != "approved"}
    for one in told["steps"]:
        state, outcome, read = one["state"], one["outcome"], one["read_back"]
        said = {**one, "what": _step(one), "step": one["position"], "seal": seals.get(one["revision"])}
        said.update(found=outcome.get("found"), why=english(one["error"]))
        said["outcome"] = verify.canonical(outcome.get("facts", {})).decode()
        said["read"] = verify.canonical(read.get("facts", {})).decode()
        if outcome or state in ("applied", "done"):
            yield "step:applied", said
        if read:
            yield "step:read-back", said
        if state in ("failed", "reverted", "not-reverted"):
            yield f"step:{state}", said
        if state in ("reverted", "undoing") or "not-reverted" in outcome:  # it may have stayed at first
            yield "step:not-reverted", {**said, "why": UNTOLD, "optional": True}
    steps = {step["key"]: step["position"] for step in told["steps"]}
    moved = [entry.said.get("entitlement") for entry in story.of("entitlement:moved")]
    for one in told["entitlements"]:
        said = {**one, "what": f"“{english(one['label'])}”", "entitlement": one["id"]}
        said.update(step=steps.get(one["step_key"]), why=english(one["end_reason"]))
        yield "entitlement:granted", {**said, "ends_at": UNTOLD if one["id"] in moved else one["ends_at"]}
        yield "entitlement:moved", {**said, "optional": True}
        if one["ended_at"]:
            yield "entitlement:ended", said


def compared(story: Story, *of: str) -> Iterator[str]:
    """What the facts tell is told by one entry of its kind, which says the same; no such entry tells of more."""
    left = [one for one in story.about if one.kind in KINDS and one.kind.startswith(of)]
    for kind, one in told_to_the_ledger(story):
        if not kind.startswith(of):
            continue
        known_by, same, personal, at = KINDS[kind]
        mine = story.of(kind, **{name: one[name] for name in known_by.split()})
        left = [entry for entry in left if entry not in mine]
        if (len(mine) > 1 and kind not in AGAIN) or not (mine or one.get("optional")):
            yield f"{len(mine) or 'No'} entries of the ledger ({kind}) tell of {one['what']}."
        for entry in mine[-1:]:
            where = f"Entry {entry.number} ({one['what']})"
            said = {**entry.said, **{name: entry.personal.get(name, "") for name in personal.split()}}
            names = [name for name in f"{same} {personal}".split() if UNTOLD not in (one[name], said.get(name))]
            yield from verify.differing(where, said, {name: one[name] for name in names})
            if at and (one[at] is None or abs(verify.moment(entry.at) - verify.moment(one[at])) > verify.LONGEST_TRANSACTION):
                yield f"{where} was not written when the facts say that it happened."
    yield from (f"Entry {one.number} ({one.kind}) tells of what the facts leave out." for one in left)


def state_after(tag: str, stated: Json, state: str) -> str:
    """The state in which an entry leaves a request that was in this one."""
    if tag == "request:retried" and "task" not in stated:  # the whole request, and not a single task of it
        return "scheduled"
    return STATES.get(tag, state)


def claim_problems(story: Story) -> Iterator[str]:
    """The ledger begins with the request's submission, and leaves it in the state that is claimed."""
    request, state, approved = story.request, "preparing", set()
    stages = {stage["slug"] for stage in story.told["stages"] if stage["revision"] == request["revision"]}
    for entry in story.about:
        state = state_after(entry.kind, entry.said, state)
        if entry.kind == "stage:approved" and entry.said["revision"] == request["revision"]:
            approved.add(entry.said["stage"])
        if state == "pending" and stages and stages == approved:  # no entry of its own tells that all have agreed
            state = "scheduled"
    submitted = story.of("request:submitted")
    asked = {"requester": request["requester"], "offering_digest": story.told["offering"]["digest"]}
    yield from verify.broken(
        "The ledger",
        (len(submitted) == 1 and submitted == story.about[:1], "does not begin with one submission"),
        (story.of("request:submitted", **asked), "tells that somebody else asked, or for another offering"),
        (state == request["state"], f"leaves the request {state}, and not {request['state']}"),
    )


def last_seal_problems(story: Story) -> Iterator[str]:
    """The request has the last seal that was made, unless it is prepared again, and its answers."""
    request, sealings = story.request, story.sealings
    # A request that is prepared again has no seal meanwhile, nor later if it ends there; an edit changes its answers.
    has_none = request["seal"] is None and request["state"] in ("preparing", "refused", "withdrawn")
    is_edited = has_none and [one.kind for one in story.of("request:sealed", "request:edited")][-1:] == ["request:edited"]
    if request["revision"] != len(sealings) or not (has_none or request["seal"]):
        yield "The request has no seal, or another number of seals."
    if sealings and not is_edited and not verify.holds_answers(story.told, sealings[-1]["document"]):
        yield f"Seal {len(sealings)} names other answers."


def seal_problems(story: Story) -> Iterator[str]:
    """The seals name the very people, stages and end that the facts tell, and rest on no other seal unduly."""
    parts = ("position", "part", "slug", "name", "part_of", "quorum", "acr")
    for number, sealing in enumerate(story.sealings, 1):
        document = sealing["document"]
        # Who they are is compared below; here, that they stand in their order.
        ordered = [stage["approvers"] == sorted(stage["approvers"], key=_who) for stage in document["route"]]
        route = [
            {**stage, "approvers": order, "carried": None} for stage, order in zip(document["route"], ordered)
        ]
        stages = [one for one in story.told["stages"] if one["revision"] == number]
        named = [{part: english(one[part]) for part in parts} for one in stages]
        wanted: Json = {"route": [{**stage, "approvers": True, "carried": None} for stage in named]}
        if number == len(story.sealings):  # an edit between two seals may change it
            wanted["ends_at"] = story.request["ends_at"]
        yield from verify.differing(f"Seal {number}", {**document, "route": route}, wanted)
        yield from _carried(story, sealing)
    # Everybody stands in the seals where the facts have them. Whoever was erased is somebody whom the seals alone know.
    told, sealed = story.places()
    known = {**dict.fromkeys(story.erased, NOBODY), **story.known}
    ours = [(known.get(person, (("", person),)), sorted(places)) for person, places in told.items()]
    theirs = [(who if who in known.values() else NOBODY, sorted(places)) for who, places in sealed.items()]
    if sorted(ours) != sorted(theirs):
        yield "The seals name other people than the facts do, or in other places."


def _carried(story: Story, sealing: Json) -> Iterator[str]:
    """Stages that rest on an earlier seal: agreed then by enough, and nothing but the plan has moved since."""
    document = sealing["document"]
    route = document.get("route") or []
    last = max((stage["position"] for stage in route), default=0)
    for stage in (one for one in route if one.get("carried")):
        slug, carried = stage["slug"], stage["carried"]
        earlier = next((one for one in story.sealings if one["seal"] == carried.get("seal")), sealing)
        number, before = earlier["revision"], earlier["document"]
        same = ("reference", "offering", "requester", "beneficiary", "answers", "ends_at", "risk")
        needed = next((one["quorum"] for one in before.get("route") or () if one["slug"] == slug), 0)
        agreed = {
            one["on_behalf_of"] or one["person"]
            for one in story.told["decisions"]
            if (one["revision"], one["stage"], one["verdict"]) == (number, slug, "approve")
        }
        yield from verify.broken(
            f"The stage “{slug}” that seal {sealing['revision']} carries over",
            (number < sealing["revision"], "rests on a seal that was not made before it"),
            (all(before.get(part) == document.get(part) for part in same), "rests on another request"),
            (stage["position"] < last and stage["quorum"] == 0, "had to be asked again"),
            (needed == carried.get("quorum") and 0 < needed <= len(agreed), "had not been agreed to by enough"),
        )


def decision_problems(story: Story) -> Iterator[str]:
    """Everybody decided once, for nobody's own sake, who could, signed in as they had to be, and signed where that is asked."""
    told, request, decisions = story.told, story.request, story.decisions
    people = [(one["revision"], who) for one in decisions for who in {one["person"], one["on_behalf_of"]} - {None}]
    if len(people) != len(set(people)):
        yield "Somebody decided twice on one seal, and one person counts once."
    parties = {request["requester"], request["beneficiary"]}
    barred = {request["editor"], told["offering"]["publisher"]}
    for one in decisions:
        number, right = one["revision"], one["on_behalf_of"] or one["person"]
        stage = story.stages[number, one["stage"]]
        yield from verify.broken(
            f"The decision of {story.names[one['person']]}",
            (not {one["person"], right} & parties, "is by who asked for it or receives it, or in their place"),
            (not {one["person"], right} & barred, "is by who edited or published the offering"),
            (one["voided_at"] or number == request["revision"], "is on an earlier seal and was not made void"),
            (right in [approver["person"] for approver in stage["approvers"]], "is by nobody who could decide there"),
            (was_sealed_or_asked(story, one), "is by nobody who was sealed as an approver or asked later"),
            (stage["acr"] in ("", one["acr"]), "was made with a weaker sign-in than the stage demands"),
            (one["signature"] or not needs_signature(story, one), "is not signed with a passkey, as the offering demands"),
            (
                verify.moment(one["auth_time"]) <= verify.moment(one["decided_at"]) + verify.CLOCK_SKEW,
                "was made before they signed in",
            ),
        )


def was_sealed_or_asked(story: Story, decision: Json) -> bool:
    """Whether they were sealed as an approver of the stage, or asked as well when nobody had decided in time."""
    person, document = decision["on_behalf_of"] or decision["person"], story.documents[decision["revision"]]
    if not document or person in story.erased:  # it cannot be told any more
        return True
    escalated = story.of("stage:escalated", revision=decision["revision"], stage=decision["stage"])
    asked = [approver["person"] for entry in escalated for approver in entry.said.get("approvers", ())]
    (stage,) = [stage for stage in document["route"] if stage["slug"] == decision["stage"]]
    return person in asked or story.identities[person] in map(verify.identity_in, stage["approvers"])


def needs_signature(story: Story, decision: Json) -> bool:
    """Whether the offering demands a passkey for what has this risk; for one whose level is unknown, too."""
    rule, document = story.told["offering"]["document"].get("signature"), story.documents[decision["revision"]]
    levels = ("low", "medium", "high", "critical")
    return bool(rule and document) and document["risk"].get("level") not in levels[: levels.index(rule["passkey_from"])]


def quorum_problems(story: Story) -> Iterator[str]:
    """Enough people agreed to each stage that was approved, and to each on which the work rests; none agreed by itself."""
    request = story.request
    for stage in story.told["stages"]:
        number, slug, state = stage["revision"], stage["slug"], stage["state"]
        went_on = request["state"] in AGREED and number == request["revision"]
        here = [one for one in story.decisions if (one["revision"], one["stage"]) == (number, slug)]
        # What an earlier seal had may have become void by what came after.
        said = [one["verdict"] for one in here if not (went_on and one["voided_at"])]
        is_enough = said.count("approve") >= stage["quorum"] or not (went_on or state == "approved")
        yield from verify.broken(
            f"The stage “{english(stage['name'])}”",
            (is_enough, f"counts as approved, but {said.count('approve')} of {stage['quorum']} agreed"),
            (state != "rejected" or "deny" in said, "is said to be rejected, but nobody denied it"),
            (state == "approved" or not went_on, "was not approved, but the request went on"),
        )


def step_problems(story: Story) -> Iterator[str]:
    """Every step has its seal's key and its plan's name, and where all is said to be done, every one was read back."""
    told, request = story.told, story.request
    for step in told["steps"]:
        key = {"reference": told["reference"], "seal": story.seals.get(step["revision"]), "step": step["position"]}
        yield from verify.broken(
            _step(step),
            (step["key"] == verify.digest({**key, "attempt": step["attempt"]}), "has a key that is not the seal's"),
            (all(step[part] == step["plan"].get(part) for part in ("connector", "name")), "has another name in its plan"),
        )
    if request["state"] in ("fulfilled", "ended"):
        mine = [one for one in told["steps"] if one["revision"] == request["revision"] and one["read_back"]]
        done = {one["position"] for one in mine if one["state"] in ("done", "reverted")}
        last = story.sealings[-1]["document"].get("plan", ()) if story.sealings else ()
        if not last or done != set(range(1, len(last) + 1)):
            yield "The request is said to be fulfilled, but not every sealed step was applied and read back."


def request_problems(story: Story) -> Iterator[str]:
    """The ledger tells the same of submitting, of publishing, of the seals and of the outcome."""
    offering = story.told["offering"]
    yield from compared(story, "request:")
    version = {name: offering[name] for name in ("version", "digest")}.items()
    published = [one.said for one in story.ledger if one.kind == "offering:published" and version <= one.said.items()]
    publisher = offering["publisher"] or "portal"
    yield from verify.broken(
        "The ledger",
        (published, "does not tell that this offering was published"),
        (publisher in [one["actor"] for one in published], "names another publisher of this version"),
    )


def approval_problems(story: Story) -> Iterator[str]:
    """The ledger tells the same of every stage and every decision, and of no other."""
    yield from compared(story, "approval:", "stage:")
    for entry in story.of("stage:opened"):
        # Who was asked is read again when a stage opens: some of those people, never another.
        stage = story.stages.get((entry.said.get("revision"), entry.said.get("stage")), {"approvers": ()})
        known = [(one["person"], one["rule"]) for one in stage["approvers"]]
        asked = [(one.get("person"), one.get("rule")) for one in entry.said.get("approvers") or ()]
        if not asked or not all(one in known for one in asked):
            yield f"Entry {entry.number} tells of other people who could decide in a stage than the facts do."


def fulfilment_problems(story: Story) -> Iterator[str]:
    """The ledger tells the same of every step and of everything that became live, and of nothing else."""
    yield from compared(story, "step:", "entitlement:")
    work = [entry.said.get("seal") for entry in story.of("fulfilment:started", "request:fulfilled", "request:failed")]
    begins = ("request:submitted", "request:sealed", "fulfilment:started", "step:applied", "step:read-back")
    firsts = [entry.number for kind in (*begins, "request:fulfilled") for entry in story.of(kind)[:1]]
    yield from verify.broken(
        "The ledger tells of work that",
        (all(seal in story.seals.values() for seal in work), "was done on a seal that the facts leave out"),
        (firsts == sorted(firsts), "began before it was approved, or ended before it began"),
    )
    for step in (one for one in story.told["steps"] if one["read_back"]):
        shown, by_hand = step["read_back"].get("present") is True, step["outcome"].get("by_hand") or {}
        first, second = by_hand.get("by"), by_hand.get("confirmed_by")
        if step["outcome"].get("found") == "by-hand":
            word = {"claimed_by": first, "actor": second, "step": step["position"], "undone": False}
            shown = bool(first) and first != second and bool(story.of("step:confirmed-by-hand", **word))
        if not shown:
            yield f"{_step(step)} was neither shown by the target nor done by hand and confirmed by somebody else."


def passkey_problems(story: Story) -> Iterator[str]:
    """What somebody signed who was erased is signed by one whom the seals alone know, and no passkey is told of in vain."""
    used = set()
    strangers = [who for who in story.places()[1] if who not in story.known.values()]
    for one in story.told["decisions"]:
        if one["signature"]:
            used.add("passkey:" + verify.sha256(verify.assertion_of(one)["credential_id"]))
        if one["signature"] and one["person"] in story.erased and one["person"] in story.places()[0]:
            problems = [_signature(story, one, who) for who in strangers]
            if all(problems):
                yield from problems[0] if problems else [f"The signature of {story.names[one['person']]} is nobody's."]
    for entry in story.ledger:
        if entry.subject.startswith("passkey:") and entry.subject not in used:
            yield f"Entry {entry.number} is about a passkey that signed nothing here."
    enrolled = [entry.subject for entry in story.ledger if entry.kind == "passkey:enrolled"]
    if len(enrolled) != len(set(enrolled)):
        yield "A passkey was enrolled twice."


def _signature(story: Story, decision: Json, who: Who) -> list[str]:
    """What is wrong with a signature if the person who was erased is this one."""
    told = verify.Evidence(story.told)
    told.identities[decision["person"]] = dict(who)
    return list(verify.passkey_problems(told, decision))


def story_values(opened: verify.Opened, story: Story) -> Iterator[str]:
    """The facts in the order in which the pages tell them; words that are translated only on English pages."""
    told, names, language = opened.told, story.names, opened.pdf.language

    def spoken(text: Any) -> str:
        return text if isinstance(text, str) else str(text.get(language, text["en"]))

    def only(*texts: str) -> tuple[str, ...]:
        return texts if language == "en" else ()

    request, sealings = told["request"], told["sealings"]
    yield from (told["reference"], spoken(request["title"]), *only(verify.WORDS.get(request["state"], "")))
    yield from (verify.read_head(told["ledger"]["checkpoint"]).root.hex(), request["seal"] or "")
    yield verify.sha256(opened.files["evidence.json"])
    yield from (*only("Summary"), names[request["requester"]], request["reason"], *only(spoken(request["outcome"])))
    yield from only("Answers given")
    for answer in told["answers"]:
        yield from only(answer["label"], answer["shown"])
    yield told["offering"]["digest"]
    for risk in (one["document"].get("risk") for one in sealings[-1:]):
        yield from only(f"Risk: {risk['level']}, score {risk['score']}" if risk else "")
    yield from only("Approval")
    for stage in told["stages"]:
        yield from (*only(spoken(stage["name"])), *(names[one["person"]] for one in stage["approvers"]))
    for one in told["decisions"]:
        yield from (names[one["person"]], *only(verify.WORDS[one["verdict"]]), one["decided_at"][11:19])
        yield from (one["acr"], one["comment"], one["seal"])
    for one in sealings:
        yield from (one["sealed_at"][11:19], one["seal"])
    yield from only("Planned, applied, read back")
    for step in told["steps"]:
        parts = (step["plan"], step["outcome"], step["read_back"])
        lines = [spoken(line.get("text", "")) for part in parts for line in part.get("lines") or ()]
        target = str(step["plan"].get("target", ""))
        yield from only(f": {spoken(step['name'])}", target, spoken(step["error"]), *lines)
        yield from (file[part] for file in step["artefacts"] for part in ("name", "digest"))
    yield from only("What is live because of it")
    for one in told["entitlements"]:
        yield from (spoken(one["label"]), one["target"], names[one["holder"]], one["key"])
    yield from only("Deviations", *told["deviations"], "Controls supported")
    for framework, controls in told["controls"].items():
        yield from (framework, *controls)
    yield from only("Ledger entries")
    for entry in told["ledger"]["entries"]:
        yield from (str(entry["number"]), entry["body"]["at"][11:19], entry["body"]["tag"])
        yield verify.leaf_hash(verify.canonical(entry["body"])).hex()
    yield told["ledger"]["verifier"]


#: What is checked of one request, and by which rules; their docstrings say what holds where none is broken.
CHECKS: dict[str, Callable[[Story], Iterator[str]]] = {
    "claim": claim_problems,
    "answers": last_seal_problems,
    "seals": seal_problems,
    "decisions": decision_problems,
    "quorum": quorum_problems,
    "steps": step_problems,
    "signature": passkey_problems,
    "story-request": request_problems,
    "story-approval": approval_problems,
    "story-fulfilment": fulfilment_problems,
}
#: What can still be told of a record that was erased.
OF_ERASED = ("claim", "decisions", "quorum", "signature", "story-approval")


def erased_problems(story: Story) -> Iterator[str]:
    """Nothing of a record that was erased is told."""
    told = story.told
    rest = [told["request"]["reason"], *(decision["comment"] for decision in told["decisions"])]
    rest += [sealing[name] for sealing in told["sealings"] for name in ("document", "warnings")]
    rest += [step[name] for step in told["steps"] for name in ("plan", "outcome", "read_back", "artefacts")]
    rest += [answer["value"] for answer in told["answers"]]
    if any(value not in (None, "", [], {}) for value in rest):
        yield "Of a record that was erased, reasons, answers, plans or effects are told."


def check_story(opened: verify.Opened, result: verify.Result) -> None:
    """What verify.py leaves open of one request's evidence; for any other file, nothing."""
    if opened.name == "evidence.json":
        result.checks = [check for check in result.checks if check[0] != "story"]  # it no longer is open
        verify.run_check("story", lambda: _check_story(opened, result), result)


def _check_story(opened: verify.Opened, result: verify.Result) -> None:
    story = Story(opened.told)
    is_erased = bool(story.of("record:erased"))
    if is_erased:
        result.judge("erased-record", erased_problems.__doc__ or "", erased_problems(story))
    for name, rules in CHECKS.items():
        if name in OF_ERASED or not is_erased:
            verify.run_check(name, lambda: result.judge(name, rules.__doc__ or "", rules(story)), result)
    for one in (one for one in story.decisions if one["on_behalf_of"]):
        said = f"{story.names[one['person']]} decided in the place of {story.names[one['on_behalf_of']]}"
        result.open("delegation", f"{said}: that it had been left to them is the portal's word.")
    verify.run_check("pages", lambda: check_pages(opened, story_values(opened, story), result), result)


# ---- 5. A report's rows, figures, lists and pages, and the form of its bundle -----------------------------------------

#: Words on English pages for what the rows have in codes.
PROMISES = {"kept": "kept", "missed": "missed", "open": "still open", "none": "no promise"}
_REGISTER = (
    "reference", "entry", "submitted_at", "offering", "version", "unit", "kind", "state", "requester", "requester_name",
    "beneficiary", "beneficiary_name", "decided_at", "fulfilled_at", "closed_at", "promised_by", "promise", "approvals",
    "denials", "seal", "controls", "offering_digest",
)


def check_rows(bundle: verify.Bundle, opened: verify.Opened, result: verify.Result) -> None:
    """Rows, duties, figures and tables of a bundle that verify.py found to hold, from its ledger.jsonl."""
    # What verify.py leaves open is told here.
    result.checks = [check for check in result.checks if check[:2] != ("rows", None)]
    recount = Recount(opened.told)
    verify.run_check("rows", lambda: recount.read(bundle.lines("ledger.jsonl")), result)
    checks = {"rows": recount.rows, "duties": recount.duties, "figures": recount.figures}
    for name, rules in checks.items():
        verify.run_check(name, partial(result.judge, name, rules.__doc__ or "", rules()), result)
    said = "The members are those of a bundle, and its lists of requests say what the facts say."
    verify.run_check("lists", lambda: result.judge("lists", said, list_problems(bundle, opened)), result)
    said = "population.xlsx, tables/ and chapters whose figures are not in the ledger say what the report's signer says"
    result.open("tables", f"{said}; countersign verify makes pages and tables again from the facts.")


def check_report(content: bytes, opened: verify.Opened, result: verify.Result) -> None:
    """What verify.py leaves open of a report without its bundle."""
    check_form(content, opened.pdf, result)
    check_period(opened.told, result)
    said = "The rows support the controls that were asked for, each version of an offering the same."
    verify.run_check("controls", lambda: result.judge("controls", said, control_problems(opened.told)), result)
    check_report_pages(opened, result)


def check_report_pages(opened: verify.Opened, result: verify.Result) -> None:
    """That the pages say the sample's seals and files; and English ones all of every row, the figures, and the period."""
    found = verify.Result(result.file)
    verify.run_check("pages", lambda: check_pages(opened, report_values(opened), found), found)
    problems = [sentence for _, holds, sentence in found.checks if not holds]
    result.judge("register", "What verify.py did not look for on the pages, such as the sample's seals, is there.", problems)


def check_archive(path: Path) -> None:
    """A ZIP file (APPNOTE 4.3) is, but for what is packed, as Countersign writes it, byte for byte. Raises Wrong.

    A member's header leaves only its time, checksum, sizes and name free, and the directory repeats it word for word:
    so every program sees the same members. A folder does anyway.
    """
    if path.is_dir():
        return
    directory, at, last, ours = [], 0, b"", path.stat().st_size < 1 << 31
    try:
        with path.open("rb") as file:
            while ours and (head := file.read(30))[:4] == b"PK\x03\x04":
                packed, size, named = struct.unpack("<18xLLH2x", head)
                name = file.read(named)
                # Version 2.0, no flags, deflated, nothing further; in order, and not packed to less than a thousandth.
                ours = (head[4:10], head[28:]) == (b"\x14\0\0\0\x08\0", b"\0\0") and last < name
                ours = ours and size <= max(1 << 20, 1_000 * packed)
                # Made on Unix, where it was a plain file that everybody may read.
                directory.append(b"PK\x01\x02\x14\x03" + head[4:] + struct.pack("<6xLL", 0o100644 << 16, at) + name)
                at, last = at + 30 + named + packed, name
                file.seek(at)
            count, whole = len(directory), b"".join(directory)
            end = whole + struct.pack("<4s4xHHLLH", b"PK\x05\x06", count, count, len(whole), at, 0)
            if ours and head + file.read(len(end)) == end:
                with zipfile.ZipFile(path):
                    return
    except (struct.error, zipfile.BadZipFile, OSError):
        pass
    raise verify.Wrong("This is no ZIP file as Countersign writes it. What was packed otherwise, give as a folder.")


def check_period(told: Json, result: verify.Result) -> None:
    """The instants between which requests were counted are those of the days that were asked for."""
    if not available_timezones():
        unknown = "This machine knows no time zones: that the period begins and ends at midnight of its days is compared"
        result.open("period", f"{unknown} give or take 14 hours only.")
    said = "The period begins and ends with the days that were ordered, or with the order."
    verify.run_check("period", lambda: result.judge("period", said, period_problems(told)), result)


def period_problems(told: Json) -> Iterator[str]:
    """The period begins and ends at midnight of its days, or ends with the order where its last day was not over yet."""
    query, zones = told["query"], available_timezones()
    if zones and query["zone"] not in zones:
        raise Wrong(f"There is no time zone “{query['zone']:.40}”, so nobody can tell when the period begins.")
    zone, spread = (ZoneInfo(query["zone"]), timedelta(0)) if zones else (timezone.utc, timedelta(hours=14))
    begins, until = verify.moment(query["from"]), verify.moment(query["until"])
    first_day, last_day = (datetime.fromisoformat(query[day]) for day in ("first_day", "last_day"))
    starts = [day.replace(tzinfo=zone).astimezone(timezone.utc) for day in (first_day, last_day, last_day + timedelta(days=1))]
    (order,) = verify.of_the_audit(told, "audit:ordered")
    # A last day that was not over yet ends with the order, whose entry was written in the same transaction.
    waited = verify.moment(order["body"]["at"]) - until
    is_short = starts[1] - spread <= until < starts[2] - spread and waited <= verify.LONGEST_TRANSACTION
    yield from verify.broken(
        "The period",
        (abs(begins - starts[0]) <= spread, f"does not begin with its first day in {query['zone']}"),
        (is_short or abs(until - starts[2]) <= spread, f"ends neither with its last day in {query['zone']} nor with the order"),
    )


def control_problems(told: Json) -> Iterator[str]:
    """Rows whose controls are not those of their offering's version, or none of those that were asked for."""
    rows, wanted = told["population"]["rows"], set(told["query"]["controls"])
    controls = {row["offering_digest"]: row["controls"] for row in rows}
    for row in rows:
        if row["controls"] != controls[row["offering_digest"]]:
            yield f"{row['reference']}: another row of the same offering's version supports other controls."
        if wanted and wanted.isdisjoint(row["controls"]):
            yield f"{row['reference']} supports none of the controls that were asked for."


def evidence_problems(row: Json, one: Json, as_of: str) -> Iterator[str]:
    """Where one request's evidence differs from the request's row."""
    request, is_later = one["request"], verify.moment(one["as_of"]) > verify.moment(as_of)
    # The row has the time of its entry, which was written in the same transaction.
    waited = abs(verify.moment(request["submitted_at"]) - verify.moment(row["submitted_at"]))
    controls = [f"{framework} {control}" for framework, some in one["controls"].items() for control in some]
    yield from verify.broken(
        f"The evidence of {row['reference']}",
        (waited <= verify.LONGEST_TRANSACTION, "has another time of submission than the row"),
        (request["requester"] == row["requester"], "has another requester than the row"),
        (request["state"] == row["state"] or is_later, "has another state than the row"),
        (one["offering"]["digest"] == row["offering_digest"], "has another offering than the row"),
        (sorted(controls) == sorted(row["controls"]), "supports other controls than the row"),
    )


class Course:
    """How one request fared, entry by entry."""

    def __init__(self) -> None:
        self.told: Json = {"state": "preparing", "seal": None}  # what its row must tell too
        self.entries: list[tuple[str, datetime]] = []
        self.votes: dict[Any, tuple[str, set[str]]] = {}  # who stands behind each decision, by revision and person
        self.waiting: set[str] = set()  # the sealed stages that have not agreed
        self.breaches: list[str] = []

    def go_on(self, body: Json, at: datetime) -> None:
        """One entry more."""
        tag, said, told = body["tag"], body.get("facts") or {}, self.told
        self.entries.append((tag, at))
        told["state"] = state_after(tag, said, told["state"])
        if tag in ("request:submitted", "request:edited", "request:prepared"):
            told.update({name: said[name] for name in ("kind", "beneficiary") if name in said})
        vote = (said.get("revision"), said.get("person") or body["actor"])
        if tag == "request:submitted":
            told["requester"] = said["requester"]
        elif tag in ("approval:approved", "approval:denied"):
            self.votes[vote] = (tag, set(filter(None, (body["actor"], said.get("on_behalf_of")))))
        elif tag == "approval:voided":
            self.votes.pop(vote, None)
        elif tag == "request:sealed":
            told["seal"], self.waiting = said.get("seal"), set(said.get("stages") or ())
        elif tag == "stage:approved" and said.get("stage") in self.waiting:
            self.waiting.remove(said["stage"])
            if not self.waiting and told["state"] == "pending":
                told["state"] = "scheduled"
        elif tag in ("fulfilment:started", "request:fulfilled"):
            # What counts is what stood there when the work was done: nothing that was written later excuses it.
            self.breaches += self.breached(told, carried_out=True)

    def breached(self, told: Json, *, carried_out: bool) -> Iterator[str]:
        """What the decisions of now do not allow, by the requester, beneficiary and kind that are told."""
        people = set().union(*(who for tag, who in self.votes.values() if tag == "approval:approved"))
        if people & {told["requester"], told["beneficiary"]}:
            yield "somebody approved what they asked for or receive"
        alone = self.has("request:approved-by-policy", "standing:used", "glass:broken")  # these need no person
        if carried_out and told["kind"] == "normal" and not people and not alone:
            yield "it was carried out, but nobody approved it"

    def has(self, *tags: str) -> list[datetime]:
        """When entries with these tags were written."""
        return [at for tag, at in self.entries if tag in tags]

    def promise(self, row: Json, as_of: datetime) -> str:
        """Whether what was promised was kept."""
        if row["promised_by"] is None:
            return "none"
        promised, done = verify.moment(row["promised_by"]), row["fulfilled_at"]
        if done or self.has("request:promise-missed"):
            return "kept" if done and verify.moment(done) <= promised else "missed"
        if row["state"] in ("rejected", "withdrawn", "refused"):
            return "none"
        return "open" if as_of <= promised else "missed"


class Recount:
    """What ledger.jsonl says of the population's requests: how far each came. verify.py has hashed the lines before."""

    def __init__(self, told: Json) -> None:
        self.told, self.population = told, told["population"]["rows"]
        self.requests = {row["reference"]: Course() for row in self.population}
        self.tags: Counter[str] = Counter()
        self.withheld = 0

    def read(self, lines: Iterable[bytes]) -> None:
        """Every line of the period's ledger."""
        for line in lines:
            body = verify.read_json(line)
            if "leaf_hash" in body:
                self.withheld += 1
                continue
            self.tags[body["tag"]] += 1
            kind, _, name = str(body["subject"]).partition(":")
            if kind == "request" and name in self.requests:
                self.requests[name].go_on(body, verify.moment(body["at"]))

    def rows(self) -> Iterator[str]:
        """Every row tells the state, the decisions and the times that the ledger's entries tell."""
        for row in self.population:
            one = self.requests[row["reference"]]
            if not one.entries:
                continue  # which verify.py tells
            votes = Counter(tag for tag, _ in one.votes.values())
            follows = {name: one.told.get(name) for name in ("state", "kind", "beneficiary")}
            follows.update(approvals=votes["approval:approved"], denials=votes["approval:denied"])
            follows.update(seal=row["seal"] and one.told["seal"], promise=one.promise(row, verify.moment(self.told["as_of"])))
            yield from verify.differing(f"{row['reference']} in the ledger", row, follows)
            done, times = one.has("request:fulfilled")[-1:], [at for _, at in one.entries]
            if done and not row["fulfilled_at"]:
                yield f"{row['reference']}: the ledger tells that it was fulfilled."
            for part, when in (("fulfilled_at", done), ("decided_at", times), ("closed_at", times)):
                if row[part] and not any(abs(at - verify.moment(row[part])) <= verify.LONGEST_TRANSACTION for at in when):
                    yield f"{row['reference']}: the ledger does not tell that it was {part[:-3]} when the row says."

    def duties(self) -> Iterator[str]:
        """Nobody approved what they asked for or receive, and nothing was carried out without a word that allows it."""
        for row in self.population:
            one = self.requests[row["reference"]]
            if one.entries:
                breaches = [*one.breaches, *one.breached(row, carried_out=bool(row["fulfilled_at"]))]
                yield from (f"{row['reference']}: {breach}." for breach in breaches)

    def figures(self) -> Iterator[str]:
        """The figures of duties, timeliness, controls and logging are those that rows and ledger give."""
        rows, sections = self.population, self.told["sections"]
        if sections.get("duties"):
            counts = {"requests": len(rows), "approvals": sum(row["approvals"] for row in rows)}
            yield from verify.differing("Segregation of duties, by the rows,", sections["duties"], counts)
        for part in ("offering", "unit") if "timeliness" in sections else ():
            kept = Counter((row[part], row["promise"]) for row in rows)
            slugs = sorted({slug for slug, _ in kept})
            lines = [{"slug": slug, **{name: kept[slug, name] for name in PROMISES}} for slug in slugs]
            if sorted(sections["timeliness"][f"{part}s"], key=lambda line: str(line["slug"])) != lines:
                yield f"The chapter on timeliness counts promises by {part} otherwise than the rows do."
        if "controls" in sections:
            supports = Counter(control for row in rows for control in row["controls"])
            carried_out = [row for row in rows if row["state"] in ("fulfilled", "ended")]
            done = Counter(control for row in carried_out for control in row["controls"])
            lines = sections["controls"]["lines"]
            stated = {f"{one['framework']} {one['control']}": (one["requests"], one["carried_out"]) for one in lines}
            if stated != {control: (count, done[control]) for control, count in supports.items()}:
                yield "The control matrix counts other requests than the rows do."
        logged = sections.get("logging") if not self.withheld else None
        if logged and ({line["tag"]: line["entries"] for line in logged["tags"]} != self.tags or logged["missing"]):
            yield "The chapter on logging counts other entries than the ledger has."


def list_problems(bundle: verify.Bundle, opened: verify.Opened) -> Iterator[str]:
    """What of the members is missing or none of this report's, and where a list tells something else than the facts."""
    told, tables, named = opened.told, _tables(opened.told), Counter(file["name"] for file in opened.told["files"])
    drawn = [f"evidence/{reference}.pdf" for reference in told["sample"]["references"]]
    notes = [name for name in ("before", "after", "made") if told["ledger"][name]["checkpoint"] is not None]
    expected = {*drawn, *tables, "audit.schema.json", "ledger.jsonl", "population.xlsx"}
    expected.update(f"checkpoints/{name}.note" for name in notes)
    for name in sorted({*expected, *named}):
        if named[name] != 1:
            yield f"The report does not name {name}, or names it twice."
        elif name not in expected and not name.startswith("tables/"):
            yield f"The report names {name}, which no bundle has."
        elif name in tables and bundle.read(name) != tables[name]:
            yield f"{name} tells something else than the report's facts."


def _tables(told: Json) -> dict[str, bytes]:
    """population.csv: the rows of the facts, people with their names; and sample.csv: what was drawn, with its rank."""
    digests, seed = {one["name"]: one["digest"] for one in told["files"]}, told["sample"]["seed"]
    register: list[Sequence[Any]] = [_REGISTER]
    for row in told["population"]["rows"]:
        shown = {**row, "controls": "; ".join(row["controls"])}
        for who in ("requester", "beneficiary"):
            shown[f"{who}_name"] = told["people"].get(row[who], {}).get("name", "")
        register.append([shown[column] for column in _REGISTER])
    sample: list[Sequence[Any]] = [("drawn", "reference", "rank", "evidence", "digest")]
    for number, one in enumerate(told["sample"]["references"], 1):
        sample.append((number, one, verify.rank(seed, one), f"evidence/{one}.pdf", digests.get(f"evidence/{one}.pdf", "")))
    return {"population.csv": _csv(register), "sample.csv": _csv(sample)}


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """RFC 4180, in UTF-8 with its mark; what a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO(newline="")
    for row in rows:
        shown = [f"'{one}" if str(one).startswith(("=", "+", "-", "@", "\t", "\r")) else one for one in row]
        csv.writer(out).writerow(shown)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def report_values(opened: verify.Opened) -> Iterator[str]:
    """Population, sample and register as pages have them; in English, as whose words are known here, also all the words."""
    told, query, sample = opened.told, opened.told["query"], opened.told["sample"]
    rows, is_english = {row["reference"]: row for row in told["population"]["rows"]}, opened.pdf.language == "en"
    digests = {one["name"]: one["digest"][7:] for one in told["files"]}
    yield told["reference"]
    if is_english:
        days = [datetime.fromisoformat(query[day]) for day in ("first_day", "last_day")]
        period = " to ".join(f"{day.day} {day:%B %Y}" for day in days)
        yield f"{period}{_up_to(query)} ({query['zone']})" if query["zone"] in available_timezones() else period
        claim = "1 request in scope was" if len(rows) == 1 else f"All {len(rows):,} requests in scope that were"
        yield f"{claim} submitted from {period}" if rows else "no request in scope was submitted"
    yield from (told["population"]["digest"], verify.sha256(opened.files["audit.json"]))
    if is_english:
        yield "".join(f"{number:,}{label}" for label, number in _figures(told).items())
    yield from (sample["root"], sample["nonce"], sample["seed"])
    for reference in sample["references"]:
        seal, file = rows[reference]["seal"] or "", digests.get(f"evidence/{reference}.pdf", "")
        yield from (reference, verify.rank(sample["seed"], reference)[:16], seal[7:], file)
    for row in rows.values():
        people = [told["people"].get(row[who], {}).get("name", row[who]) for who in ("requester", "beneficiary")]
        begins = f"{row['reference']}{row['entry']}{row['submitted_at'][:19].replace('T', ' ')}"
        if not is_english:
            yield from (begins, *dict.fromkeys(people), f"{row['approvals']} / {row['denials']}")
            continue
        offering = told["offerings"].get(row["offering"], row["offering"])
        begins += f"{offering}, v. {row['version']}{told['units'].get(row['unit'], row['unit'])}"
        state = f"{row['kind'].capitalize()}: {verify.WORDS.get(row['state'], row['state'])}"
        votes = f"{row['approvals']} / {row['denials']}{PROMISES[row['promise']]}"
        yield f"{begins}{' for '.join(dict.fromkeys(people))}{state}{votes}"


def _figures(told: Json) -> dict[str, int]:
    """The figures of the summary, in the order of its table."""
    rows = told["population"]["rows"]
    states = Counter(row["state"] for row in rows)
    done, refused = states["fulfilled"] + states["ended"], states["rejected"] + states["refused"]
    return {
        "Requests in scope": len(rows), "Carried out": done, "Rejected or refused": refused,
        "Withdrawn": states["withdrawn"], "Failed": states["failed"],
        "Still under way": len(rows) - done - refused - states["withdrawn"] - states["failed"],
        "Approvals": sum(row["approvals"] for row in rows),
        "Emergencies": [row["kind"] for row in rows].count("emergency"),
        "Drawn as the sample": told["sample"]["size"],
    }


def _up_to(query: Json) -> str:
    """Where the period ends before its last day does, as the pages say it."""
    until = verify.moment(query["until"]).astimezone(ZoneInfo(query["zone"]))
    return f", up to {until:%H:%M}" if until.date().isoformat() <= query["last_day"] else ""


# ---- 6. From the command line ----------------------------------------------------------------------------------------


def check_path(
    path: Path,
    trusted: verify.Trusted,
    others: Others = Others(),  # noqa: B008  (it cannot be changed)
    progress: Callable[[str], None] = lambda _: None,
) -> verify.Result:
    """All that verify.py checks and, where that holds, all that is checked here. Raises OSError as it does."""
    result = verify.check_path(path, trusted, progress)
    if not result.holds:
        return result
    if verify.is_bundle(path):
        verify.run_check("bundle", lambda: check_bundle(path, others, result, progress), result)
    else:
        content = path.read_bytes()
        verify.run_check("facts", lambda: check_others(check_pdf(content, result), others, result), result)
    return result


def check_pdf(content: bytes, result: verify.Result) -> Json:
    """A PDF alone, which verify.py found to hold; its facts."""
    opened = reopened(content)
    if opened.name == "audit.json":
        check_report(content, opened, result)
    else:
        check_form(content, opened.pdf, result)
        check_story(opened, result)
    return opened.told


def check_bundle(path: Path, others: Others, result: verify.Result, progress: Callable[[str], None]) -> None:
    """A bundle, packed or not, which verify.py found to hold."""
    if not path.is_dir():
        verify.run_check("archive", lambda: check_archive(path), result)
    bundle = verify.Bundle(path)
    bundle.progress = progress
    report = bundle.read("report.pdf")
    opened = reopened(report)
    check_report(report, opened, result)
    check_rows(bundle, opened, result)
    lines = bundle.lines("ledger.jsonl")
    verify.run_check("others", lambda: check_others(opened.told, others, result, lines), result)
    rows, sampled, odd = {row["reference"]: row for row in opened.told["population"]["rows"]}, opened.told["sample"], 0
    for reference in sampled["references"]:
        name = f"evidence/{reference}.pdf"
        inner = verify.Result(name)
        check_sampled(bundle.read(name), rows[reference], others, opened.told["as_of"], inner)
        odd += not inner.holds
        for check, holds, sentence in inner.checks:
            if not holds:
                result.checks.append(("evidence", holds, f"{name}, {check}: {sentence}"))
    if not odd:
        said = f"The stories of all {sampled['size']} sampled requests follow from the ledger's entries, and are those of their rows."
        result.good("evidence", said)


def check_sampled(content: bytes, row: Json, others: Others, as_of: str, result: verify.Result) -> None:
    """One sampled request's evidence: by itself, against its row, and under the head that others may know otherwise."""
    one, known = check_pdf(content, result), verify.Result("")
    verify.run_check("row", lambda: result.judge("row", "It says what its row says.", evidence_problems(row, one, as_of)), result)
    verify.run_check("others", lambda: check_others(one, others, known), known)
    result.checks += [check for check in known.checks if check[1] is False]


def reopened(content: bytes) -> verify.Opened:
    """A PDF that verify.py has opened before. Raises Wrong for any other."""
    opened = verify.open_pdf(content, verify.Trusted(), verify.Result(""))
    if opened is None:
        raise Wrong("This file does not hold.")
    return opened


def main(arguments: Sequence[str] | None = None) -> int:
    """What the command line asked for; its exit status."""
    parser = verify.parser()
    parser.description = (__doc__ or "").partition("\n")[0]
    parser.epilog = f"{parser.epilog} Here KEY may also be a witness's (name+hash+key)."
    kept = "a checkpoint of the ledger that you keep"
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, help=kept)
    return verify.run(parser, arguments, lambda asked: given(asked.key, asked.checkpoint), check_path)


if __name__ == "__main__":
    sys.exit(main())
