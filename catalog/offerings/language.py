"""The offering language: one YAML file is one `OfferingDocument`."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from catalog.offerings.emergency import Emergency
from catalog.offerings.fields import FormField, FromToday, OfferingForm
from catalog.offerings.policy import (
    ChangeWindow,
    Conflict,
    Denial,
    FreezeRule,
    Kind,
    KindRule,
    MailTexts,
    Recertify,
    Retention,
    SignatureRule,
)
from catalog.offerings.route import CalendarRule, Ends, Resource, RiskRule, Route, StepRule, TargetCheck
from catalog.offerings.translating import folded, rewritten, said_alike
from catalog.offerings.words import (
    Block,
    Cel,
    Keyword,
    Line,
    Name,
    Part,
    Sentence,
    Slug,
    Text,
    WorkingTime,
    minutes_of,
)
from portal.core.canonical import digest
from portal.core.language import SOURCE, _, language, spoken


class Rule(Part):
    """A rule across fields: `check` must hold, or `message` is shown at `field`."""

    check: Cel
    message: Line
    field: Name


#: The languages of the portal but the one in which offerings are written.
Translated = Literal["de"]
#: The English text as it stands in the offering, and the same in another language.
Translations = dict[Annotated[str, Field(min_length=1, max_length=4000)], Block]
Example = str | int | bool | tuple[str, ...] | tuple[dict[Name, str | int], ...] | FromToday


class OfferingDocument(Part):
    """An offering as it is written, checked and published."""

    slug: Slug
    name: Line
    summary: Line
    description: Text
    category: Line
    keywords: tuple[Keyword, ...] = ()
    #: The group that answers for the offering's text.
    owner: Slug
    #: Who may see and order it: CEL over `requester`. Without it, everybody.
    audience: Cel | None = None
    #: The kind of change, or rules that say which.
    kind: Kind | tuple[KindRule, ...] = "normal"
    #: What the person has once it is done, and what they need at hand.
    you_get: tuple[Line, ...] = ()
    you_need: tuple[Line, ...] = ()
    #: Framework to the identifiers that a request of this offering supports.
    controls: dict[str, tuple[str, ...]] = Field(min_length=1)
    #: How it is undone, or why it cannot be; exactly one of them.
    undone: Text | None = None
    irreversible: Literal[True] | Text | None = None

    form: OfferingForm
    #: The person field that names who receives it; without it, the requester does.
    beneficiary: Name | None = None
    #: The field that holds the reason.
    reason: Name | None = None
    #: A CEL text: one line that tells this request from others of the offering.
    title: Sentence
    rules: tuple[Rule, ...] = ()
    checked_by: tuple[TargetCheck, ...] = ()
    #: By field name, who owns what can be chosen there.
    resources: dict[Name, tuple[Resource, ...]] = Field(default_factory=dict)
    risk: RiskRule = RiskRule()
    conflicts: tuple[Conflict, ...] = Field(default=(), max_length=50)
    denials: tuple[Denial, ...] = Field(default=(), max_length=50)
    #: The fields whose answers make two open requests of this offering the same.
    duplicates: tuple[Name, ...] = Field(default=(), max_length=10)
    #: The field with the rollback plan, and when it must be answered; without a condition the field itself says.
    rollback: Name | None = None
    rollback_required: Cel | None = None

    route: Route
    #: How an emergency is decided, bounded and reviewed, where this may be one.
    emergency: Emergency | None = None
    #: How decisions are signed; without it, a fresh sign-in is the signature.
    signature: SignatureRule | None = None
    calendar: CalendarRule = CalendarRule()
    #: Working time from submitting to done.
    target: WorkingTime
    #: When it may be carried out; without it, as soon as it is approved.
    window: ChangeWindow | None = None
    #: When nothing of it is carried out, besides the freezes that people set in the portal.
    freezes: tuple[FreezeRule, ...] = Field(default=(), max_length=50)
    #: Why it waits for no freeze and for no window but its own, where it does not: it ends what is open, say.
    passes_freezes: Line | None = None
    #: Who notices when it is carried out: CEL that lists user names, `group:<slug>` and `unit:<slug>`.
    affected: Cel | None = None
    #: The date-time field before which nothing is carried out.
    starts: Name | None = None
    fulfilment: tuple[StepRule, ...] = Field(min_length=1, max_length=20)
    ends: Ends | None = None
    longest_days: int | None = Field(default=None, ge=1, le=3650)
    #: After how many days holder and owner are asked whether it is still needed; without it, the risk says.
    recertify: Recertify | None = None
    retention: Retention = "seven-years"
    mails: MailTexts = MailTexts()
    #: A worked example: raw answers as a person would give them.
    example: dict[Name, Example] = Field(default_factory=dict)

    #: By language, the texts above in it; one that is not there is shown in English.
    languages: dict[Translated, Translations] = Field(default_factory=dict)

    #: Of a document in another language, the one that was published.
    _source: OfferingDocument | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _says_how_it_is_undone(self) -> Self:
        if (self.undone is None) == (self.irreversible is None):
            message = "say either how it is undone (undone) or why it cannot be (irreversible)"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _somebody_approves(self) -> Self:
        if isinstance(self.kind, tuple):
            if not self.kind or any(rule.when is None for rule in self.kind[:-1]) or self.kind[-1].when:
                message = "of the kinds, each but the last says when, and the last counts otherwise"
                raise ValueError(message)
        elif self.kind != "standard" and not self.route.stages:
            message = "only a standard change has no stages: its published policy approves it"
            raise ValueError(message)
        return self

    @property
    def cannot_be_undone(self) -> str:
        """A sentence for approvers where it is irreversible, with the reason if one is given; else empty."""
        if self.irreversible is None:
            return ""
        cannot = _("This cannot be undone.")
        return cannot if self.irreversible is True else f"{cannot} {self.irreversible}"

    @property
    def fields(self) -> tuple[FormField, ...]:
        """Every field of the form, in order."""
        return self.form.fields

    def find_field(self, name: str) -> FormField | None:
        """The field of this name, or None."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def target_minutes(self) -> int:
        """Working minutes from submitting to done."""
        return minutes_of(self.target)

    def to_json(self) -> dict[str, Any]:
        """What is kept and digested: the file's content without what equals the language's defaults.

        Leaving defaults out keeps a version's digest when the language learns a new word.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @cached_property
    def digest(self) -> str:
        """`sha256:` over the canonical JSON of `to_json`; in every language that of the text that was published."""
        return digest(self.source.to_json())

    @property
    def source(self) -> OfferingDocument:
        """The document as it was published: whatever decides anything reads this one."""
        return self if self._source is None else self._source

    def in_language(self, code: str) -> OfferingDocument:
        """The document with its texts in this language, as far as it has them; made once for each text."""
        source = self.source
        if code == SOURCE or code not in source.languages:
            return source
        key = (source.digest, code)
        found = _in_languages.get(key)
        if found is None:
            found = rewritten(source, lambda _path, text, _mark: source.translation(text, code))
            found._source = source  # noqa: SLF001  (its own class)
            if len(_in_languages) >= _MOST_KEPT:
                _in_languages.clear()
            _in_languages[key] = found
        return found

    def spoken(self) -> OfferingDocument:
        """The document in the language that is spoken."""
        return self.in_language(language())

    def translation(self, text: str, code: str) -> str:
        """One English text of this offering in the language; the text itself where it is not translated."""
        return self._translations.get(code, {}).get(folded(text), text)

    def speak(self, text: str) -> str:
        """One English text of this offering, or what `say` made of one, in the language that is spoken."""
        said: str = spoken(text)
        return self.source.translation(said, language())

    def say(self, text: str) -> str:
        """One English text of this offering in every language, for what is kept and read later by others."""
        return said_alike(lambda: self.speak(text))

    @cached_property
    def _translations(self) -> dict[str, dict[str, str]]:
        return {
            code: {folded(english): text for english, text in texts.items()}
            for code, texts in self.languages.items()
        }


#: Documents in other languages, by digest and language.
_in_languages: dict[tuple[str, str], OfferingDocument] = {}
_MOST_KEPT = 1024
