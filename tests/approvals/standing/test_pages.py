"""The pages of standing approvals: propose, sign, list, revoke."""

import copy

from catalog.requests.states import State
from tests.fixtures_emergency import press, text_of
from tests.fixtures_requests import OFFERING

PLAYBOOK = {
    "offering": "badge-words",
    "name": "Words of the feed",
    "reason": "The feed names them at night, so they go up.",
    "scope": 'answers.word.startsWith("ioc")',
    "uses": "2",
    "last_day": "2026-12-01",
}


def test_a_playbook_is_proposed_signed_used_and_revoked_on_its_pages(hands, cast, browse):
    hands.publish({**copy.deepcopy(OFFERING), "slug": "badge-words"})
    operator = browse(cast.operator)
    assert browse(cast.requester).get("/approvals/standing/new").status_code == 403
    names = text_of(operator.get("/approvals/standing/new?offering=badge-words"))
    assert "answers.word (string)" in names
    refused = press(
        operator, "/approvals/standing/new", "Propose it", **{**PLAYBOOK, "scope": "answers.wrod"}
    )
    assert refused.status_code == 422
    assert "did you mean &#39;answers.word&#39;?" in refused.get_data(as_text=True)
    assert 'value="Words of the feed"' in refused.get_data(as_text=True)
    made = press(operator, "/approvals/standing/new", "Propose it", **PLAYBOOK)
    assert made.status_code == 303
    path = made.headers["Location"]
    assert hands.mailed("standing_asked") == [cast.owner, cast.second_owner]
    assert "Your signature counts" not in text_of(operator.get(path))
    for person in (cast.owner, cast.second_owner):
        assert press(browse(person), path, "Sign").status_code == 303
    assert "In force" in text_of(operator.get(path))

    request_id = hands.submitted(cast.requester, word="ioc-1")
    hands.work()
    request = hands.request(request_id)
    assert request.state is State.FULFILLED
    told = text_of(browse(cast.requester).get(f"/requests/{request.reference}"))
    assert "Standing approval 1: Words of the feed" in told
    assert "signed in advance" in told
    assert "signed by Olga Owner, Otto Owner." in told
    page = text_of(browse(cast.outsider).get(path))
    assert request.reference in page
    assert "Revoke it now" not in page

    assert press(operator, path, "Revoke it now", reason="The feed was taken over.").status_code == 303
    page = text_of(operator.get(path))
    assert "Revoked" in page
    assert "The feed was taken over." in page
    listed = text_of(browse(cast.outsider).get("/approvals/standing"))
    assert "Words of the feed Words on shelves Revoked 1 of 2 1 December 2026" in listed
