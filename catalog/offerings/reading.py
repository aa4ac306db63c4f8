"""Reading offering files: YAML, types, and what must fit together. Every problem names file, line and field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache

from pydantic import ValidationError

from catalog.offerings.findings import findings_in
from catalog.offerings.language import OfferingDocument
from catalog.offerings.language_findings import untranslated
from catalog.offerings.problems import Finding, OfferingFileError, Problem, path_text
from catalog.offerings.schema_errors import findings_of
from portal.core.strict_yaml import Mark, NotYaml, YamlFile, read_yaml

__all__ = ["OfferingFileError", "Problem", "read_offering", "warnings_of"]


def warnings_of(source: str | bytes, filename: str, document: OfferingDocument) -> tuple[Problem, ...]:
    """Each text that a language of the portal lacks, with its place; the source is what the document was read from."""
    return _placed(filename, read_yaml(source), untranslated(document))


def read_offering(source: str | bytes, filename: str) -> OfferingDocument:
    """The offering that the text describes, a document of the caller's own. Raises OfferingFileError with every problem found."""
    return OfferingDocument.model_validate_json(_checked(source, filename))


# What is refused is read again each time, so that it is told in its reader's language.
@lru_cache(maxsize=64)
def _checked(source: str | bytes, filename: str) -> str:
    """The text as JSON, once it was found to be without a problem: it is read for its checks and for its publishing."""
    try:
        file = read_yaml(source)
    except NotYaml as error:
        problem = Problem(filename, *error.mark, path_text(error.path), error.message)
        raise OfferingFileError((problem,)) from None
    if not isinstance(file.content, dict):
        message = "an offering is a mapping of keys to values, such as slug: application-access"
        raise OfferingFileError((Problem(filename, *file.values[()], "", message),))
    content = json.dumps(file.content)
    try:
        document = OfferingDocument.model_validate_json(content)
    except ValidationError as error:
        findings = tuple(findings_of(error, file.content))
        raise OfferingFileError(_placed(filename, file, findings)) from None
    findings = findings_in(document)
    if findings:
        raise OfferingFileError(_placed(filename, file, findings))
    return content


def _placed(filename: str, file: YamlFile, findings: Iterable[Finding]) -> tuple[Problem, ...]:
    problems = []
    for finding in findings:
        line, column = _mark(file, finding)
        problems.append(Problem(filename, line, column, path_text(finding.path), finding.message))
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))


def _mark(file: YamlFile, finding: Finding) -> Mark:
    path = finding.path
    while path not in file.values:  # what is missing is reported where it should stand
        path = path[:-1]
    line, column = file.values[path]
    if (finding.at_key or "there is no key" in finding.message) and path in file.keys:
        return file.keys[path]
    if path in file.blocks:
        return line + finding.line, finding.column
    return line, column
