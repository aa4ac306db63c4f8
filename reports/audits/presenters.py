"""What the pages of audits show, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from portal.core.language import N_, _, ngettext, spoken
from portal.core.times import clock, day, moment, number, size, zone_name
from reports.audits.document import AttributeRule, FixedRule, PercentRule
from reports.audits.model import Audit, AuditDraw, AuditState, DrawState
from reports.audits.ordering import rule_of
from reports.audits.pages.words import days
from reports.audits.place import BUNDLE, REGISTER, REPORT, SAMPLE, WORKBOOK
from reports.audits.queries import AuditLine, Found
from reports.audits.sampling import sample_size
from reports.audits.scope import cut_at

#: Populations for which the order form says how large a sample would be.
EXAMPLES = (50, 250, 1_000, 10_000)
_FILES = {
    BUNDLE: N_("Everything in one archive, with the verifier (ZIP)"),
    REPORT: N_("The signed report (PDF)"),
    WORKBOOK: N_("All tables as a workbook (XLSX)"),
    REGISTER: N_("Every request of the population (CSV)"),
    SAMPLE: N_("What was drawn (CSV)"),
}


@dataclass(frozen=True, slots=True)
class Tag:
    """A state as a tag shows it: words, tone, sign."""

    text: str
    tone: str
    sign: str


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file that can be downloaded: its name in the address, what it is, how large, its digest."""

    name: str
    what: str
    size: str
    digest: str


@dataclass(frozen=True, slots=True)
class DrawView:
    """One draw as its page shows it."""

    number: int
    nonce: str
    given_by: str
    given_at: str
    tag: Tag
    making: bool
    failed: bool
    done: int
    total: int
    why: str
    drawn: tuple[str, ...]
    files: tuple[FileLine, ...]


@dataclass(frozen=True, slots=True)
class AuditView:
    """One audit as its page shows it."""

    reference: str
    title: str
    tag: Tag
    counting: bool
    counted: bool
    failed: bool
    why: str
    ordered: tuple[tuple[str, str], ...]
    counted_rows: tuple[tuple[str, str], ...]
    #: The sizes of population and sample.
    count: int
    sample: int
    digest: str
    root: str
    draws: tuple[DrawView, ...]

    @property
    def moving(self) -> bool:
        """Whether a task is at work, so that the page asks for itself again."""
        return self.counting or any(draw.making for draw in self.draws)

    @property
    def may_be_drawn(self) -> bool:
        """Whether the auditor's word can be given now."""
        return self.counted and not any(draw.making or draw.failed for draw in self.draws)


@dataclass(frozen=True, slots=True)
class Line:
    """One audit in the list."""

    reference: str
    period: str
    ordered_by: str
    ordered_at: datetime
    tag: Tag
    count: str


def view_of(found: Found, timezone: str) -> AuditView:
    """The page of one audit, for a reader in this zone."""
    audit = found.audit
    return AuditView(
        reference=audit.reference,
        title=_period(audit, timezone),
        tag=_tag(audit, found.draws[0] if found.draws else None),
        counting=audit.state is AuditState.COUNTING,
        counted=audit.state is AuditState.COUNTED,
        failed=audit.state is AuditState.FAILED,
        why=spoken(audit.why),
        ordered=_ordered(found, timezone),
        counted_rows=_counted(found, timezone) if audit.state is AuditState.COUNTED else (),
        count=audit.count or 0,
        sample=audit.sample_size or 0,
        digest=audit.population_digest,
        root=audit.root,
        draws=tuple(_draw(found, draw, timezone) for draw in found.draws),
    )


def line_of(line: AuditLine, timezone: str) -> Line:
    """One line of the list."""
    audit = line.audit
    return Line(
        reference=audit.reference,
        period=_period(audit, timezone),
        ordered_by=audit.ordered_by.name if audit.ordered_by else _("Countersign"),
        ordered_at=audit.ordered_at.astimezone(ZoneInfo(timezone)),
        tag=_tag(audit, line.draw),
        count=number(audit.count) if audit.count is not None else "",
    )


def rule_in_words(rule: FixedRule | PercentRule | AttributeRule) -> str:
    """How large the sample is, as an auditor would say it."""
    match rule:
        case FixedRule():
            return ngettext(
                "%(count)s request, or all if there are fewer",
                "%(count)s requests, or all if there are fewer",
                rule.size,
                count=number(rule.size),
            )
        case PercentRule():
            return _(
                "%(percent)s %% of the population, at least %(least)s and at most %(most)s",
                percent=number(float(rule.percent)),
                least=number(rule.least),
                most=number(rule.most),
            )
        case AttributeRule():
            return _(
                "As many as it takes to be %(confidence)s %% sure that at most %(tolerable)s %% of the population "
                "deviate, if none of the sample does",
                confidence=number(float(rule.confidence) * 100),
                tolerable=number(round(float(rule.tolerable) * 100, 4)),
            )


