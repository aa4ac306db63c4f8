"""Checking offering files, and the schema that lets editors check them: for the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from catalog.offerings.language import OfferingDocument
from catalog.offerings.language_findings import told_counts
from catalog.offerings.reading import OfferingFileError, Problem, read_offering, warnings_of


def check_files(paths: Iterable[Path], *, complete: bool = False) -> list[Problem]:
    """Every problem of these files; none means that each could be published.

    `complete` makes a problem of each text that one of the portal's languages lacks.
    """
    problems: list[Problem] = []
    slugs: dict[str, str] = {}
    for path in paths:
        try:
            document = read_offering(path.read_bytes(), str(path))
        except OSError as error:
            problems.append(Problem(str(path), 1, 1, "", f"this file cannot be read: {error.strerror}"))
        except OfferingFileError as error:
            problems.extend(error.problems)
        else:
            if complete:
                problems.extend(warnings_of(path.read_bytes(), str(path), document))
            other = slugs.setdefault(document.slug, str(path))
            if other != str(path):
                message = f"{other} has the slug {document.slug!r} already"
                problems.append(Problem(str(path), 1, 1, "slug", message))
    return problems


def lacking(paths: Iterable[Path]) -> list[str]:
    """`access.yaml: de: 3 of 120 texts are not translated`, for the files and languages that lack some.

    Raises OfferingFileError, OSError: it is for files that were checked.
    """
    return [
        f"{path}: {told}"
        for path in paths
        for told in told_counts(read_offering(path.read_bytes(), str(path)))
    ]


def schema() -> dict[str, Any]:
    """The JSON Schema of the language, for editors that complete and check YAML."""
    found = OfferingDocument.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Countersign offering",
        **{key: value for key, value in found.items() if key != "title"},
    }
