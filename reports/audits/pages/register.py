"""The sample and the register: every row as it is printed. Thousands of rows, so each cell is one short text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from portal.core.language import _, ngettext
from portal.core.times import number
from reports.audits.document import Audit, RowPart
from reports.audits.pages.words import KINDS, PROMISES
from reports.audits.sections.shapes import at_time, called, named
from reports.evidence.words import STATES, word

#: Rows that are laid out together.
ROWS = 200
#: Sampled requests that are laid out together.
BLOCKS = 60


@dataclass(frozen=True, slots=True)
class Drawn:
    """One request of the sample."""

    place: str
    reference: str
    rank: str
    what: str
    who: str
    when: str
    seal: str
    file: str


@dataclass(frozen=True, slots=True)
class RegisterPart:
    """Some rows of the register, from one reference to another."""

    anchor: str
    heading: str
    rows: tuple[tuple[str, ...], ...]


def register_parts(audit: Audit) -> tuple[tuple[int, int], ...]:
    """From which row to which each part goes."""
    count = len(audit.population.rows)
    return tuple((start, min(start + ROWS, count)) for start in range(0, count, ROWS))


def register_part(audit: Audit, start: int, end: int) -> RegisterPart:
    """These rows as they are printed."""
    rows = audit.population.rows[start:end]
    return RegisterPart(
        f"register-{start}",
        _("%(first)s to %(last)s", first=rows[0].reference, last=rows[-1].reference),
        tuple(_printed(audit, row) for row in rows),
    )


def _printed(audit: Audit, row: RowPart) -> tuple[str, ...]:
    requester, beneficiary = named(audit, row.requester), named(audit, row.beneficiary)
    return (
        row.reference,
        str(row.entry),
        _compact(row.submitted_at),
        _("%(service)s, v. %(version)s", service=called(audit.offerings, row.offering), version=row.version),
        called(audit.units, row.unit),
        requester
        if requester == beneficiary
        else _("%(name)s for %(whom)s", name=requester, whom=beneficiary),
        _("%(kind)s: %(state)s", kind=_(KINDS[row.kind]), state=word(STATES, row.state)),
        f"{row.approvals} / {row.denials}",
        _(PROMISES[row.promise]),
    )


def _compact(at: str) -> str:
    """A time as registers write it, to the second (UTC): 2026-03-01 09:12:05."""
    return at[:19].replace("T", " ")


def sample_blocks(audit: Audit) -> tuple[tuple[int, int], ...]:
    """From which place to which each part of the sample goes."""
    count = len(audit.sample.references)
    return tuple((start, min(start + BLOCKS, count)) for start in range(0, count, BLOCKS))


def drawn(audit: Audit, start: int, end: int) -> Iterator[Drawn]:
    """These of the sample, in the order in which they were drawn."""
    rows = {row.reference: row for row in audit.population.rows}
    digests = {file.name: file.digest for file in audit.files}
    seed = bytes.fromhex(audit.sample.seed)
    for place, reference in enumerate(audit.sample.references[start:end], start + 1):
        row = rows[reference]
        yield Drawn(
            place=number(place),
            reference=reference,
            rank=sha256(seed + reference.encode("ascii")).hexdigest()[:16],
            what=_(
                "%(service)s, version %(version)s; %(kind)s; %(state)s",
                service=called(audit.offerings, row.offering),
                version=row.version,
                kind=_(KINDS[row.kind]),
                state=word(STATES, row.state),
            ),
            who=_who(audit, row),
            when=_("Submitted %(time)s; %(outcome)s", time=at_time(row.submitted_at), outcome=_decided(row)),
            seal=(row.seal or "").removeprefix("sha256:"),
            file=digests.get(f"evidence/{reference}.pdf", "").removeprefix("sha256:"),
        )


def _who(audit: Audit, row: RowPart) -> str:
    words = {"name": named(audit, row.requester), "unit": called(audit.units, row.unit)}
    if row.requester == row.beneficiary:
        return _("%(name)s, for themselves (%(unit)s)", **words)
    return _("%(name)s for %(whom)s (%(unit)s)", whom=named(audit, row.beneficiary), **words)


def _decided(row: RowPart) -> str:
    approvals = ngettext("%(number)s approval", "%(number)s approvals", row.approvals)
    words = {"approvals": approvals, "decided": at_time(row.decided_at), "done": at_time(row.fulfilled_at)}
    if row.fulfilled_at and row.decided_at:
        return _("%(approvals)s, complete %(decided)s; carried out %(done)s", **words)
    if row.decided_at:
        return _("%(approvals)s, complete %(decided)s; not carried out", **words)
    return _("%(approvals)s; not carried out", **words)
