"""Preparing a portal: people, offerings, the certificate authority and the firewall's repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select, update

from catalog.assets.importing import import_file
from catalog.fulfilment.connectors.firewall.repository import create_repository
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from catalog.offerings.publish import lacking, publish
from catalog.offerings.reading import read_offering
from portal.core.assets import services_folder
from portal.core.errors import PortalError
from portal.core.settings import Settings
from portal.core.strict_yaml import NotYaml, read_yaml
from portal.identity.actor import PORTAL, Actor
from portal.identity.events import PeopleImported
from portal.identity.import_people import import_people
from portal.identity.model import Person
from portal.identity.organisation import OrganisationError, read_organisation
from portal.wiring import Portal, build

DEMO_ORGANISATION = Path(__file__).parents[1] / "identity" / "demo_organisation.yaml"
DEMO_ASSETS = Path(__file__).parent / "demo_assets.csv"
#: Who publishes the shipped offerings in the demo organisation; they can approve none of their requests.
DEMO_PUBLISHER = "oskar.brandt"
DEVELOPMENT_ISSUER = "http://localhost:"


def prepare_demo(settings: Settings) -> Portal:
    """Bring everything that the demo needs into place; doing it again changes nothing."""
    portal = build(settings)
    _follow_the_development_sso(portal)
    create_repository(settings.firewall_repository, zones=ZONES, baseline=BASELINE)
    import_organisation(portal, DEMO_ORGANISATION)
    import_file(portal.db, DEMO_ASSETS)
    for _ in publish_offerings(portal, None, DEMO_PUBLISHER):
        pass
    return portal


def import_organisation(portal: Portal, file: Path) -> PeopleImported:
    """Read the file and write its people, units and groups. Raises PortalError with every problem in words."""
    try:
        read = read_organisation(read_yaml(file.read_bytes()).content)
    except NotYaml as error:
        raise PortalError(f"{file}:{error.mark[0]}:{error.mark[1]}: {error.message}") from error
    except OrganisationError as error:
        raise PortalError("\n".join(f"{file}: {problem}" for problem in error.problems)) from error
    with portal.db.transaction() as session:
        return import_people(session, PORTAL, read, issuer=portal.settings.oidc_issuer)


def publish_offerings(
    portal: Portal, folder: Path | None, publisher: str
) -> Iterator[tuple[str, int, bool, str]]:
    """Publish each file of the folder; gives slug, version number, whether it is new, and which connector it lacks.

    Of those that Countersign ships, one whose connector this portal does not have is left out: its number is 0.
    """
    with portal.db.reading() as session:
        person = session.scalar(select(Person).where(Person.user_name == publisher, Person.active.is_(True)))
    if person is None:
        raise PortalError(f"Nobody active is called {publisher!r}.")
    actor = Actor(name=person.name, person_id=person.id, issuer=person.issuer, subject=person.subject)
    shipped = folder is None
    folder = folder or services_folder()
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else [folder]
    for file in files:
        if shipped:
            document = read_offering(file.read_bytes(), str(file))
            if lacks := lacking(document, portal.connectors):
                yield document.slug, 0, False, lacks
                continue
        with portal.db.transaction() as session:
            before = session.info["clock"]()
            version = publish(session, actor, file.read_bytes(), str(file))
            yield version.offering.slug, version.number, version.published_at >= before, ""


def _follow_the_development_sso(portal: Portal) -> None:
    """On other ports the development sign-in has another name; its people are still the same ones."""
    if not portal.settings.development:
        return
    with portal.db.transaction() as session:
        session.execute(
            update(Person)
            .where(Person.issuer.startswith(DEVELOPMENT_ISSUER), Person.issuer != portal.settings.oidc_issuer)
            .values(issuer=portal.settings.oidc_issuer)
        )
