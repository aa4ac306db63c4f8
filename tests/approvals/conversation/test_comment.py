"""Comments: read by whoever sees the request, and mailed to whoever they mention and may see it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from approvals.conversation.comment import comment
from approvals.conversation.model import Remark
from approvals.routing.router import Router
from portal.audit.model import Entry
from portal.core.errors import FieldError, NotFound
from portal.identity.actor import Actor
from portal.notifications.model import Message
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story, Web

ActorOf = Callable[..., Actor]


def say(story: Story, actor: Actor, text: str) -> None:
    with story.db.transaction() as session:
        comment(session, actor, "SR-000001", text=text, router=Router())


def told(story: Story) -> list[int | None]:
    with story.db.reading() as session:
        return list(
            session.scalars(
                select(Message.person_id).where(Message.event == "mentioned").order_by(Message.id)
            )
        )


def test_a_mentioned_person_who_may_see_the_request_is_mailed(story: Story, actor_of: ActorOf) -> None:
    story.planned(MANAGER_STAGE)
    say(
        story,
        actor_of(story.cast.manager),
        "@Ada.Auditor, @rosa.requester: is a@ola.outsider fine? @ada.auditor knows. @milo.manager.",
    )
    assert told(story) == [story.cast.auditor, story.cast.requester], "each once, and never the author"
    with story.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == "comment:written")).one()
        message = session.scalars(select(Message).where(Message.event == "mentioned")).first()
    assert "fine" not in entry.body
    assert json.loads(entry.body)["facts"]["mentions"] == [
        f"person:{person}" for person in (story.cast.auditor, story.cast.requester, story.cast.manager)
    ]
    assert message is not None
    assert "/requests/SR-000001" in message.text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("What does @ola.outsider think?", "Ola Outsider may not see this request"),
        (
            "What does @otto.owner think?",
            "Otto Owner may not see this request",
        ),  # asked only in a later stage
        ("What does @nobody think?", "Nobody here has the account name “nobody”"),
        ("What does @lena.leaver think?", "Nobody here has the account name “lena.leaver”"),
    ],
)
def test_a_person_who_may_not_see_it_is_not_told_and_the_author_learns_why(
    story: Story, actor_of: ActorOf, text: str, why: str
) -> None:
    story.planned(MANAGER_STAGE, OWNER_STAGE)
    with pytest.raises(FieldError, match=why):
        say(story, actor_of(story.cast.manager), f"@ada.auditor {text}")
    assert told(story) == []
    with story.db.reading() as session:
        assert session.scalars(select(Remark)).all() == []


@pytest.mark.on_sqlite
def test_whoever_may_not_see_the_request_cannot_comment_on_it(story: Story, actor_of: ActorOf) -> None:
    story.planned(MANAGER_STAGE)
    with pytest.raises(NotFound):
        say(story, actor_of(story.cast.outsider), "Hello")


@pytest.mark.on_sqlite
def test_a_comment_stands_on_the_request_and_on_the_card_as_text(web: Web) -> None:
    web.story.planned(MANAGER_STAGE)
    manager = web.browser(web.story.cast.manager)
    token = manager.form("/approvals/SR-000001")["csrf_token"]
    sent = manager.client.post(
        "/requests/SR-000001/comments",
        data={"csrf_token": token, "comment": "Talk to <i>Sami</i> {{7*191}}", "place": "card"},
        headers={"Origin": manager.origin},
    )
    assert (sent.status_code, sent.location) == (303, "/approvals/SR-000001")
    for person, path in (("manager", "/approvals/SR-000001"), ("requester", "/requests/SR-000001")):
        page = web.browser(web.story.cast.ids[person]).get(path).get_data(as_text=True)
        assert "Talk to &lt;i&gt;Sami&lt;/i&gt; {{7*191}}" in page
    wrong = manager.client.post(
        "/requests/SR-000001/comments",
        data={"csrf_token": token, "comment": "Ask @ola.outsider", "place": "card"},
        headers={"Origin": manager.origin},
    )
    page = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert 'href="#remark"' in page
    assert "Ask @ola.outsider</textarea>" in page