@lru_cache(maxsize=1)
def example_sizes() -> tuple[tuple[int, int, int, int], ...]:
    """Population, and the sample by each rule with the numbers that the form begins with."""
    rules = (
        FixedRule(kind="fixed", size=25),
        PercentRule(kind="percent", percent="10", least=5, most=60),
        AttributeRule(kind="attribute", confidence="0.95", tolerable="0.05"),
    )
    return tuple(
        (count, sample_size(rules[0], count), sample_size(rules[1], count), sample_size(rules[2], count))
        for count in EXAMPLES
    )


def _tag(audit: Audit, draw: AuditDraw | None) -> Tag:
    if audit.state is AuditState.FAILED or (draw and draw.state is DrawState.FAILED):
        return Tag(_("Failed"), "bad", "alert")
    if audit.state is AuditState.COUNTING:
        return Tag(_("Being counted"), "note", "clock")
    if draw is None:
        return Tag(_("Waits for the auditor's word"), "warn", "clock")
    if draw.state is DrawState.MAKING:
        return Tag(_("Being made"), "note", "clock")
    return Tag(_("Made"), "good", "tick")


def _ordered(found: Found, timezone: str) -> tuple[tuple[str, str], ...]:
    audit = found.audit

    def named(slugs: list[str]) -> str:
        return ", ".join(found.names.get(slug, slug) for slug in slugs) or _("All")

    return (
        (
            _("Period"),
            _submitted(audit),
        ),
        (_("Units"), named(audit.units)),
        (_("Services"), named(audit.offerings)),
        (_("Controls"), ", ".join(audit.controls) or _("All")),
        (_("Size of the sample"), rule_in_words(rule_of(audit))),
        (
            _("What the bundle shows of the ledger"),
            _("Every entry of the period")
            if audit.disclosure == "whole"
            else _("Only entries about the requests looked at"),
        ),
        (_("Ordered by"), found.ordered_by),
        (_("Ordered"), moment(audit.ordered_at, timezone)),
    )


def _period(audit: Audit, timezone: str) -> str:
    """Days and time are those of the audit's zone, which is named to a reader whose clock showed another time."""
    cut = cut_at(audit.until, audit.last_day, audit.zone)
    if cut is None:
        return days(audit.first_day, audit.last_day)
    same = cut.utcoffset() == cut.astimezone(ZoneInfo(timezone)).utcoffset()
    return days(audit.first_day, audit.last_day, clock(cut) if same else f"{clock(cut)} {zone_name(cut)}")


def _submitted(audit: Audit) -> str:
    cut = cut_at(audit.until, audit.last_day, audit.zone)
    words = {"first": day(audit.first_day), "last": day(audit.last_day), "zone": audit.zone}
    if cut is None:
        return _("Requests submitted from %(first)s to %(last)s, time zone %(zone)s", **words)
    return _(
        "Requests submitted from %(first)s to %(last)s, up to %(time)s, time zone %(zone)s",
        time=clock(cut),
        **words,
    )


def _counted(found: Found, timezone: str) -> tuple[tuple[str, str], ...]:
    audit, told = found.audit, found.completeness
    rows = [
        (_("Requests in the population"), number(audit.count or 0)),
        (_("Requests in the sample"), number(audit.sample_size or 0)),
        (_("As of"), moment(audit.as_of, timezone) if audit.as_of else ""),
        (
            _("Entries of the ledger looked at"),
            _(
                "%(first)s to %(last)s",
                first=number((audit.before_size or 0) + 1),
                last=number(audit.after_size or 0),
            ),
        ),
    ]
    if told.get("first"):
        rows.append(
            (
                _("References without a gap"),
                _("%(first)s to %(last)s", first=told["first"], last=told["last"]),
            )
        )
        rows.append((_("Of these outside the period"), number(told["outside_period"])))
        rows.append((_("Of these not looked at"), number(told["outside_filter"])))
    return tuple(rows)


def _draw(found: Found, draw: AuditDraw, timezone: str) -> DrawView:
    files = found.files.get(draw.id, {}) if draw.state is DrawState.MADE else {}
    return DrawView(
        number=draw.number,
        nonce=draw.nonce,
        given_by=found.givers.get(draw.given_by_id or 0, _("Countersign")),
        given_at=moment(draw.given_at, timezone),
        tag=_tag(found.audit, draw),
        making=draw.state is DrawState.MAKING,
        failed=draw.state is DrawState.FAILED,
        done=draw.done,
        total=draw.total,
        why=spoken(draw.why),
        drawn=tuple(draw.drawn),
        files=tuple(
            FileLine(name, _(_FILES[name]), size(files[name].bytes), files[name].digest)
            for name in _FILES
            if name in files
        ),
    )
