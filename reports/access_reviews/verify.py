"""The offline check of a campaign's result: its files, the ledger's word, and each answer told again from the entries."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import pypdf
from pydantic import ValidationError

from catalog.access_reviews import tags
from catalog.requests.tags import ENTITLEMENT_ENDED
from portal.core.canonical import digest
from portal.core.errors import PortalError
from portal.core.language import LANGUAGES
from reports.access_reviews.document import FILE_NAME, ItemPart, ReviewResult, read_result
from reports.access_reviews.html import attachments_of
from reports.access_reviews.make import to_pdf
from reports.evidence.document import EntryPart
from reports.evidence.verify.entries import differs, facts, opened, timely
from reports.evidence.verify.proofs import check_entries, check_keys
from reports.evidence.verify.result import Verification
from reports.evidence.verify.signature import SignedBy
from reports.evidence.verify.trusted import Trusted

_STATES = {"keep": "kept", "revoke": "revoked", "change": "changed"}
#: A signature states whole seconds.
_SECONDS = len("2026-11-18T09:00:00")
_SETTLING = (tags.ANSWERED, tags.LAPSED, tags.VOIDED)


def check_result(content: bytes, signed: SignedBy, trusted: Trusted, result: Verification) -> None:
    """Everything that the file says, but for its signature, which was checked before it was read."""
    told = _facts(content, result)
    if told is None:
        return
    result.reference = told.reference
    done = sum(told.figures.get(state, 0) for state in ("kept", "changed", "revoked", "void"))
    result.claim = (
        f"{done} of {told.review.total} items of the access review “{told.review.name}” are settled."
    )
    subjects = {told.subject, *(f"request:{item.as_opened.get('request')}" for item in told.items)}
    checks: dict[str, Callable[[], object]] = {
        "ledger": lambda: check_entries(told, result, subjects=subjects, what="access review"),
        "population": lambda: result.judge(
            "population",
            f"The population of {told.review.total} items is the one that was opened.",
            _population(told, signed.signed_at),
        ),
        "answers": lambda: result.judge(
            "answers", "Every answer, and what was done, is the one that the ledger tells.", _answers(told)
        ),
        "pages": lambda: _pages(content, told, result),
        "keys": lambda: check_keys(told, signed.certificate, trusted, result),
    }
    for name, check in checks.items():
        try:
            check()
        except Exception as error:  # noqa: BLE001  (facts that no portal wrote may break any check; that is a no)
            result.bad(name, f"The facts cannot be checked ({name}, {type(error).__name__}).")


def problems_of(told: ReviewResult, signed_at: datetime | None) -> Iterator[str]:
    """What the facts say otherwise than the entries beside them, in sentences; whether those are the ledger's is not asked."""
    yield from _population(told, signed_at)
    yield from _answers(told)


def _facts(content: bytes, result: Verification) -> ReviewResult | None:
    try:
        files = pypdf.PdfReader(io.BytesIO(content)).attachments
        attached = dict(files.items())
        told = read_result(attached[FILE_NAME][0])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        result.bad(
            "attachments", f"The attached facts do not have the published form: {where}: {first['msg']}."
        )
        return None
    except Exception as error:  # noqa: BLE001  (somebody's own PDF, signed by themselves, may break the reader)
        result.bad("attachments", f"The files inside cannot be read ({type(error).__name__}).")
        return None
    wanted = {file.name: [file.content] for file in attachments_of(told)}
    result.judge(
        "attachments",
        "The attached facts are there and have the published form.",
        []
        if attached == wanted
        else ["The files inside are not those that a result carries, or not written as it writes them."],
    )
    return told


def _population(told: ReviewResult, signed_at: datetime | None) -> Iterator[str]:
    review = told.review
    if digest([item.as_opened for item in told.items]) != review.population:
        yield "The items are not those of which the population's digest was taken."
    if len(told.items) != review.total or len({item.id for item in told.items}) != review.total:
        yield "There are not as many items as were opened."
    counted = Counter(item.state for item in told.items)
    if {name: count for name, count in told.figures.items() if count} != dict(counted):
        yield "The figures are not those that follow from the items."
    if signed_at is None or signed_at.isoformat()[:_SECONDS] != told.as_of[:_SECONDS]:
        yield "The signature states another time than the facts."
    found = _tagged(told, tags.OPENED)
    if len(found) != 1:
        yield "The ledger does not tell once that the access review was opened."
        return
    wanted = {
        "scope": review.scope,
        "items": review.total,
        "population": review.population,
        "due_at": review.due_at,
        "at_end": review.at_end,
        "more_days": review.more_days,
    }
    yield from differs(found[0], "the access review", wanted)
    yield from opened(found[0], "name", "the access review", review.name)
    yield from opened(found[0], "reason", "the access review", review.reason)
    yield from timely(found[0], "the opening", review.opened_at)
    if found[0].body.get("actor") != review.opened_by:
        yield "The ledger tells of somebody else who opened it."
    yield from _end(told)


