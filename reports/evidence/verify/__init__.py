"""The offline verifier: what an evidence file proves, in plain words. It reads no database and no settings."""

from reports.evidence.verify.result import Check, Verification
from reports.evidence.verify.run import verify_content, verify_file
from reports.evidence.verify.trusted import Trusted

__all__ = ["Check", "Trusted", "Verification", "verify_content", "verify_file"]
