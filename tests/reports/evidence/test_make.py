"""Making a request's evidence."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.fixtures_servers import required
from tests.reports.conftest import EvidenceWorld, evidence_in


def test_a_fulfilled_request_gives_a_signed_file_with_its_facts(world: EvidenceWorld) -> None:
    reference = world.fulfilled()
    file = world.file(reference)
    evidence = evidence_in(file)
    assert evidence.reference == reference
    Path("/tmp/ev.pdf").write_bytes(file.read_bytes())
    said = subprocess.run([required("pdfsig"), str(file)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said and "Total document signed" in said
