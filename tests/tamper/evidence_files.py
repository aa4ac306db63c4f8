"""Real evidence files: a byte of a page changed, and the attachment exchanged for another request's.

Both the portal (the file is not the one that was made) and `countersign verify`, which has nothing but the file and the
ledger's key, must find it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pikepdf
from sqlalchemy import select

from catalog.requests.model import Request
from catalog.requests.states import State
from reports.evidence.make import make_evidence
from reports.evidence.verify import Trusted, verify_file
from tests.tamper.estate import Estate, Found
from tests.tamper.playing import Outcome

FILE_KINDS = ("a page of an evidence file changed", "the attachment of an evidence file exchanged")


def play_files(estate: Estate, count: int, seed: int) -> Iterator[Outcome]:
    """So many changes of each kind to two real files; they are rendered first."""
    estate.bring_back("clean")
    references = _references(estate)
    files = [make_evidence(estate.world.bench, reference).path for reference in references]
    for file in files:
        untouched = verify_file(file, trusted=Trusted.of([estate.signer.verifier]))
        if not untouched.holds:
            wrong = tuple(Found(None, check.sentence) for check in untouched.checks if check.holds is False)
            yield Outcome("evidence does not hold though nobody changed it", file.name, wrong, named=False)
    estate.keep("with evidence")
    chance = random.Random(f"files {seed}")
    for turn in range(count * len(FILE_KINDS)):
        estate.bring_back("with evidence")
        kind = FILE_KINDS[turn % len(FILE_KINDS)]
        path = chance.choice(files)
        if kind == FILE_KINDS[0]:
            change_a_page(chance, path)
        else:
            exchange_the_attachment(path, next(file for file in files if file != path))
        yield _outcome(estate, kind, path)


def _outcome(estate: Estate, kind: str, path: Path) -> Outcome:
    findings = estate.verify()
    offline = verify_file(path, trusted=Trusted.of([estate.signer.verifier]))
    by_file = [Found(None, check.sentence) for check in offline.checks if check.holds is False]
    named = any(path.name in found.sentence for found in findings) and bool(by_file)
    return Outcome(kind, path.name, (*findings, *by_file), named)


def _references(estate: Estate) -> list[str]:
    with estate.db.reading() as session:
        # The estate's made-up rows belong to the first request and the first step.
        statement = select(Request.reference).where(
            Request.state.in_((State.FULFILLED, State.REJECTED)),
            Request.id > 2,
        )
        return list(session.scalars(statement.order_by(Request.id).limit(2)))


def change_a_page(chance: random.Random, path: Path) -> None:
    """One bit in what draws one of the pages."""
    content = bytearray(path.read_bytes())
    with pikepdf.open(path) as pdf:
        streams = [page.obj.Contents.read_raw_bytes() for page in pdf.pages]
    stream = chance.choice(streams)
    start = bytes(content).index(stream)
    content[start + chance.randrange(len(stream))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def exchange_the_attachment(path: Path, other: Path) -> None:
    """The facts of another request under the pages of this one."""
    with pikepdf.open(other) as pdf:
        facts = pdf.attachments["evidence.json"].get_file().read_bytes()
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.attachments["evidence.json"] = pikepdf.AttachedFileSpec(
            pdf, facts, filename="evidence.json", mime_type="application/json"
        )
        pdf.save(path)
