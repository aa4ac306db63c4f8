"""The cover and the executive summary: the claim, what it rests on, the figures, and each section in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from portal.audit.notes import fingerprint, read_head, read_verifier_key
from portal.core.language import _, ngettext
from portal.core.times import clock, number, zone_name
from reports.audits.document import Audit
from reports.audits.pages.words import cut_of, day_of
from reports.audits.sections.controls import CARRIED_OUT
from reports.audits.sections.shapes import Shown, Tone
from reports.evidence.tags import KEY_INTRODUCED
from reports.evidence.words import spoken_time

_REFUSED = frozenset({"rejected", "refused"})
_CLOSED = CARRIED_OUT | _REFUSED | {"withdrawn", "failed"}


@dataclass(frozen=True, slots=True)
class Claim:
    """What the report claims in one sentence, and whether everything was as it should be."""

    status: str
    sentence: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the ledger as people compare it."""

    verifier: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Result:
    """One section in the summary."""

    anchor: str
    title: str
    claim: str
    deviations: str


def claim_of(audit: Audit, sections: Mapping[str, Shown]) -> Claim:
    """The report's claim. What is counted is in the facts, so that everybody arrives at the same sentence."""
    deviations = sum(len(shown.deviations) for shown in sections.values())
    cut = cut_of(audit.query)
    words = {
        "count": number(audit.population.count),
        "first": day_of(audit.query.first_day),
        "last": day_of(audit.query.last_day),
        "size": number(audit.sample.size),
        # With its zone: all other times of the report are UTC.
        "time": f"{clock(cut)} {zone_name(cut)}" if cut else "",
    }
    if not audit.population.count:
        return Claim(
            _("Complete: there is nothing in scope"),
            _(
                "From %(first)s to %(last)s, up to %(time)s, no request in scope was submitted; none is left out.",
                **words,
            )
            if cut
            else _(
                "From %(first)s to %(last)s no request in scope was submitted; none is left out.", **words
            ),
            "wait",
        )
    listed = (
        ngettext(
            "%(count)s request in scope was submitted from %(first)s to %(last)s, up to %(time)s; it is listed here, and none is left out.",
            "All %(count)s requests in scope that were submitted from %(first)s to %(last)s, up to %(time)s, are listed here, and none is left out.",
            audit.population.count,
            **words,
        )
        if cut
        else ngettext(
            "%(count)s request in scope was submitted from %(first)s to %(last)s; it is listed here, and none is left out.",
            "All %(count)s requests in scope that were submitted from %(first)s to %(last)s are listed here, and none is left out.",
            audit.population.count,
            **words,
        )
    )
    drawn = ngettext(
        "%(size)s of them was drawn by a lot that nobody could steer.",
        "%(size)s of them were drawn by a lot that nobody could steer.",
        audit.sample.size,
        **words,
    )
    if not deviations:
        return Claim(
            _("Complete; no deviation found"),
            _("%(listed)s %(drawn)s No deviation was found.", listed=listed, drawn=drawn),
            "good",
        )
    found = ngettext(
        "%(number)s deviation was found and is named in this report.",
        "%(number)s deviations were found and are named in this report.",
        deviations,
    )
    return Claim(
        _("Complete; deviations found"),
        _("%(listed)s %(drawn)s %(found)s", listed=listed, drawn=drawn, found=found),
        "wait",
    )


def keys_of(audit: Audit) -> tuple[Key, ...]:
    """The ledger's keys, the newest last. Raises NoteError for one that cannot be read."""
    return tuple(
        Key(verifier, fingerprint(read_verifier_key(verifier)[1])) for verifier in audit.ledger.verifiers
    )


def certificate_of(audit: Audit) -> str:
    """The fingerprint of the certificate that the ledger names for signing files; empty when it names none."""
    named = [
        str(entry.body.get("facts", {}).get("certificate", ""))
        for entry in audit.ledger.entries
        if entry.body.get("tag") == KEY_INTRODUCED
    ]
    return named[-1] if named else ""


def root_of(audit: Audit) -> str:
    """The root of the second head, in hex. Raises NoteError for a head that cannot be read."""
    return read_head(audit.ledger.after.checkpoint).root.hex()


def figures_of(audit: Audit, sections: Mapping[str, Shown]) -> tuple[tuple[str, str], ...]:
    """The figures of the summary's page."""
    rows = audit.population.rows
    states = Counter(row.state for row in rows)
    return (
        (_("Requests in scope"), number(len(rows))),
        (_("Carried out"), number(sum(states[state] for state in CARRIED_OUT))),
        (_("Rejected or refused"), number(sum(states[state] for state in _REFUSED))),
        (_("Withdrawn"), number(states["withdrawn"])),
        (_("Failed"), number(states["failed"])),
        (_("Still under way"), number(sum(count for state, count in states.items() if state not in _CLOSED))),
        (_("Approvals"), number(sum(row.approvals for row in rows))),
        (_("Emergencies"), number(sum(row.kind == "emergency" for row in rows))),
        (_("Drawn as the sample"), number(audit.sample.size)),
        (_("Deviations"), number(sum(len(shown.deviations) for shown in sections.values()))),
    )


def results_of(sections: Mapping[str, Shown]) -> tuple[Result, ...]:
    """Each section in a line."""
    return tuple(
        Result(
            f"section-{name}",
            shown.title,
            shown.claim,
            number(len(shown.deviations)) if shown.deviations else _("none"),
        )
        for name, shown in sections.items()
    )


def ledger_words(audit: Audit) -> str:
    """Which ledger, and how long it was."""
    return _(
        "%(origin)s, signed at %(size)s entries on %(time)s",
        origin=audit.ledger.origin,
        size=number(audit.ledger.after.size),
        time=spoken_time(audit.as_of),
    )
