"""The offerings by which findings are worked: the portal's own, unless the organisation has published others."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from catalog.offerings.model import OfferingVersion
from catalog.offerings.publish import publish
from catalog.offerings.queries import find_current_version
from portal.identity.actor import PORTAL

ADOPTION, REMOVAL = "adoption", "unexplained-removal"
_FILES = {ADOPTION: "adoption.yaml", REMOVAL: "removal.yaml"}
FOLDER = Path(__file__).parent / "offerings"


def version_for(session: Session, slug: str) -> OfferingVersion:
    """What is published under this slug; the text that comes with the portal is published when it is first needed."""
    version = find_current_version(session, slug)
    if version is not None:
        return version
    file = FOLDER / _FILES[slug]
    return publish(session, PORTAL, file.read_bytes(), file.name)
