"""Passkeys: the public halves of the keys with which people sign their decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Key


class Passkey(Base):
    """One WebAuthn credential of one person. A revoked one stays, because what it signed stays."""

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    #: base64url without padding, as browsers write it; at most 1023 bytes behind it (WebAuthn §4).
    credential_id: Mapped[str] = mapped_column(String(1368), unique=True)
    #: SubjectPublicKeyInfo (RFC 5280) in DER.
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    #: The highest count that the authenticator has shown; 0 for one that does not count.
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    #: The make of the authenticator; zeros where it does not say.
    aaguid: Mapped[str] = mapped_column(String(36))
    #: How the browser reaches it, as it said itself: internal, usb, nfc, ble, hybrid.
    transports: Mapped[list[Any]] = mapped_column(default=list)
    #: Whether it is kept by a service that carries it to other devices.
    synced: Mapped[bool] = mapped_column(Boolean, default=False)
    #: What its owner calls it.
    name: Mapped[str] = mapped_column(String(80))
    enrolled_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
