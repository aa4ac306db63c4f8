"""What happens to people and their sessions, told to whoever stands above (see portal.wiring)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from portal.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class PersonSignedIn:
    """Somebody signed in, or signed in again for a step-up."""

    actor: Actor
    again: bool


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session ended: by its owner, by the provider, or by an administrator."""

    actor: Actor
    session_id: int
    because: str


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """The provider's answer did not hold, or the person is not known here."""

    why: str
    issuer: str


class RoleHeld(NamedTuple):
    """A person's role of the portal, through one group."""

    person_id: int
    role: str
    group: str


@dataclass(frozen=True, slots=True)
class PeopleImported:
    """People, units and groups were read from a file; with their groups people were given roles, or lost them."""

    actor: Actor
    people: int
    units: int
    groups: int
    digest: str
    given: tuple[RoleHeld, ...] = ()
    taken: tuple[RoleHeld, ...] = ()


@dataclass(frozen=True, slots=True)
class RotaImported:
    """An on-call rota was read from a file: how many duties of how many people."""

    actor: Actor
    rota: str
    name: str
    people: int
    shifts: int
    digest: str


@dataclass(frozen=True, slots=True)
class PasskeyEnrolled:
    """A person enrolled a key to sign decisions with. `credential` is the digest of its identifier."""

    actor: Actor
    passkey_id: int
    credential: str
    #: SubjectPublicKeyInfo in DER.
    public_key: bytes
    aaguid: str
    sign_count: int
    rp_id: str
    name: str


@dataclass(frozen=True, slots=True)
class PasskeyRevoked:
    """A person's key signs nothing from here on."""

    actor: Actor
    passkey_id: int
    credential: str
    person_id: int
    name: str


@dataclass(frozen=True, slots=True)
class AbsenceAdded:
    """Somebody said that they are away."""

    actor: Actor
    absence_id: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class AbsenceRemoved:
    """Somebody took an absence back that they had added."""

    actor: Actor
    absence_id: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class ApiTokenCreated:
    """A program may speak for a person from now on, in these scopes and until then."""

    actor: Actor
    token_id: int
    person_id: int
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiTokenRevoked:
    """A token opens nothing any more."""

    actor: Actor
    token_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class MandateGiven:
    """A person's account audits from then until then (UTC, the end exclusive); empty parts of its scope are all."""

    actor: Actor
    mandate_id: int
    person_id: int
    begins_at: datetime
    ends_at: datetime
    units: tuple[str, ...]
    offerings: tuple[str, ...]
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class MandateChanged(MandateGiven):
    """The same mandate with other days or another scope."""


@dataclass(frozen=True, slots=True)
class MandateEnded:
    """A mandate ended before its last day; the account sees nothing from then on."""

    actor: Actor
    mandate_id: int
    person_id: int
    ended_at: datetime
