"""What the chapter on the completeness of logging shows."""

from __future__ import annotations

from portal.audit.words import says
from portal.core import times
from portal.core.language import N_, _, ngettext
from reports.audits.document import Audit
from reports.audits.sections.logging import LATE, Facts
from reports.audits.sections.shapes import (
    NONE,
    Column,
    Deviation,
    Shown,
    Table,
    at_time,
    tone_of,
)
from reports.charts.bars import bars
from reports.charts.chart import Amount, Chart

DRAWN = 12


def show(audit: Audit, facts: Facts) -> Shown:
    """The figures, and what was logged how often."""
    entries = facts.last - facts.first + 1
    deviations = tuple(_deviations(facts))
    claim = (
        _(
            "The ledger has every entry from %(first)s to %(last)s; %(heads)s signed heads cover them, the slowest %(delay)s after the entry.",
            first=times.number(facts.first),
            last=times.number(facts.last),
            heads=times.number(facts.heads),
            delay=seconds(facts.longest_delay),
        )
        if entries > 0 and not facts.missing
        else _("The ledger lacks %(missing)s entries.", missing=times.number(facts.missing))
        if facts.missing
        else _("Nothing was logged between the two heads.")
    )
    return Shown(
        title=_("Completeness of logging"),
        claim=claim,
        tone=tone_of(deviations, max(entries, 0)),
        checked=(
            _(
                "Every action writes its entry in the transaction of the action, so neither happens without the other. Entries are numbered without a gap and are the leaves of a Merkle tree (RFC 6962); a head of that tree is signed within 60 seconds or 100 entries whenever there is something new, and is handed to holders outside of the database. The bundle holds every entry between the two heads of this report, so that the tree can be built again."
            ),
        ),
        figures=(
            (_("Entries"), times.number(max(entries, 0))),
            (_("Numbers missing"), times.number(facts.missing)),
            (_("Signed heads"), times.number(facts.heads)),
            (_("Slowest signature"), seconds(facts.longest_delay)),
        ),
        charts=_charts(facts),
        tables=(
            Table(
                _("The ledger between the two heads"),
                (Column(_("What was looked at")), Column(_("Found"), 70)),
                (
                    (
                        _("First and last entry"),
                        _from_to(times.number(facts.first), times.number(facts.last)),
                    ),
                    (_("Written from, until"), _from_to(at_time(facts.first_at), at_time(facts.last_at))),
                    (_("Numbers without an entry"), times.number(facts.missing)),
                    (_("Entries earlier than the one before"), times.number(facts.backwards)),
                    (_("Signed heads"), times.number(facts.heads)),
                    (
                        _("Most entries that one head was the first to cover"),
                        times.number(facts.most_entries),
                    ),
                    (
                        _("Longest time from an entry to the first head that covers it"),
                        _(
                            "%(time)s (head of %(size)s entries)",
                            time=seconds(facts.longest_delay),
                            size=times.number(facts.longest_delay_head),
                        )
                        if facts.heads
                        else NONE,
                    ),
                    (
                        _("Heads later than %(time)s", time=seconds(int(LATE.total_seconds()))),
                        times.number(facts.late_heads),
                    ),
                ),
            ),
            _holder_table(facts),
            Table(
                _("What was logged"),
                (
                    Column(_("What it says")),
                    Column(_("Kind of entry"), 62),
                    Column(_("Entries"), 26, figure=True),
                ),
                tuple((says(line.tag), line.tag, times.number(line.entries)) for line in facts.tags),
                _("Nothing."),
            ),
        ),
        in_tables=frozenset({"logging-tags"}),
        not_looked_at=(
            _("What never reached the portal: calls to it that the network or the server refused."),
            _(
                "That the clock of the machine was right; entries and heads carry its time, a timestamp of the signature another."
            ),
        ),
        deviations=deviations,
    )


_HOLDERS = {
    "folder": N_("Folder outside of the database"),
    "git": N_("Git remote"),
    "mail": N_("Mail to an auditor"),
    "witness": N_("Witness that signs beside the portal"),
}


def _holder_table(facts: Facts) -> Table:
    return Table(
        _("Who holds heads outside of the database"),
        (
            Column(_("Who holds it")),
            Column(_("Largest head held"), 35, figure=True),
            Column(_("Since"), 41),
            Column(_("Says otherwise"), 34),
        ),
        tuple(
            (
                _(
                    "%(kind)s (%(name)s)",
                    kind=_(_HOLDERS.get(line.holder.partition("-")[0], line.holder)),
                    name=line.holder,
                ),
                times.number(line.size),
                at_time(line.held_at),
                at_time(line.contradicts_since) if line.contradicts_since else _("no"),
            )
            for line in facts.holders
        ),
        _("None was handed a head yet."),
    )


def seconds(count: int) -> str:
    """A time by the clock, given in seconds."""
    minutes, rest = divmod(count, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min", hours=times.number(hours), minutes=minutes)
    if minutes:
        return _("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=rest)
    return _("%(seconds)s s", seconds=rest)


def _deviations(facts: Facts) -> list[Deviation]:
    about = _("Ledger")
    found = []
    if facts.missing:
        found.append(
            Deviation(
                about,
                ngettext(
                    "%(number)s number has no entry.", "%(number)s numbers have no entry.", facts.missing
                ),
            )
        )
    if facts.late_heads:
        found.append(
            Deviation(
                about,
                ngettext(
                    "%(number)s head was signed late, the slowest %(time)s after the entry.",
                    "%(number)s heads were signed late, the slowest %(time)s after the entry.",
                    facts.late_heads,
                    time=seconds(facts.longest_delay),
                ),
            )
        )
    found += [
        Deviation(
            line.holder,
            _(
                "It holds another ledger than this one since %(time)s.",
                time=at_time(line.contradicts_since),
            ),
        )
        for line in facts.holders
        if line.contradicts_since
    ]
    if facts.backwards:
        found.append(
            Deviation(
                about,
                ngettext(
                    "%(number)s entry is earlier than the one before it: the clock was set back.",
                    "%(number)s entries are earlier than the ones before them: the clock was set back.",
                    facts.backwards,
                ),
            )
        )
    return found


def _charts(facts: Facts) -> tuple[Chart, ...]:
    most = sorted(facts.tags, key=lambda line: (-line.entries, line.tag))[:DRAWN]
    if not most:
        return ()
    return (
        bars(
            "logging-tags",
            _("What was logged most often"),
            _(
                "Most entries are “%(tag)s”: %(number)s.",
                tag=says(most[0].tag),
                number=times.number(most[0].entries),
            ),
            [Amount(says(line.tag), line.entries) for line in most],
            measured=_("Entries"),
            label=_("What it says"),
        ),
    )


def _from_to(first: str, last: str) -> str:
    return _("%(first)s to %(last)s", first=first, last=last)
