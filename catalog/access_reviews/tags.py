"""What the ledger says of access reviews; the subject is `access-review:<number>`."""

from __future__ import annotations

from catalog.requests import tags

OPENED = "access-review:opened"
#: Who is asked, each with how many items; once when it opens and again for what goes on to somebody else.
ASKED = "access-review:asked"
REMINDED = "access-review:reminded"
#: One person's answer to one item, with what followed from it.
ANSWERED = "access-review:answered"
#: Nobody answered in time: it goes on to whoever is above those who were asked, or is taken away.
ESCALATED = "access-review:escalated"
LAPSED = "access-review:lapsed"
#: It ended by itself before anybody answered.
VOIDED = "access-review:voided"
#: Everything is settled, with the figures.
CLOSED = "access-review:closed"
CANCELLED = "access-review:cancelled"
#: Of the request that allowed it: what its review did to it.
MOVED = tags.ENTITLEMENT_REVIEW_MOVED
ENDED_BY_REVIEW = tags.ENTITLEMENT_REVIEW_ENDED
