# ruff: noqa: RUF001  (the directory's roles carry a dash)
"""Application access is asked for several people at once; each has a request of their own, to its end."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalog.offerings.forms import build_form
from catalog.offerings.queries import document_of, get_current_version
from catalog.offerings.several import check_people, people_in
from catalog.ordering.several import place
from catalog.requests.checking import form_context_of
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.language import speaking, spoken

NAMES = "Rosa Requester\nbeatriz.sousa"


def test_two_people_named_in_one_order_of_application_access_both_get_the_role(world, cast, actor_of):
    actor = actor_of(cast.requester)
    raw = {**world.typed(actor, "application-access"), "person": NAMES}
    with world.db.transaction() as session:
        version = get_current_version(session, "application-access")
        document = document_of(version)
        _, context = form_context_of(session, actor, world.portal.connectors)
        names = people_in(document, raw)
        order = place(session, actor, "token", version, check_people(document, raw, names, context))
        requests = session.scalars(select(Request.id).where(Request.order_group_id == order.id)).all()
    assert len(requests) == 2
    world.work()
    for request_id in requests:
        world.agree(request_id)
    world.work()
    assert {world.request(request_id).state for request_id in requests} == {State.FULFILLED}
    assert world.roles_of("rosa.requester") == world.roles_of("beatriz.sousa") == {"CRM – Sales user"}
    with speaking("de"):
        titles = {str(spoken(world.request(request_id).title)) for request_id in requests}
    assert titles == {"CRM – Sales user · Rosa Requester", "CRM – Sales user · Beatriz Sousa"}


@pytest.mark.on_sqlite
def test_what_is_wrong_with_one_of_the_people_is_said_with_the_name_in_the_readers_language(
    world, cast, actor_of
):
    actor = actor_of(cast.requester)
    raw = {**world.typed(actor, "application-access"), "person": f"{NAMES}\nNobody Here"}
    with world.db.reading() as session, speaking("de"):
        document = document_of(get_current_version(session, "application-access"))
        _, context = form_context_of(session, actor, world.portal.connectors)
        form = build_form(document, context)(raw)
        assert not form.validate()
        assert form["person"].label.text == "Wer braucht den Zugriff?"
        (error,) = form["person"].errors
    assert error.startswith("Nobody Here: ")
