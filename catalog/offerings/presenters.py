"""An offering's form as its template needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.attachments.kinds import endings_of
from catalog.offerings import fields as language
from catalog.offerings.choices import orderable
from catalog.offerings.fields import FormField
from catalog.offerings.form_context import label_of
from catalog.offerings.forms import FILE_SUFFIX, OfferingForm
from catalog.offerings.tables import MORE_ROWS, PASTE_SUFFIX, cell_name
from portal.core.language import _


@dataclass(frozen=True, slots=True)
class AskedCell:
    """One cell to fill in; `choices` are (value, label) where it is chosen from a list."""

    name: str
    label: str
    value: str
    kind: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AskedTable:
    """Rows to fill in, the button that adds more, and the box in which rows may be pasted."""

    columns: tuple[str, ...]
    hints: tuple[str, ...]
    rows: tuple[tuple[AskedCell, ...], ...]
    more: str
    paste: str
    paste_example: str
    full: bool


@dataclass(frozen=True, slots=True)
class AskedFiles:
    """Files that were uploaded, as (answer, name), and what more may be."""

    kept: tuple[tuple[str, str], ...]
    input: str
    accept: str
    limits: str
    full: bool


@dataclass(frozen=True, slots=True)
class AskedField:
    """One field to show: the WTForms field, and what the macro needs beside it."""

    field: Any
    name: str
    kind: str
    example: str = ""
    suffix: str = ""
    rows: int = 5
    count: int = 0
    classes: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)
    #: Labels of the people to suggest, for a datalist of the id `people-for-<name>`.
    people: tuple[str, ...] = ()
    #: The file field that may be used instead of the text.
    upload: Any = None
    #: Labels of the assets to suggest, for a datalist of the id `assets-for-<name>`.
    assets: tuple[str, ...] = ()
    files: AskedFiles | None = None
    #: Rows of a table, and what stands around them.
    table: AskedTable | None = None
    #: A sentence when the target that knows the choices does not answer.
    unavailable: str = ""


@dataclass(frozen=True, slots=True)
class AskedSection:
    """Fields under one heading."""

    title: str
    text: str
    code: str
    fields: tuple[AskedField, ...]


_CLASSES = {
    "number": "govuk-input--width-5",
    "duration": "govuk-input--width-10",
    "host_name": "govuk-input--mono",
    "host_names": "govuk-input--mono",
    "networks": "govuk-input--mono",
    "ports": "govuk-input--mono govuk-input--width-20",
    "csr": "govuk-input--mono",
}


def asked_sections(form: OfferingForm) -> tuple[AskedSection, ...]:
    """The sections and fields to show now; what `show_when` hides is left out, and so is an empty section."""
    sections = (
        AskedSection(
            section.title,
            section.text or "",
            section.code or "",
            tuple(_asked(form, asked) for asked in section.fields if form.asks(asked)),
        )
        for section in form.document.form.sections
    )
    return tuple(section for section in sections if section.fields)


def _asked(form: OfferingForm, asked: FormField) -> AskedField:
    more: dict[str, Any] = {"classes": _CLASSES.get(asked.kind, "")}
    if isinstance(asked, language.LongTextField):
        more = {"rows": asked.rows, "count": asked.at_most}
    elif isinstance(asked, language.NumberField):
        more |= {"suffix": asked.unit or ""}
    elif isinstance(asked, language.HostNamesField | language.NetworksField):
        more |= {"rows": 4}
    elif isinstance(asked, language.CsrField):
        more |= {"rows": 10, "upload": form[asked.name + FILE_SUFFIX]}
    elif isinstance(asked, language.TableField):
        more = {"table": _table(asked, form[asked.name].data)}
    elif isinstance(asked, language.FileField):
        more = {"files": _files(asked, form[asked.name].data)}
    elif isinstance(asked, language.AssetField):
        more = {"assets": tuple(asset.label for asset in form.context.assets.suggestions(asked.kinds))}
    elif isinstance(asked, language.PersonField):
        people = () if asked.several else form.context.people.suggestions()
        # A list to choose from goes with one line only.
        more = {"rows": 3} if asked.several else {"people": tuple(label_of(person) for person in people)}
    elif isinstance(asked, language.OneOfField | language.SomeOfField):
        more = _of_choices(form, asked)
    return AskedField(
        field=form[asked.name], name=asked.name, kind=asked.kind, example=asked.example or "", **more
    )


def _of_choices(form: OfferingForm, asked: language.OneOfField | language.SomeOfField) -> dict[str, Any]:
    try:
        choices = orderable(form.document, asked, form.context)
    except ValueError as error:
        return {"unavailable": str(error)}
    return {"hints": {choice.value: choice.hint for choice in choices if choice.hint}}


def _files(asked: language.FileField, given: list[Any]) -> AskedFiles:
    answers = [str(answer) for answer in given]
    endings = endings_of(asked.kinds)
    return AskedFiles(
        kept=tuple((answer, answer.rpartition(" (")[0] or answer) for answer in answers),
        input=asked.name + FILE_SUFFIX,
        accept=",".join(f".{ending}" for ending in endings),
        limits=_(
            "%(kinds)s; up to %(most)s files of %(size)s MiB each.",
            kinds=", ".join(endings),
            most=asked.at_most,
            size=asked.largest_mib,
        ),
        full=len(answers) >= asked.at_most,
    )


def _table(asked: language.TableField, typed: list[Any]) -> AskedTable:
    count = min(max(len(typed), asked.shown, asked.at_least), asked.at_most)
    rows = [row if isinstance(row, Mapping) else {} for row in typed]
    rows += [{} for _ in range(count - len(rows))]
    return AskedTable(
        columns=tuple(
            column.label if column.required else _("%(label)s (optional)", label=column.label)
            for column in asked.columns
        ),
        hints=tuple(f"{column.label}: {column.hint}" for column in asked.columns if column.hint),
        rows=tuple(
            tuple(_cell(asked, column, number, row.get(column.name)) for column in asked.columns)
            for number, row in enumerate(rows)
        ),
        more=f"{MORE_ROWS}{asked.name}",
        paste=f"{asked.name}{PASTE_SUFFIX}",
        paste_example=", ".join(column.example or column.label for column in asked.columns),
        full=count >= asked.at_most,
    )


def _cell(asked: language.TableField, column: language.Column, row: int, value: Any) -> AskedCell:
    choices: tuple[tuple[str, str], ...] = ()
    if isinstance(column, language.OneOfField):
        choices = tuple((choice.value, choice.label) for choice in column.choices)
    return AskedCell(
        name=cell_name(asked.name, row, column.name),
        label=_("%(column)s, row %(row)s", column=column.label, row=row + 1),
        value="" if value is None else str(value),
        kind="date" if column.kind == "date" else "text",
        choices=choices,
    )
