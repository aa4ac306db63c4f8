"""The sample: how large it is by the auditor's rule, and which requests it is. Anybody can draw it again.

Nobody can steer it: the root was signed and shown before the auditor said the nonce, and the root can no longer be
changed once it was.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from fractions import Fraction
from math import ceil

from portal.core.errors import FieldError
from portal.core.language import _
from reports.audits.document import AttributeRule, FixedRule, PercentRule

SHORTEST_NONCE, LONGEST_NONCE = 4, 200


def sample_size(rule: FixedRule | PercentRule | AttributeRule, population: int) -> int:
    """How many of so many are drawn; exact, and never more than there are."""
    match rule:
        case FixedRule():
            wanted = rule.size
        case PercentRule():
            part = ceil(Fraction(population) * Fraction(rule.percent) / 100)
            wanted = min(rule.most, max(rule.least, part))
        case AttributeRule():
            return _without_deviation(population, Fraction(rule.confidence), Fraction(rule.tolerable))
    return min(wanted, population)


def seed_of(root: bytes, nonce: str) -> bytes:
    """SHA-256(root ‖ nonce in UTF-8)."""
    return hashlib.sha256(root + nonce.encode()).digest()


def draw(seed: bytes, references: Iterable[str], size: int) -> tuple[str, ...]:
    """The first so many by rank, SHA-256(seed ‖ reference in ASCII), lowest first."""
    ranked = sorted(
        (hashlib.sha256(seed + reference.encode("ascii")).digest(), reference) for reference in references
    )
    return tuple(reference for _rank, reference in ranked[:size])


def clean_nonce(typed: str) -> str:
    """The nonce as it counts: NFC, no space around it. Raises FieldError, field `nonce`."""
    nonce = unicodedata.normalize("NFC", typed).strip()
    if not SHORTEST_NONCE <= len(nonce) <= LONGEST_NONCE:
        raise FieldError("nonce", _("The auditor's word has 4 to 200 characters."))
    if any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for character in nonce
    ):
        raise FieldError(
            "nonce", _("The auditor's word has characters in it that nobody can see. Type it anew.")
        )
    return nonce


def _without_deviation(population: int, confidence: Fraction, tolerable: Fraction) -> int:
    """The smallest n with ∏_{i<n} (N-D-i)/(N-i) ≤ 1 - confidence. See AICPA, Audit Sampling, attribute sampling."""
    deviating = ceil(tolerable * population)
    missed = Fraction(1)
    for size in range(population + 1):
        if missed <= 1 - confidence:
            return size
        if size < population:
            missed *= Fraction(max(0, population - deviating - size), population - size)
    return population
