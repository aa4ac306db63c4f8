"""The published offering of an evidence document, in the language that is spoken, as far as it has texts in it."""

from __future__ import annotations

from functools import lru_cache

from pydantic import ValidationError

from catalog.offerings.language import OfferingDocument
from catalog.requests.answers import AnswerLine, answer_lines
from portal.core.canonical import canonical_json
from portal.core.language import spoken
from reports.evidence.document import Evidence
from reports.evidence.terms import Kept


def offering_name(evidence: Evidence) -> str:
    """What the offering is called."""
    document = _document(evidence)
    return (
        document.spoken().name
        if document
        else str(evidence.offering.document.get("name", evidence.offering.slug))
    )


def offering_text(evidence: Evidence, text: Kept) -> str:
    """A text that the offering's owners wrote, such as a stage's name: as it was kept, or as the offering has it."""
    document = _document(evidence)
    said = str(spoken(text))
    return document.speak(said) if document else said


def answers_shown(evidence: Evidence) -> tuple[AnswerLine, ...]:
    """The answers as people read them; as the facts show them where the offering cannot be read any more."""
    document = _document(evidence)
    if document is None:
        return tuple(AnswerLine(answer.name, answer.label, answer.shown) for answer in evidence.answers)
    answers = {answer.name: answer.value for answer in evidence.answers}
    return answer_lines(document.spoken(), answers)


def _document(evidence: Evidence) -> OfferingDocument | None:
    return _read(canonical_json(evidence.offering.document))


@lru_cache(maxsize=8)
def _read(content: bytes) -> OfferingDocument | None:
    """None for one that this version of the language cannot read; the verifier says so."""
    try:
        return OfferingDocument.model_validate_json(content)
    except ValidationError:
        return None
