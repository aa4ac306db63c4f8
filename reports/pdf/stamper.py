"""What pyHanko asks for a timestamp while it signs, and whether the answer is believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import handle_tsp_response

from reports.pdf.timestamps import TimestampAuthority, TimestampMissing
from reports.verifier.verify import Wrong, is_issued_by, read_timestamp


class Stamper(TimeStamper):
    """Asks the authority on pyHanko's behalf."""

    def __init__(self, authority: TimestampAuthority) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.authority = authority

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """As pyHanko asks. Raises TimestampMissing."""
        content = self.authority.stamp(req.dump())
        self.judge(content, req)
        return tsp.TimeStampResp.load(content)

    def believed(self, content: bytes, nonce: Any) -> Any:
        """The token in the answer, if it grants one for this nonce. Raises TimestampMissing."""
        try:
            return handle_tsp_response(tsp.TimeStampResp.load(content), nonce)
        except Exception as error:  # a foreign answer may break its reader in any way
            raise TimestampMissing("The timestamp authority's answer grants no timestamp.") from error

    def judge(self, content: bytes, req: tsp.TimeStampReq) -> None:
        """Whether the answer is over what was asked, by a certificate that is believed. Raises TimestampMissing."""
        token = self.believed(content, req["nonce"].native).dump()
        imprint = req["message_imprint"]["hashed_message"].native
        try:
            _, certificate, others = read_timestamp(token, imprint)
            believed = _is_or_was_issued_by(certificate, self.authority.certificate, others)
        except Wrong as error:
            raise TimestampMissing(str(error)) from error
        except Exception as error:  # as above
            raise TimestampMissing("The timestamp cannot be read.") from error
        if not believed:
            raise TimestampMissing(
                "The timestamp was made with another certificate than TIMESTAMP_CERTIFICATE."
            )


def _is_or_was_issued_by(certificate: bytes, given: bytes, others: Sequence[bytes]) -> bool:
    """Whether a certificate is the given one, or was issued by it, directly or by way of one of the others."""
    if certificate == given or is_issued_by(certificate, given):
        return True
    return any(is_issued_by(certificate, other) and is_issued_by(other, given) for other in others)
