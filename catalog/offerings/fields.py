"""The kinds of fields that an offering's form may have, one small class each, told apart by `kind`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from catalog.offerings.field_names import EmailField, GroupField, HostNameField, UnitField
from catalog.offerings.field_records import AssetField, FileField
from catalog.offerings.field_times import DateTimeField, DurationField
from catalog.offerings.questions import (
    ChoicesFrom,
    FromProfile,
    FromToday,
    Question,
    StaticChoice,
    TextDefault,
)
from catalog.offerings.words import Block, Line, Part, Pattern, Text

__all__ = [
    "AssetField",
    "BooleanField",
    "ChoicesFrom",
    "Column",
    "CsrField",
    "DateField",
    "DateTimeField",
    "DurationField",
    "EmailField",
    "FileField",
    "FormField",
    "FromProfile",
    "FromToday",
    "GroupField",
    "HostNameField",
    "HostNamesField",
    "LongTextField",
    "NetworksField",
    "NumberField",
    "OfferingForm",
    "OneOfField",
    "PersonField",
    "PortsField",
    "ProtocolField",
    "Question",
    "Section",
    "SomeOfField",
    "StaticChoice",
    "TableField",
    "TextField",
    "UnitField",
]


class TextField(Question):
    """One line."""

    kind: Literal["text"]
    default: TextDefault | None = None
    at_least: int = Field(default=0, ge=0, le=2000)
    at_most: int = Field(default=200, ge=1, le=2000)
    pattern: Pattern | None = None
    pattern_says: Line | None = None


class LongTextField(Question):
    """Several lines."""

    kind: Literal["long_text"]
    default: str | None = None
    at_least: int = Field(default=0, ge=0, le=20_000)
    at_most: int = Field(default=2000, ge=1, le=20_000)
    rows: int = Field(default=5, ge=2, le=20)


class NumberField(Question):
    """A whole number, or a decimal one where `whole` is false."""

    kind: Literal["number"]
    default: int | float | None = None
    minimum: int = Field(default=0, ge=-(2**31), le=2**31)
    maximum: int = Field(default=1_000_000, ge=-(2**31), le=2**31)
    whole: bool = True
    unit: Line | None = None


class BooleanField(Question):
    """Yes or no. A required one must be ticked."""

    kind: Literal["boolean"]
    default: bool = False


class OneOfField(Question):
    """One of several choices."""

    kind: Literal["one_of"]
    default: str | None = None
    choices: tuple[StaticChoice, ...] = ()
    choices_from: ChoicesFrom | None = None


class SomeOfField(Question):
    """Any number of several choices."""

    kind: Literal["some_of"]
    default: tuple[str, ...] = ()
    choices: tuple[StaticChoice, ...] = ()
    choices_from: ChoicesFrom | None = None
    at_least: int = Field(default=0, ge=0, le=100)
    at_most: int = Field(default=100, ge=1, le=100)


class DateField(Question):
    """A day, written ISO 8601. `earliest_days` and `latest_days` count from today; zero is today."""

    kind: Literal["date"]
    default: FromToday | None = None
    earliest_days: int = Field(default=0, ge=-3650, le=3650)
    latest_days: int = Field(default=3650, ge=0, le=3650)


class PersonField(Question):
    """A person of the organisation; the answer is their user name."""

    kind: Literal["person"]
    default: FromProfile | None = None
    may_be_self: bool = True
    #: Whether several may be named, one a line: each gets a request of their own. For the beneficiary's field.
    several: bool = False


class HostNamesField(Question):
    """Host names, one a line."""

    kind: Literal["host_names"]
    at_most: int = Field(default=50, ge=1, le=500)


class NetworksField(Question):
    """Networks in CIDR form, one a line. `widest` limits how wide one may be, as an IPv4 prefix length."""

    kind: Literal["networks"]
    at_most: int = Field(default=50, ge=1, le=500)
    widest: int | None = Field(default=None, ge=0, le=32)
    anywhere: bool = False


class PortsField(Question):
    """Ports and port ranges."""

    kind: Literal["ports"]
    at_most: int = Field(default=1024, ge=1, le=65_535)


class ProtocolField(Question):
    """A transport protocol."""

    kind: Literal["protocol"]
    default: Literal["tcp", "udp", "icmp"] | None = None
    protocols: tuple[Literal["tcp", "udp", "icmp"], ...] = ("tcp", "udp")


class CsrField(Question):
    """A PKCS #10 certificate signing request in PEM, pasted or uploaded."""

    kind: Literal["csr"]


#: What a column of a table may hold; each is checked as a field of its kind is.
Column = Annotated[
    TextField | NumberField | OneOfField | DateField | EmailField | HostNameField | PersonField,
    Field(discriminator="kind"),
]


class TableField(Question):
    """Rows of the same columns. `shown` is how many empty rows the form begins with."""

    kind: Literal["table"]
    columns: tuple[Column, ...] = Field(min_length=1, max_length=8)
    at_least: int = Field(default=1, ge=0, le=200)
    at_most: int = Field(default=50, ge=1, le=200)
    shown: int = Field(default=3, ge=1, le=20)


FormField = Annotated[
    TextField
    | LongTextField
    | NumberField
    | BooleanField
    | OneOfField
    | SomeOfField
    | DateField
    | DateTimeField
    | DurationField
    | PersonField
    | EmailField
    | HostNameField
    | HostNamesField
    | GroupField
    | UnitField
    | TableField
    | NetworksField
    | PortsField
    | ProtocolField
    | CsrField
    | FileField
    | AssetField,
    Field(discriminator="kind"),
]


class Section(Part):
    """A group of fields under one heading."""

    title: Line
    text: Text | None = None
    #: A command or the like, shown to be copied.
    code: Block | None = None
    fields: tuple[FormField, ...] = Field(min_length=1, max_length=40)


class OfferingForm(Part):
    """What is asked, in order."""

    sections: tuple[Section, ...] = Field(min_length=1, max_length=20)

    @property
    def fields(self) -> tuple[FormField, ...]:
        """Every field, in order."""
        return tuple(field for section in self.sections for field in section.fields)
