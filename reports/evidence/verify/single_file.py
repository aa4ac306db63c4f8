"""Where the checks of the bundle's two files are used here: the keys go in, what it found comes out."""

from __future__ import annotations

from reports.evidence.verify.result import Verification
from reports.evidence.verify.trusted import Trusted
from reports.verifier.recount import Others
from reports.verifier.verify import Result
from reports.verifier.verify import Trusted as Given


def given(trusted: Trusted) -> Given:
    """The same keys, as the single file takes them."""
    return Given(trusted.fingerprints)


def others(trusted: Trusted) -> Others:
    """What others hold, as the second file takes it."""
    return Others(tuple(key.verifier for key in trusted.witnesses), trusted.kept)


def tell(found: Result, result: Verification) -> None:
    """Say what the single file found."""
    for name, holds, sentence in found.checks:
        if holds is None:
            result.open(name, sentence)
        else:
            result.judge(name, sentence, () if holds else (sentence,))
