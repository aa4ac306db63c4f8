"""The method: in which order things were fixed, how complete the population is, and how the sample was drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from portal.core.language import N_, _
from portal.core.times import number
from reports.audits import tags
from reports.audits.document import Audit
from reports.audits.pages.words import cut_of, day_of, rule_in_words
from reports.evidence.words import spoken_time


@dataclass(frozen=True, slots=True)
class Event:
    """One thing in the order in which they happened. `entry` is empty where the ledger has no entry of it."""

    when: str
    what: str
    entry: str


@dataclass(frozen=True, slots=True)
class Method:
    """What the chapter shows."""

    events: tuple[Event, ...]
    completeness: tuple[str, ...]
    rule: str
    root: str
    nonce: str
    seed: str
    size: str
    #: The first that was drawn, with its rank, as an example to compute again.
    example: tuple[str, str] | None
    #: Draws the sample again from population.csv.
    script: str
    earlier: tuple[tuple[str, str, str], ...]


_SAID = {
    tags.ORDERED: N_(
        "The audit was ordered: period, scope and the rule for the size of the sample were fixed."
    ),
    tags.COUNTED: N_(
        "The population was counted; its digest and the root for the draw were fixed and shown."
    ),
    tags.NONCE_GIVEN: N_("The auditor gave a word for the draw."),
}


def method_of(audit: Audit) -> Method:
    """The chapter's facts, in the language that is spoken."""
    sample = audit.sample
    seed = bytes.fromhex(sample.seed)
    first = sample.references[0] if sample.references else ""
    return Method(
        events=_events(audit),
        completeness=_completeness(audit),
        rule=rule_in_words(audit),
        root=sample.root,
        nonce=sample.nonce,
        seed=sample.seed,
        size=number(sample.size),
        example=(first, sha256(seed + first.encode("ascii")).hexdigest()) if first else None,
        script=_script(audit),
        earlier=tuple((str(draw.draw), draw.nonce, number(draw.entry)) for draw in sample.earlier),
    )


def _events(audit: Audit) -> tuple[Event, ...]:
    """The period's end, every entry about this audit, and the heads, in order of time."""
    told = [
        (
            audit.query.until,
            0,
            _(
                "The period ended when the audit was ordered, because %(day)s was not over yet.",
                day=day_of(audit.query.last_day),
            )
            if cut_of(audit.query)
            else _("The period ended with the end of %(day)s.", day=day_of(audit.query.last_day)),
            "",
        ),
        (
            audit.as_of,
            1,
            _(
                "The second head of the ledger was signed at %(size)s entries. Its root draws the sample.",
                size=number(audit.ledger.after.size),
            ),
            "",
        ),
        (
            audit.made_at,
            9,
            _(
                "The head under which this report is proven was signed at %(size)s entries.",
                size=number(audit.ledger.made.size),
            ),
            "",
        ),
    ]
    told += [
        (str(entry.body["at"]), 2, _(_SAID[str(entry.body["tag"])]), number(entry.number))
        for entry in audit.ledger.entries
        if entry.body.get("tag") in _SAID
    ]
    ordered = sorted(told, key=lambda event: (datetime.fromisoformat(event[0]), event[1]))
    return tuple(Event(spoken_time(at), what, entry) for at, _rank, what, entry in ordered)


def _completeness(audit: Audit) -> tuple[str, ...]:
    """The proof in plain words, with this audit's numbers."""
    complete, ledger = audit.completeness, audit.ledger
    return (
        _(
            "Every request gets the next number in the transaction in which it is submitted, so that numbers have no gap; and every submission is an entry of the ledger in that same transaction."
        ),
        _(
            "The ledger is a Merkle tree (RFC 6962): a signed head fixes every entry before it. One head was signed before the period, at %(before)s entries, one after it, at %(after)s. The consistency proof shows that the second contains the first unchanged.",
            before=number(ledger.before.size),
            after=number(ledger.after.size),
        )
        if ledger.before.size
        else _(
            "The ledger is a Merkle tree (RFC 6962): a signed head fixes every entry before it. The ledger began after the period did, so that it is looked at from its first entry to the head of %(after)s entries.",
            after=number(ledger.after.size),
        ),
        _(
            "The bundle holds all %(entries)s entries between the two. Hashed onto the first head they give the root of the second: no entry is missing, added or changed. Among them are %(submissions)s submissions, %(first)s to %(last)s, one after another; the one before is %(previous)s.",
            entries=number(ledger.after.size - ledger.before.size),
            submissions=number(complete.submissions),
            first=complete.first or _("none"),
            last=complete.last or _("none"),
            previous=complete.previous or _("none"),
        ),
        _(
            "Of these %(submissions)s, %(outside)s were submitted outside of the period, %(filtered)s are not in the scope, and %(count)s are the population: no request is in none of the three.",
            submissions=number(complete.submissions),
            outside=number(complete.outside_period),
            filtered=number(complete.outside_filter),
            count=number(audit.population.count),
        ),
    )


def _script(audit: Audit) -> str:
    """Python of the standard library; the word is written as JSON writes it, which Python reads alike."""
    return (
        "import base64, csv, hashlib\n"
        f'root = base64.b64decode("{audit.sample.root}")\n'
        f"nonce = {json.dumps(audit.sample.nonce, ensure_ascii=False)}\n"
        "seed = hashlib.sha256(root + nonce.encode()).digest()\n"
        'rows = csv.DictReader(open("population.csv", encoding="utf-8-sig"))\n'
        'names = [row["reference"] for row in rows]\n'
        "rank = lambda name: hashlib.sha256(seed + name.encode()).digest()\n"
        f"print(sorted(names, key=rank)[:{audit.sample.size}])"
    )
