"""Every expression of an offering, with the names it may use and the type it must give."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.offerings.derived import Type
from catalog.offerings.expressions import FUNCTIONS, NotAnExpression, check_expression, try_expression
from catalog.offerings.language import OfferingDocument
from catalog.offerings.names import Names, names_of, names_of_requester
from catalog.offerings.problems import Finding, Path, nearest
from catalog.offerings.route import Approvers, FromCel, PartRule, StageRule

#: Where it stands, what it says, what it may name, what it must give (None for any value).
Written = tuple[Path, str | None, Names, Type | None]


def places(document: OfferingDocument) -> Iterator[tuple[Path, str]]:
    """Where each field of the form stands, and its name, in order."""
    for s, section in enumerate(document.form.sections):
        for f, field in enumerate(section.fields):
            yield ("form", "sections", s, "fields", f), field.name


def asking_in(document: OfferingDocument) -> Iterator[tuple[Path, StageRule | PartRule]]:
    """Where each stage of the route stands, and each part of one, in order."""
    for i, stage in enumerate(document.route.stages):
        yield ("route", "stages", i), stage
        for p, part in enumerate(stage.parts):
            yield ("route", "stages", i, "parts", p), part


def approvers_in(document: OfferingDocument) -> Iterator[tuple[Path, Approvers]]:
    """Where the approvers of each stage, or of each of its parts, stand."""
    for path, rule in asking_in(document):
        if rule.approvers is not None:
            yield (*path, "approvers"), rule.approvers


def expression_findings(document: OfferingDocument) -> Iterator[Finding]:
    """Every expression that does not compile, names what is not there, or gives the wrong type."""
    for path, expression, names, wanted in written(document):
        if expression is None:
            continue
        try:
            check_expression(expression, names, wanted)
            try_expression(expression, names)
        except NotAnExpression as error:
            known = {name for name, _ in names} | FUNCTIONS
            hint = nearest(error.unknown, known) if error.unknown else ""
            yield Finding(path, f"{error.message}{hint}", error.line, error.column)


def written(document: OfferingDocument) -> Iterator[Written]:
    """Every expression of the document, or None where one could stand, with what it may name and must give."""
    before = names_of(document, with_risk=False)
    every = names_of(document)
    yield ("audience",), document.audience, names_of_requester(), "bool"
    yield from _of_fields(document, before)
    yield ("title",), document.title, every, "string"
    for i, rule in enumerate(document.rules):
        yield ("rules", i, "check"), rule.check, before, "bool"
    for i, reason in enumerate(document.risk.reasons):
        yield ("risk", "reasons", i, "when"), reason.when, before, "bool"
    yield from _of_policy(document, before, every)
    for path, asking in asking_in(document):
        yield (*path, "when"), asking.when, every, "bool"
    for path, approvers in approvers_in(document):
        yield (*path, "group_from"), approvers.group_from, every, "string"
    for i, seat in enumerate(document.emergency.committee if document.emergency else ()):
        where = ("emergency", "committee", i, "approvers", "group_from")
        yield where, seat.approvers.group_from, every, "string"
    yield from _of_steps(document, every)
    if document.ends is not None:
        yield ("ends", "days"), document.ends.days, before, "int"


def _of_policy(document: OfferingDocument, before: Names, every: Names) -> Iterator[Written]:
    if isinstance(document.kind, tuple):
        unkind = names_of(document, with_kind=False)
        for i, rule in enumerate(document.kind):
            yield ("kind", i, "when"), rule.when, unkind, "bool"
    for i, conflict in enumerate(document.conflicts):
        yield ("conflicts", i, "when"), conflict.when, before, "bool"
    for i, denial in enumerate(document.denials):
        yield ("denials", i, "when"), denial.when, every, "bool"
    yield ("rollback_required",), document.rollback_required, before, "bool"
    if document.window is not None:
        yield ("window", "when"), document.window.when, every, "bool"
    yield ("affected",), document.affected, every, "list"


def _of_fields(document: OfferingDocument, names: Names) -> Iterator[Written]:
    seen: set[str] = set()
    for (path, name), field in zip(places(document), document.fields, strict=True):
        # A field is shown by what stands above it, so that no two fields wait for each other.
        earlier = tuple(entry for entry in names if _is_known(entry[0], seen))
        yield (*path, "show_when"), field.show_when, earlier, "bool"
        seen.add(name)


def _of_steps(document: OfferingDocument, names: Names) -> Iterator[Written]:
    for i, step in enumerate(document.fulfilment):
        yield ("fulfilment", i, "when"), step.when, names, "bool"
        for name, given in step.parameters.items():
            if isinstance(given, FromCel):
                yield ("fulfilment", i, "with", name, "cel"), given.cel, names, None


def _is_known(name: str, fields: set[str]) -> bool:
    space, _, rest = name.partition(".")
    if space == "asset":
        return False  # what is shown says `derived.<field>` of an asset above it
    return space not in {"answers", "answered", "derived"} or rest.partition(".")[0] in fields
