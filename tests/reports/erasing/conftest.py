"""People who can be erased: they have left, and nothing is open with them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import update

from portal.core.database import Database
from portal.identity.actor import Actor
from portal.identity.model import Group, Person, Unit
from reports.erasing.erase import Erased, erase
from tests.reports.conftest import EvidenceWorld
from tests.reports.evidence.conftest import _laid_out_once, renderers

assert _laid_out_once and renderers


@dataclass
class Leaving:
    """The world in which somebody leaves, and the officer who erases them."""

    world: EvidenceWorld
    officer: Actor

    @property
    def db(self) -> Database:
        return self.world.db

    def leaves(self, person_id: int) -> None:
        """As the directory's import does: inactive, and whoever reported to them reports to nobody."""
        with self.db.transaction() as session:
            session.execute(update(Person).where(Person.manager_id == person_id).values(manager_id=None))
            session.execute(update(Unit).where(Unit.head_id == person_id).values(head_id=None))
            session.execute(update(Group).where(Group.owner_id == person_id).values(owner_id=None))
            session.execute(update(Person).where(Person.id == person_id).values(active=False))

    def erased(self, person_id: int) -> Erased:
        """Gone, by the officer's word."""
        with self.db.transaction() as session:
            return erase(session, self.officer, person_id)


@pytest.fixture
def leaving(world: EvidenceWorld) -> Leaving:
    return Leaving(world, world.actor_of(world.cast.compliance))
