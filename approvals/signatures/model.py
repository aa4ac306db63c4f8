"""Signatures: what an authenticator signed for one decision, kept byte for byte and never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.append_only import append_only
from portal.core.database import Base


class DecisionSignature(Base):
    """The WebAuthn assertion under a decision. With the enrolled key in the ledger anyone can check it again."""

    __tablename__ = "decision_signature"

    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), primary_key=True)
    passkey_id: Mapped[int] = mapped_column(ForeignKey("passkey.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    client_data: Mapped[bytes] = mapped_column(LargeBinary)
    authenticator_data: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    #: Part of the challenge. Unique, so that no assertion serves twice.
    nonce: Mapped[str] = mapped_column(String(80), unique=True)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    signed_at: Mapped[datetime]


append_only(Base.metadata.tables["decision_signature"])