def _end(told: ReviewResult) -> Iterator[str]:
    review = told.review
    ends = [*_tagged(told, tags.CLOSED), *_tagged(told, tags.CANCELLED)]
    if review.state == "open":
        if ends:
            yield "The ledger tells that it is over, but the facts do not."
        return
    wanted = tags.CLOSED if review.state == "closed" else tags.CANCELLED
    if len(ends) != 1 or ends[0].body.get("tag") != wanted:
        yield f"The ledger does not tell once that it was {review.state}."
        return
    yield from timely(ends[0], "its end", review.closed_at)
    if ends[0].body.get("actor") != (review.closed_by or "portal"):
        yield "The ledger tells of somebody else who ended it."
    yield from opened(ends[0], "why", "its end", review.close_reason)
    if review.state == "closed":
        yield from differs(ends[0], "the access review", {"figures": told.figures})


def _answers(told: ReviewResult) -> Iterator[str]:
    by_item: dict[object, list[EntryPart]] = defaultdict(list)
    for entry in _tagged(told, *_SETTLING):
        by_item[facts(entry).get("item")].append(entry)
    handed_on = {
        one.get("item")
        for entry in _tagged(told, tags.ESCALATED)
        if facts(entry).get("why") == "unanswered"
        for one in facts(entry).get("items", [])
    }
    ended = {
        facts(entry).get("entitlement"): entry
        for entry in told.ledger.entries
        if entry.body.get("tag") == ENTITLEMENT_ENDED
    }
    for item in told.items:
        yield from _item(item, by_item.pop(item.id, []), ended)
        if item.escalated is not (item.id in handed_on):
            yield f"Item {item.id}: the ledger tells otherwise whether it went on to somebody."
    for entries in by_item.values():
        yield f"Entry {entries[0].number} is about an item that the facts leave out."


def _item(item: ItemPart, entries: list[EntryPart], ended: Mapping[object, EntryPart]) -> Iterator[str]:
    what = f"item {item.id}"
    if len(entries) != item.turn:
        yield f"The ledger tells {len(entries)} times of {what}, and the facts say {item.turn} times."
        return
    if not entries:
        if item.state != "open" or item.answered_by or item.answered_at or item.said or item.ends_at:
            yield f"No entry of the ledger tells of the answer to {what}."
        return
    for turn, entry in enumerate(entries, start=1):
        if facts(entry).get("entitlement") != item.as_opened.get("entitlement"):
            yield f"Entry {entry.number} is about something else than {what}."
        if entry.body.get("tag") == tags.ANSWERED:
            yield from differs(entry, what, {"turn": turn})
        elif entry is not entries[-1]:
            yield f"Entry {entry.number} settles {what} before its last answer."
    yield from _last(item, entries[-1], what)
    if item.state == "revoked" and item.ended_at:
        gone = ended.get(item.as_opened.get("entitlement"))
        if gone is None:
            yield f"No entry of the ledger tells that what {what} is about is gone."
        else:
            yield from timely(gone, f"the end of {what}", item.ended_at)


def _last(item: ItemPart, last: EntryPart, what: str) -> Iterator[str]:
    """The answer that counts, or that nobody gave one in time, or that it ended by itself."""
    if last.body.get("tag") == tags.ANSWERED:
        state, who = _STATES.get(str(facts(last).get("answer"))), last.body.get("actor")
        yield from differs(last, what, {"ends_at": item.ends_at})
        yield from opened(last, "why", what, item.said)
        yield from timely(last, f"the answer to {what}", item.answered_at)
    elif last.body.get("tag") == tags.LAPSED:
        state, who = "revoked", None
        yield from timely(last, f"the end of the time for {what}", item.answered_at)
    else:
        state, who = "void", None
    if (item.state, item.answered_by) != (state, who):
        yield f"Entry {last.number} tells another answer to {what}, or another person, than the facts do."


def _pages(content: bytes, told: ReviewResult, result: Verification) -> None:
    """Whether the pages come out the same when they are made again here; another machine may not be able to tell."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    language = str(reader.root_object.get("/Lang", ""))
    if language not in LANGUAGES:
        result.bad("pages", "The pages are in a language that Countersign does not write.")
        return
    try:
        again = to_pdf(told, language)
    except PortalError as error:
        result.open("pages", f"The pages were not compared with the facts: {error.sentence}")
        return
    if content.startswith(again):
        result.good(
            "pages", "Made again from the facts on this machine, the pages come out the same, byte for byte."
        )
    else:
        result.open(
            "pages",
            "The pages were not compared with the facts: this machine makes them otherwise. Rely on the attached facts.",
        )


def _tagged(told: ReviewResult, *wanted: str) -> list[EntryPart]:
    return [
        entry
        for entry in told.ledger.entries
        if entry.body.get("subject") == told.subject and entry.body.get("tag") in wanted
    ]
