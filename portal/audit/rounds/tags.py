"""What the ledger says of its own verification; the subject is `ledger`."""

from __future__ import annotations

VERIFIED = "ledger:verified"
#: Something does not fit; what it is stands in the round and in the mail, since it may name rows.
FOUND_ODD = "ledger:found-odd"
