"""The pages: the debt for everybody, the review, and the broken glass, as browsers meet them."""

import pytest
from sqlalchemy import event

from approvals.emergency.model import ReviewState
from catalog.requests.states import State
from tests.fixtures_emergency import press, text_of
from tests.fixtures_requests import OFFERING

pytestmark = pytest.mark.on_sqlite

WHY = "Everybody who could approve is on one plane, and orders stop."


def test_everybody_sees_the_debt_in_few_statements_and_strangers_no_request(urgency, cast, browse):
    references = [urgency.request(urgency.started(word=f"word-{n}")).reference for n in range(3)]
    outsider = browse(cast.outsider)
    counted = []
    event.listen(urgency.db.engine, "before_cursor_execute", lambda *args: counted.append(args[2]))
    answer = outsider.get("/approvals/emergencies")
    assert len(counted) <= 8
    page = text_of(answer)
    assert "3 reviews are open." in page
    for reference in references:
        assert f"{reference} Urgent words Emergency" in page
    assert page.count("Milo Manager") == 3
    assert "word-1" not in page
    assert browse(cast.outsider).get(f"/approvals/{references[0]}/review").status_code == 404


def test_a_reviewer_reads_what_was_done_and_says_with_a_reason_that_it_was_not_right(urgency, cast, browse):
    request_id = urgency.started()
    path = f"/approvals/{urgency.request(request_id).reference}/review"
    manager = browse(cast.manager)
    page = text_of(manager.get(path))
    assert "Put “Rosa” on the shelf" in page
    assert "Sami Security" in page and "Hanna Head" in page
    refused = press(manager, path, "It was not right, undo it now", reason="No")
    assert refused.status_code == 422
    assert "Write why; everybody concerned reads it" in text_of(refused)
    done = press(manager, path, "It was not right, undo it now", reason="It stops the orders.")
    assert done.status_code == 303
    urgency.hands.work()
    page = text_of(manager.get(path))
    assert "It is undone: nothing of it is in place any more." in page
    assert "It stops the orders." in page
    assert urgency.request(request_id).state is State.ENDED
    assert "No debt" in text_of(browse(cast.outsider).get("/approvals/emergencies"))
    requester = browse(cast.requester)
    told = text_of(requester.get(f"/requests/{urgency.request(request_id).reference}"))
    assert "Reviewed afterwards: it was not right" in told
    assert "Their review" in told


def test_two_holders_break_the_glass_from_the_requests_page(urgency, cast, browse):
    urgency.hands.publish({**OFFERING, "slug": "glass-words"})
    for person in (cast.auditor, cast.compliance):
        urgency.join(person, "break-glass", "break_glass")
    request_id = urgency.pending()
    reference = urgency.request(request_id).reference
    path = f"/approvals/{reference}/break-glass"
    assert browse(cast.manager).get(path).status_code == 403
    first, second = browse(cast.auditor), browse(cast.compliance)
    assert path in first.get(f"/requests/{reference}").get_data(as_text=True)
    assert press(first, path, "Ask a second person to agree", reason=WHY).status_code == 303
    assert "Another person with this role must agree by:" in text_of(first.get(path))
    page = text_of(second.get(path))
    assert f"Ada Auditor : {WHY}" in page or f"Ada Auditor: {WHY}" in page
    done = press(second, path, "Agree: carry it out now", reason="The pumps stand still as well.")
    assert (done.status_code, done.headers["Location"]) == (303, f"/requests/{reference}")
    urgency.hands.work()
    assert urgency.request(request_id).state is State.FULFILLED
    assert urgency.review(request_id).state is ReviewState.OPEN
    assert "The glass was broken: carried past its approvers" in text_of(second.get(f"/requests/{reference}"))
    assert "Review it by" in text_of(browse(cast.manager).get(f"/approvals/{reference}/review"))


def test_a_sign_in_that_is_too_old_comes_back_to_what_was_written(urgency, cast, browse, clock):
    request_id = urgency.started()
    path = f"/approvals/{urgency.request(request_id).reference}/review"
    manager = browse(cast.manager)
    clock.pass_time(minutes=16)
    answer = press(manager, path, "It was right", reason="I have looked at it.")
    assert answer.status_code == 303
    assert (
        answer.headers["Location"].startswith("/sign-in/step-up") or "max_age" in answer.headers["Location"]
    )
    assert "I have looked at it." in manager.get(path).get_data(as_text=True)
    assert urgency.review(request_id).state is ReviewState.OPEN
