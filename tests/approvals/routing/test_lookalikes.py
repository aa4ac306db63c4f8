"""Names that can be taken for one another."""

from __future__ import annotations

import pytest

from approvals.routing.lookalikes import appearance, look_alikes
from portal.core.database import Database
from portal.identity.model import Person
from tests.fixtures_people import Cast


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Rosa Requester", "R\u043esa Requester"),  # Cyrillic o
        ("Rosa Requester", "rosa  requester"),
        ("Rosa Requester", "Ros\u00e1 Requester"),
        ("Milo Manager", "Mi1o Manager"),
        ("Ilona Imhof", "llona lmhof"),
        ("Maria Otto", "\u041caria Ott\u03bf"),
        ("Arne Berg", "Ame Berg"),
        ("Jürgen Weiß", "Jurgen Weiss"),
        ("Siobhán O'Neill", "Siobhan ONeill"),
        ("Łukasz Wiśniewski", "Lukasz Wisniewski"),
    ],
)
def test_what_the_eye_cannot_tell_apart_appears_the_same(name: str, other: str) -> None:
    assert appearance(name) == appearance(other)


@pytest.mark.parametrize(
    ("name", "other"), [("Rosa Requester", "Rosi Requester"), ("Olga Owner", "Otto Owner")]
)
def test_different_names_appear_different(name: str, other: str) -> None:
    assert appearance(name) != appearance(other)


@pytest.mark.on_sqlite
def test_a_look_alike_is_named_with_the_account_that_cannot_be_mistaken(db: Database, cast: Cast) -> None:
    with db.transaction() as session:
        session.get_one(Person, cast.leaver).name = "R\u043esa Requester"
        session.flush()
        person = session.get_one(Person, cast.requester)
        assert look_alikes(session, [person, person]) == [
            "Rosa Requester (rosa.requester) is easily taken for R\u043esa Requester (lena.leaver, whose account is "
            "closed). Compare the account name."
        ]
        assert look_alikes(session, [session.get_one(Person, cast.manager)]) == []
