"""People, units and groups as the portal knows them, and their signed-in sessions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import Base, Key


class Unit(Base):
    """A part of the organisation: the holding, a subsidiary, a department."""

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    #: No foreign key: units and people point at each other, and nobody is ever deleted.
    head_id: Mapped[int | None] = mapped_column(Key)
    #: IANA zone such as Europe/Berlin; working hours are in it.
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    #: ISO 3166 country, optionally with a subdivision (DE, DE-BY), for its holidays.
    country: Mapped[str] = mapped_column(String(10), default="")
    #: What holds in this unit, with what it inherits: see portal.identity.unit_settings.
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Person(Base):
    """One human being. Matched on (issuer, subject), never on an e-mail address."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    issuer: Mapped[str] = mapped_column(String(400))
    subject: Mapped[str] = mapped_column(String(255))
    #: The account name that target systems know; unique but not an identity.
    user_name: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320))
    title: Mapped[str] = mapped_column(String(200), default="")
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    locale: Mapped[str] = mapped_column(String(16), default="en")
    #: The language that the person chose in the portal; empty until then.
    language: Mapped[str] = mapped_column(String(16), default="")
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    #: Whether they prefer one mail a day, in their morning, to each at once.
    daily_mail: Mapped[bool] = mapped_column(Boolean, default=False)

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id])


class Absence(Base):
    """Days on which a person does not work, both ends included."""

    __tablename__ = "person_absence"
    __table_args__ = (UniqueConstraint("person_id", "first_day", "last_day"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    #: Whether it came with the organisation's file; such a one is changed only there.
    imported: Mapped[bool] = mapped_column(Boolean, default=False)


class Group(Base):
    """People who own or do something together; a group may carry portal roles."""

    __tablename__ = "group"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: Portal roles of every member, see portal.identity.permissions.
    roles: Mapped[list[Any]] = mapped_column(default=list)


class Membership(Base):
    """A person's place in a group."""

    __tablename__ = "membership"

    group_id: Mapped[int] = mapped_column(ForeignKey("group.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class WebSession(Base):
    """One browser's session; the cookie holds the only copy of its token, the row its hash."""

    __tablename__ = "web_session"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    #: When and how the identity provider last saw the person sign in.
    auth_time: Mapped[datetime | None]
    acr: Mapped[str] = mapped_column(String(200), default="")
    amr: Mapped[list[Any]] = mapped_column(default=list)
    #: The provider's own session, for back-channel logout.
    provider_sid: Mapped[str] = mapped_column(String(255), default="", index=True)
    id_token: Mapped[str] = mapped_column(String(8000), default="")
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
