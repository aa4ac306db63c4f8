"""A checkpoint that an auditor keeps: whoever holds the ledger's key can sign another past, but not this one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.audit.merkle import leaf_hash
from reports.audits.verify import verify_bundle
from reports.evidence.verify import Trusted
from reports.verifier import recount
from reports.verifier import verify as single
from tests.reports.verifier.conftest import GenuineBundle


def note_of(bundle: GenuineBundle, size: int, *, origin: str = "", root: bytes = b"") -> str:
    """The head of the bundle's ledger at a size, as a holder has it; its signature is not what is looked at here."""
    ledger = bundle.audit.ledger
    edge = single.Edge(ledger.before.size, ledger.before.edge)
    for line in bundle.members["ledger.jsonl"].splitlines()[: size - ledger.before.size]:
        edge.append(leaf_hash(line))
    root = root or edge.root()
    return f"{origin or ledger.origin}\n{size}\n{base64.b64encode(root).decode()}\n\n— {ledger.origin} AAAA\n"


def said(bundle: GenuineBundle, note: Path) -> list[tuple[bool | None, str]]:
    """What the second reading says of the kept checkpoint."""
    found = recount.check_path(bundle.path, *recount.given([bundle.verifier], [note]))
    mine = [(holds, sentence) for name, holds, sentence in found.checks if name == "kept"]
    assert found.holds == all(holds is not False for holds, _ in mine)
    return mine


def test_a_kept_checkpoint_within_the_period_is_compared_with_the_ledger(
    bundle: GenuineBundle, tmp_path: Path
) -> None:
    note = tmp_path / "kept.note"
    size = bundle.audit.ledger.before.size + 7
    note.write_text(note_of(bundle, size), encoding="utf-8")
    assert said(bundle, note) == [
        (True, f"The ledger of {size} entries is the one that your checkpoint states.")
    ]
    note.write_text(note_of(bundle, size, root=b"\x01" * 32), encoding="utf-8")
    ((holds, sentence),) = said(bundle, note)
    assert holds is False
    assert "states another root" in sentence
    stronger = verify_bundle(bundle.path, trusted=Trusted.of([bundle.verifier], [note]))
    assert [(one.holds, one.sentence) for one in stronger.checks if one.name == "kept"] == [(holds, sentence)]
    assert not stronger.holds


def test_what_cannot_be_compared_or_is_of_another_ledger_is_said(
    bundle: GenuineBundle, tmp_path: Path
) -> None:
    note = tmp_path / "kept.note"
    later = bundle.audit.ledger.made.size + 1
    note.write_text(note_of(bundle, later, root=b"\x01" * 32), encoding="utf-8")
    ((holds, sentence),) = said(bundle, note)
    assert holds is None
    assert "cannot be compared" in sentence
    note.write_text(note_of(bundle, later, origin="elsewhere.example/ledger"), encoding="utf-8")
    ((holds, sentence),) = said(bundle, note)
    assert holds is False
    assert "of another ledger" in sentence


def test_a_kept_checkpoint_of_the_size_of_a_sampled_files_head_is_compared_with_that_file(
    bundle: GenuineBundle, tmp_path: Path
) -> None:
    """That head may lie behind the ledger's share in the bundle, where no root is hashed again."""
    told = json.loads(bundle.members["audit.json"])
    row = next(one for one in told["population"]["rows"] if one["reference"] == bundle.early)
    content = bundle.members[f"evidence/{bundle.early}.pdf"]
    head = recount.read_kept(head_of(content, tmp_path))
    for root, wanted in ((head.root, []), (b"\x01" * 32, ["kept"])):
        result = single.Result(bundle.early)
        others = recount.Others(kept=(head._replace(root=root),))
        recount.check_sampled(content, row, others, told["as_of"], result)
        assert [name for name, holds, _ in result.checks if holds is False] == wanted


def head_of(content: bytes, folder: Path) -> Path:
    """The checkpoint of a file of evidence, as an auditor keeps it."""
    opened = single.open_pdf(content, single.Trusted(), single.Result("evidence.pdf"))
    assert opened is not None
    note = folder / "kept.note"
    note.write_text(opened.told["ledger"]["checkpoint"], encoding="utf-8")
    return note


def test_what_no_portal_writes_of_a_row_is_a_no_and_not_a_wrong_call(bundle: GenuineBundle) -> None:
    told = json.loads(bundle.members["audit.json"])
    row = next(one for one in told["population"]["rows"] if one["reference"] == bundle.early)
    result = single.Result(bundle.early)
    content = bundle.members[f"evidence/{bundle.early}.pdf"]
    odd = {**row, "submitted_at": "2026-11-31T10:00:00+00:00"}
    recount.check_sampled(content, odd, recount.Others(), told["as_of"], result)
    assert [name for name, holds, _ in result.checks if holds is False] == ["row"]


def test_countersign_verify_holds_a_sampled_file_against_its_row(
    bundle: GenuineBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(bundle.members["audit.json"])
    seen: list[str] = []

    def evidence_problems(row: dict[str, Any], one: dict[str, Any], as_of: str) -> Iterator[str]:
        assert list(true(row, one, as_of)) == []
        seen.append(row["reference"])
        yield from true({**row, "requester": "person:99"}, one, as_of)

    true = recount.evidence_problems
    monkeypatch.setattr(recount, "evidence_problems", evidence_problems)
    result = verify_bundle(bundle.path, trusted=Trusted.of([bundle.verifier]))
    assert seen == told["sample"]["references"]
    wrong = [check.sentence for check in result.checks if check.holds is False]
    assert wrong == [f"The evidence of {one} has another requester than the row." for one in seen]


def test_a_file_that_is_no_checkpoint_is_refused_before_anything_is_read(
    bundle: GenuineBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "odd.note"
    odd.write_text("hello\n", encoding="utf-8")
    with pytest.raises(ValueError, match="is no checkpoint"):
        Trusted.of([], [odd])
    with pytest.raises(SystemExit) as ended:
        recount.main([str(bundle.path), "--checkpoint", str(tmp_path / "missing.note")])
    assert ended.value.code == 2
    assert "cannot be read" in capsys.readouterr().err
