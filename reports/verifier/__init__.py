"""The verifier that every bundle carries: one file that needs nothing of Countersign."""

from __future__ import annotations

from pathlib import Path


def source() -> bytes:
    """verify.py, as every bundle carries it and the page "Evidence" hands it out."""
    return Path(__file__).with_name("verify.py").read_bytes()
