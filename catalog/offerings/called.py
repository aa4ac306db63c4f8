"""What offerings are called in lists, in the language that is spoken; a list reads no whole document for a name."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from portal.core.language import LANGUAGES, SOURCE, language

#: By the version's digest and the language; versions never change.
_known: dict[tuple[str, str], str] = {}
_MOST_KNOWN = 4096


def names_of(session: Session, versions: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The names to show by the versions' digests, given digests and English names.

    One statement for what this process has not met yet, and none in English.
    """
    english = dict(versions)
    if language() == SOURCE:
        return english
    unknown = [digest for digest in english if (digest, language()) not in _known]
    if unknown:
        _learn(session, unknown)
    return {digest: _known.get((digest, language()), name) for digest, name in english.items()}


def _learn(session: Session, digests: list[str]) -> None:
    if len(_known) > _MOST_KNOWN:
        _known.clear()
    for version in session.scalars(select(OfferingVersion).where(OfferingVersion.digest.in_(digests))):
        document = document_of(version)
        _known.update({(version.digest, code): document.in_language(code).name for code in LANGUAGES})
