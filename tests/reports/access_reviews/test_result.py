"""The result of a campaign as a signed file: what it holds, and that the verifier believes nothing but the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from catalog.access_reviews.answering import Say
from catalog.access_reviews.model import AtEnd
from catalog.entitlements.ending import give_back
from portal.audit.notes import fingerprint, read_verifier_key
from reports.access_reviews.document import ReviewResult
from reports.access_reviews.make import make_result, result_of, signed_pdf
from reports.access_reviews.verify import problems_of
from reports.evidence.make import introduced_key
from reports.evidence.verify import Trusted, verify_content

pytestmark = pytest.mark.on_sqlite


@pytest.fixture
def settled(campaigns, cast, clock):
    """One kept, one changed twice, one taken away, one given back, one that nobody answered: closed."""
    given = [campaigns.granted(word) for word in ("hello", "again")]
    given += [campaigns.granted(word) for word in ("third", "fourth", "fifth")]
    review_id = campaigns.opened(at_end=AtEnd.ESCALATE, more_days=1)
    kept, changed, revoked, back, _silent = campaigns.items(review_id)
    campaigns.says(cast.owner, kept, Say.KEEP)
    for days in (40, 50):
        day = (clock() + timedelta(days=days)).date()
        changed = campaigns.items(review_id)[1]
        campaigns.says(cast.second_owner, changed, Say.CHANGE, "Reading <b> is enough.", until=day)
    campaigns.says(cast.manager, revoked, Say.REVOKE, "The work is done.")
    with campaigns.shelves.db.transaction() as session:
        give_back(session, campaigns.actor_of(cast.requester), back.entitlement_id)
    campaigns.look_round()
    for _round in range(2):
        clock.time = max(item.due_at for item in campaigns.items(review_id))
        campaigns.look_round()
    campaigns.look_round()
    return review_id


def sentences(verification):
    return [check.sentence for check in verification.checks if check.holds is False]


def test_a_result_verifies_and_every_lie_about_an_answer_is_found(campaigns, settled, bench, cast):
    content = make_result(bench, settled)
    _name, key = read_verifier_key(bench.signer.verifier)
    found = verify_content(content, name="x.pdf", trusted=Trusted.of([fingerprint(key)]))
    assert sentences(found) == []
    assert found.proven
    assert found.reference == f"access-review-{settled}"
    assert {check.name for check in found.checks if check.holds} >= {
        "pdf-signature",
        "attachments",
        "checkpoint",
        "inclusion",
        "order",
        "commitments",
        "population",
        "answers",
        "pages",
        "certificate",
        "ledger-key",
    }
    assert not verify_content(content, trusted=Trusted.of(["0" * 64])).holds
    assert not verify_content(content[:-20] + b" " + content[-19:]).holds

    pdf_key = introduced_key(bench)
    told = result_of(bench, settled, pdf_key)
    assert told.figures == {"open": 0, "kept": 1, "changed": 1, "revoked": 2, "void": 1}
    assert [item.escalated for item in told.items] == [False, False, False, False, True]
    assert [item.ended_at is not None for item in told.items] == [False, False, True, False, True]
    at = datetime.fromisoformat(told.as_of)
    assert list(problems_of(told, at)) == []
    for wanted, lie in lies(told, cast):
        problems = list(problems_of(ReviewResult.model_validate(lie), at))
        assert any(wanted in problem for problem in problems), (wanted, problems)

    lie = told.model_dump()
    lie["items"][2]["state"] = "kept"
    lie["ledger"]["entries"][0]["body"]["facts"]["items"] = 6
    wrong = sentences(verify_content(signed_pdf(ReviewResult.model_validate(lie), pdf_key)))
    assert any("another answer" in sentence for sentence in wrong)
    assert any("is not in the ledger" in sentence for sentence in wrong)


def lies(told, cast):
    """Files that the portal's own key signed, each with one thing other than the ledger tells."""

    def other(change):
        document = told.model_dump()
        change(document)
        return document

    def item(number, **values):
        return other(lambda document: document["items"][number].update(values))

    def dropped(document):
        entries = document["ledger"]["entries"]
        document["ledger"]["entries"] = tuple(
            entry for entry in entries if entry["body"]["tag"] != "access-review:answered"
        )

    def reviewed(document):
        as_opened = document["items"][0]["as_opened"]
        document["items"][0]["as_opened"] = {**as_opened, "reviewers": []}

    yield "another answer", item(2, state="kept")
    yield "another answer", item(0, answered_by=f"person:{cast.second_owner}")
    yield "another why", item(0, said="She asked me to.")
    yield "another ends at", item(1, ends_at="2027-12-31T23:00:00+00:00")
    yield "and the facts say 1 times", item(1, turn=1)
    yield "went on to somebody", item(4, escalated=False)
    yield "was not written when", item(2, ended_at="2027-12-31T23:00:00+00:00")
    yield "population's digest", other(reviewed)
    yield "as many items", other(lambda document: document.update(items=document["items"][1:]))
    yield "figures", other(lambda document: document["figures"].update(kept=2))
    yield "does not tell once that it was cancelled", other(lambda d: d["review"].update(state="cancelled"))
    yield "another reason", other(lambda document: document["review"].update(reason="Because."))
    yield "The ledger tells 0 times", other(dropped)
