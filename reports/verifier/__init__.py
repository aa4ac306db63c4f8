"""The verifier that every bundle carries: files that need nothing of Countersign.

`verify.py` is made to be read and checks what a file proves. `recount.py` runs it and asks for more: whether what the
facts say follows from the ledger's entries.
"""

from __future__ import annotations

from pathlib import Path

VERIFY, RECOUNT = "verify.py", "recount.py"
FILES = (VERIFY, RECOUNT)


def source(name: str) -> bytes:
    """One of the files, as every bundle carries it and the page "Evidence" hands it out."""
    return Path(__file__).with_name(name).read_bytes()
