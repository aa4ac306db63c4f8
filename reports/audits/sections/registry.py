"""The sections of the report in their order: gathering their facts, reading them, showing them, and their plain tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from portal.core.canonical import canonical_json
from reports.audits.document import Audit
from reports.audits.scope import Scope
from reports.audits.sections import (
    access_reviews,
    administrators,
    administrators_shown,
    controls,
    duties,
    emergencies,
    exceptions,
    failures,
    logging,
    logging_shown,
    policies,
    policies_shown,
    reconciliation,
    reconciliation_shown,
    standing,
    timeliness,
    timeliness_shown,
)
from reports.audits.sections.shapes import Shown
from reports.evidence.terms import Part


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its name in audit.json, what its facts are, and the two functions that make and show them."""

    name: str
    facts: type[Part]
    gather: Callable[[Session, Scope], Part]
    show: Callable[[Audit, Any], Shown]


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table of the facts for machines and spreadsheets. Values are those of audit.json, lists joined by `; `."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]


SECTIONS: tuple[Section, ...] = (
    Section("controls", controls.Facts, controls.gather, controls.show),
    Section("timeliness", timeliness.Facts, timeliness.gather, timeliness_shown.show),
    Section("duties", duties.Facts, duties.gather, duties.show),
    Section("emergencies", emergencies.Facts, emergencies.gather, emergencies.show),
    Section("standing", standing.Facts, standing.gather, standing.show),
    Section("exceptions", exceptions.Facts, exceptions.gather, exceptions.show),
    Section("failures", failures.Facts, failures.gather, failures.show),
    Section("access_reviews", access_reviews.Facts, access_reviews.gather, access_reviews.show),
    Section("reconciliation", reconciliation.Facts, reconciliation.gather, reconciliation_shown.show),
    Section("policies", policies.Facts, policies.gather, policies_shown.show),
    Section("administrators", administrators.Facts, administrators.gather, administrators_shown.show),
    Section("logging", logging.Facts, logging.gather, logging_shown.show),
)


def gather_sections(
    session: Session, scope: Scope, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """What goes into `sections` of audit.json. `progress(done, of)` is called after every section.

    The people that are named are in the facts as `person:<number>`; whoever makes the document names them in `people`.
    """
    gathered = {}
    for done, section in enumerate(SECTIONS, start=1):
        gathered[section.name] = section.gather(session, scope).model_dump(mode="json")
        if progress:
            progress(done, len(SECTIONS))
    return gathered


def read_sections(sections: Mapping[str, Any]) -> dict[str, Part]:
    """The facts by section. Raises ValueError (pydantic's ValidationError) for anything else, a missing one too."""
    if set(sections) != {section.name for section in SECTIONS}:
        message = "the report has other sections than this version of Countersign writes"
        raise ValueError(message)
    return {
        section.name: section.facts.model_validate_json(canonical_json(sections[section.name]))
        for section in SECTIONS
    }


def shown_sections(audit: Audit) -> dict[str, Shown]:
    """Every section as its pages show it, by name in the order of the report, in the language that is spoken."""
    facts = read_sections(audit.sections)
    return {section.name: section.show(audit, facts[section.name]) for section in SECTIONS}


def plain_tables(sections: Mapping[str, Any]) -> Iterator[PlainTable]:
    """The facts as tables for CSV and XLSX: one of the single figures of a section, one for each list of lines."""
    for name, facts in read_sections(sections).items():
        single: list[tuple[str, str | int]] = []
        for field, value in facts:
            lines = value if isinstance(value, tuple) else ()
            kind = _line_type(facts, field)
            if kind is None:
                single.append((field, _cell(value)))
                continue
            header = tuple(kind.model_fields)
            rows = tuple(tuple(_cell(getattr(line, column)) for column in header) for line in lines)
            yield PlainTable(f"{name}.{field}", header, rows)
        if single:
            yield PlainTable(name, ("figure", "value"), tuple(single))


def _line_type(facts: Part, field: str) -> type[BaseModel] | None:
    """The model of a list's lines, also of an empty one; None for what is no list of lines."""
    annotation = type(facts).model_fields[field].annotation
    arguments: Sequence[Any] = getattr(annotation, "__args__", ())
    first = arguments[0] if arguments else None
    return first if isinstance(first, type) and issubclass(first, BaseModel) else None


def _cell(value: Any) -> str | int:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return value
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    if isinstance(value, dict) and "en" in value:
        return str(value["en"])
    if isinstance(value, tuple):
        value = [item.model_dump(mode="json") if isinstance(item, BaseModel) else item for item in value]
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
